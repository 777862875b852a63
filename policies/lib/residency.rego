# METADATA
# title: Residency
# description: |
#   Where the organisation allows the data of a resource to be.
#   An item of data is its class and, where that is declared, the asset: a class may have other places
#   for weights, training data, prompts or logs. An item without an asset may be any of them.
package policies.lib.residency

# METADATA
# description: The classes of data of a resource that may not be everywhere, as at least one asset.
restricted(resource) := {item.class |
	some item in resource.data
	some option in options(item)
	not allows_any(option)
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
# description: |
#   The allowed places that may be those of an item: one for an asset that is declared, else those of
#   the class and of each asset that has its own. A class that is not listed may be anywhere.
options(item) := [object.get(entry, ["assets", item.asset], entry)] if {
	item.asset != null
	entry := object.get(_classes, item.class, {})
} else := array.concat([entry], [places | some places in object.get(entry, "assets", {})]) if {
	entry := object.get(_classes, item.class, {})
}

# METADATA
# description: |
#   How the places that may be those of an item stand to one place where it may end up, each as
#   `inside`, `outside`, `scattered` (the place has no single country), `unknown` (its country is not
#   known) or `certified` (a jurisdiction holds there for operators that the organisation has listed).
standings(item, place, resource) := {_standing(option, place, resource) | some option in options(item)}

# METADATA
# description: |
#   The organisation's proofs that the operator of a resource meets the condition of a jurisdiction
#   which would make the place an allowed one. An operator that is not known may be any of them.
certificates(option, place, resource) := [certificate |
	some jurisdiction in place.conditional
	jurisdiction in object.get(option, "jurisdictions", [])
	some certificate in object.get(data.org, ["residency", "certified"], [])
	certificate.jurisdiction == jurisdiction
	certificate.country == place.country
	resource.operator in {null, certificate.operator}
]

# METADATA
# description: True if the place holds a copy, and is not where the resource itself was put.
is_copy(place) if place.use in {"paired", "replication"}

# METADATA
# description: True if the allowed places are not limited.
allows_any(option) if {
	count(object.get(option, "countries", [])) == 0
	count(object.get(option, "jurisdictions", [])) == 0
}

# METADATA
# description: Where an item may be, in words; those of the class where it may be any asset.
allowed(item) := words(options(item)[0])

# METADATA
# description: Allowed places in words.
words(option) := concat(", ", array.concat(jurisdictions, countries)) if {
	jurisdictions := object.get(option, "jurisdictions", [])
	countries := object.get(option, "countries", [])
	count(jurisdictions) + count(countries) > 0
} else := "any place"

_standing(option, place, resource) := "inside" if {
	_permits(option, place)
} else := "scattered" if {
	place.kind in {"global", "logical", "multi-region"}
} else := "unknown" if {
	place.country == null
} else := "certified" if {
	certificates(option, place, resource) != []
} else := "outside"

# A place without a known country satisfies no list of countries.
_permits(option, place) if {
	allows_any(option)
} else if {
	place.country in object.get(option, "countries", [])
} else if {
	some jurisdiction in place.jurisdictions
	jurisdiction in object.get(option, "jurisdictions", [])
}

_classes := object.get(data.org, "data_classes", {})

_restricts_any_class if {
	some name, _ in _classes
	restricted({"data": [{"class": name, "asset": null}]}) != set()
}
