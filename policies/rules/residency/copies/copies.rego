# METADATA
# title: Copies of data
# description: Keeps the copies that a vendor makes where the data itself may be.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.copies

import data.policies.lib.changes
import data.policies.lib.residency
import data.policies.lib.unknowns

# METADATA
# title: Copies of data stay inside its jurisdictions
# description: |
#   Every target of replication has to lie where the data may be, and so has the other half of the
#   region's pair where the storage is geo-redundant. The vendor chooses the pair, and not by borders:
#   that of Azure's `brazilsouth` is in Texas.
# related_resources:
#   - ref: https://learn.microsoft.com/en-us/azure/reliability/regions-paired
#     description: Azure documentation, region pairs
# custom:
#   code: RES-004
#   severity: critical
#   message: "`{resource}` keeps a copy of its `{data_class}` data in {region} ({country}), {why}; it may only be in {allowed}"
#   remedy: Replicate to a region in {allowed}, or keep the copies in the region itself (zone-redundant storage).
#   undetermined: "it cannot be told whether `{resource}` keeps copies of its data where they may be; not known: {missing}"
#   fields:
#     - change
#     - data
#     - geo_redundant
#     - operator
#     - places
#     - region
#     - replication
#   tables:
#     - catalog.countries
#     - catalog.regions
#     - org.data_classes
#     - org.residency.certified
#   adapters:
#     - terraform
deny contains {"code": "RES-004", "resource": resource.address, "facts": facts} if {
	some resource in _held
	resource.places != null
	some item in resource.data
	some place in resource.places
	residency.is_copy(place)
	residency.standings(item, place, resource) == {"outside"}

	facts := {
		"data_class": item.class,
		"region": place.region,
		"country": place.country,
		"why": _why(place, resource),
		"allowed": residency.allowed(item),
	}
}

deny contains {"code": "RES-004", "resource": resource.address, "undetermined": missing} if {
	some resource in _held

	missing := array.concat(_missing_countries(resource), _missing_copies(resource))
	missing != []
}

_held := [resource |
	some resource in input.resources
	resource.data != []
	changes.takes(resource)
]

_why(place, resource) := sprintf("the pair of %s", [resource.region]) if {
	place.use == "paired"
	resource.region != null
} else := "to which it is replicated"

_missing_countries(resource) := sort({pointer |
	resource.places != null
	some item in resource.data
	some index, place in resource.places
	residency.is_copy(place)
	"unknown" in residency.standings(item, place, resource)
	pointer := sprintf("/places/%d/country", [index])
})

# Copies that somebody asked for, or may have asked for, and of which no place is known.
_missing_copies(resource) := [pointer |
	some pointer in ["/geo_redundant", "/replication", "/places"]
	_leaves_open(resource, pointer)
	residency.restricted(resource) != set()
]

_leaves_open(resource, pointer) if {
	pointer != "/places"
	unknowns.holds(resource, pointer)
}

_leaves_open(resource, "/places") if {
	resource.places in [null, []]
	_asks_for_copies(resource)
}

_asks_for_copies(resource) if {
	resource.replication != []
} else if {
	resource.geo_redundant == true
}
