# METADATA
# title: Residency
# description: Where the organisation allows the data of a resource to be.
package policies.lib.residency

# METADATA
# description: |
#   The classes of data of a resource that may not be everywhere, each with the countries and the
#   jurisdictions in any of which it may be; a class without either may be anywhere.
restrictions(resource) := {restriction |
	some item in resource.data
	entry := object.get(_classes, item.class, {})
	countries := object.get(entry, "countries", [])
	jurisdictions := object.get(entry, "jurisdictions", [])
	count(countries) + count(jurisdictions) > 0
	restriction := {"data_class": item.class, "countries": countries, "jurisdictions": jurisdictions}
}

# METADATA
# description: |
#   Pointers at the classes of data that the organisation does not list, and at the data itself where
#   it is not known and the organisation restricts any class.
missing_classes(resource) := array.concat(not_listed, not_known) if {
	not_listed := [pointer |
		some index, item in resource.data
		object.get(_classes, item.class, null) == null
		pointer := sprintf("/data/%d/class", [index])
	]
	not_known := ["/data" | resource.unknown["/data"]; _restricts_any_class]
}

# METADATA
# description: True if a class may be at the place; a place without a known country satisfies no list of countries.
permits(restriction, place) if {
	place.country in restriction.countries
} else if {
	some jurisdiction in place.jurisdictions
	jurisdiction in restriction.jurisdictions
}

# METADATA
# description: Where a class may be, in words.
allowed(restriction) := concat(", ", array.concat(restriction.jurisdictions, restriction.countries))

_classes := object.get(data.org, "data_classes", {})

_restricts_any_class if {
	some name, _ in _classes
	restrictions({"data": [{"class": name}]}) != set()
}
