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
#   list cannot be judged. Copies are left to RES-004, places without a single country to RES-005,
#   conditions of adequacy to RES-008, and what depends on the asset to RES-009.
# custom:
#   code: RES-001
#   severity: critical
#   message: "`{resource}` may put `{data_class}` data into {region} ({country}); it may only be in {allowed}"
#   remedy: Choose a region in {allowed}, or take `{data_class}` data out of it.
#   undetermined: "it cannot be told whether `{resource}` keeps its data where it may be; not known: {missing}"
#   fields:
#     - change
#     - data
#     - operator
#     - places
#   tables:
#     - catalog.countries
#     - catalog.regions
#     - org.data_classes
#     - org.residency.certified
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "RES-001", "resource": resource.address, "facts": facts} if {
	some resource in _held
	resource.places != null
	some item in resource.data
	some place in resource.places
	not residency.is_copy(place)
	residency.standings(item, place, resource) == {"outside"}

	facts := {
		"data_class": item.class,
		"region": place.region,
		"country": place.country,
		"allowed": residency.allowed(item),
	}
}

deny contains {"code": "RES-001", "resource": resource.address, "undetermined": missing} if {
	some resource in _held

	missing := array.concat(residency.missing_classes(resource), _missing_places(resource))
	missing != []
}

_held := [resource |
	some resource in input.resources
	_may_hold_data(resource)
	changes.takes(resource)
]

_may_hold_data(resource) if resource.data != []

else if resource.unknown["/data"]

_missing_places(resource) := sort({pointer |
	some item in resource.data
	some index, place in resource.places
	not residency.is_copy(place)
	"unknown" in residency.standings(item, place, resource)
	pointer := sprintf("/places/%d/country", [index])
}) if {
	resource.places != null
	resource.places != []
} else := ["/places" | residency.restricted(resource) != set()]
