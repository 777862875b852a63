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
#   undetermined: "it is not known whether `{resource}` keeps its data where it may be: {missing} is not known"
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
deny contains {"code": "RES-001", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	changes.takes(resource)
	some data_class in residency.restricted_classes(resource)
	rule := residency.class_rule(data_class)
	some place in residency.places(resource)
	_outside(rule, place)

	facts := {
		"data_class": data_class,
		"region": place.region,
		"country": place.country,
		"allowed": residency.allowed(rule),
	}
}

deny contains {"code": "RES-001", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	changes.takes(resource)

	missing := array.concat(residency.missing_classes(resource), _missing_places(resource))
	count(missing) > 0
}

_outside(rule, place) if {
	place.country != null
	not residency.permits(rule, place)
}

_missing_places(resource) := array.concat(_no_places(resource), _no_countries(resource))

_no_places(resource) := ["/places" |
	count(residency.restricted_classes(resource)) > 0
	count(residency.places(resource)) == 0
]

_no_countries(resource) := sort({pointer |
	some data_class in residency.restricted_classes(resource)
	rule := residency.class_rule(data_class)
	some index, place in residency.places(resource)
	place.country == null
	not residency.permits(rule, place)
	pointer := sprintf("/places/%d/country", [index])
})
