# METADATA
# title: Country of data
# description: Keeps classes of data inside the countries and jurisdictions they may be in.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.country

import data.policies.lib.changes
import data.policies.lib.residency

# METADATA
# title: Data stays inside its jurisdictions
# description: |
#   Every place where a resource may end up has to lie in a country, or in one of the jurisdictions,
#   that the organisation states for each class of data the resource holds or processes.
#   Countries come from the vendor's region by the catalog, never from the name of the region.
#   A class without countries and jurisdictions may be anywhere; a class the organisation does not
#   list cannot be judged.
# custom:
#   code: RES-001
#   severity: critical
#   message: "`{resource}` may put `{data_class}` data into {region} ({country}); it may only be in {allowed}"
#   remedy: Choose a region in {allowed}, or take `{data_class}` data out of it.
#   undetermined: "it cannot be told whether `{resource}` keeps its data where it may be; not known: {missing}"
#   fields:
#     - change
#     - data
#     - places
#   tables:
#     - catalog.countries
#     - catalog.regions
#     - org.data_classes
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "RES-001", "resource": held.resource.address, "facts": facts} if {
	some held in _held
	held.resource.places != null
	some restriction in held.restrictions
	some place in held.resource.places
	_outside(restriction, place)

	facts := {
		"data_class": restriction.data_class,
		"region": place.region,
		"country": place.country,
		"allowed": residency.allowed(restriction),
	}
}

deny contains {"code": "RES-001", "resource": held.resource.address, "undetermined": missing} if {
	some held in _held

	places := sort({pointer |
		some restriction in held.restrictions
		some pointer in _not_known(restriction, held.resource.places)
	})
	missing := array.concat(residency.missing_classes(held.resource), places)
	missing != []
}

_held := [{"resource": resource, "restrictions": residency.restrictions(resource)} |
	some resource in input.resources
	_may_hold_data(resource)
	changes.takes(resource)
]

_may_hold_data(resource) if resource.data != []

else if resource.unknown["/data"]

_outside(restriction, place) if {
	place.country != null
	not residency.permits(restriction, place)
}

_not_known(restriction, places) := [pointer |
	some index, place in places
	place.country == null
	not residency.permits(restriction, place)
	pointer := sprintf("/places/%d/country", [index])
] if {
	places != null
	places != []
} else := ["/places"]
