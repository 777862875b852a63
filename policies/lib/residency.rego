# METADATA
# title: Residency
# description: Where the organisation allows a class of data to be, and where a resource may end up.
package policies.lib.residency

# METADATA
# description: |
#   What the organisation says about a class of data.
#   `known` is false for a class it does not list; `restricted` is false for one that may be anywhere.
class_rule(name) := {"known": false, "restricted": false, "countries": [], "jurisdictions": []} if {
	object.get(_classes, name, null) == null
}

class_rule(name) := {"known": true, "restricted": restricted, "countries": countries, "jurisdictions": jurisdictions} if {
	entry := object.get(_classes, name, null)
	entry != null
	countries := object.get(entry, "countries", [])
	jurisdictions := object.get(entry, "jurisdictions", [])
	restricted := (count(countries) + count(jurisdictions)) > 0
}

# METADATA
# description: True if any class of data of the organisation is restricted to somewhere.
restricts_any_class if {
	some name, _ in _classes
	class_rule(name).restricted
}

# METADATA
# description: The names of the restricted classes of data that a resource holds or processes, sorted.
restricted_classes(resource) := sort({item.class |
	some item in resource.data
	class_rule(item.class).restricted
})

# METADATA
# description: Pointers at the classes of data that the organisation does not list, and at the data if it is not known.
missing_classes(resource) := array.concat(_not_listed(resource), _not_known(resource))

# METADATA
# description: True if the class may be at the place; a place without a known country satisfies no list of countries.
permits(rule, place) if place.country in rule.countries

permits(rule, place) if {
	some jurisdiction in place.jurisdictions
	jurisdiction in rule.jurisdictions
}

# METADATA
# description: The places where a resource may end up; empty where they are not known.
places(resource) := resource.places if resource.places != null

places(resource) := [] if resource.places == null

# METADATA
# description: Where a class may be, in words.
allowed(rule) := concat(", ", array.concat(rule.jurisdictions, rule.countries))

_classes := object.get(data.org, "data_classes", {})

_not_listed(resource) := [pointer |
	some index, item in resource.data
	rule := class_rule(item.class)
	rule.known == false
	pointer := sprintf("/data/%d/class", [index])
]

_not_known(resource) := ["/data" |
	restricts_any_class
	resource.unknown["/data"]
]
