# METADATA
# title: Locations in several countries
# description: Keeps restricted data out of locations of which nobody can say in which country they are.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.location

import data.policies.lib.changes
import data.policies.lib.residency
import data.policies.lib.unknowns

# METADATA
# title: Restricted data is in a location with a single country
# description: |
#   A multi-region, a `global` endpoint or a logical location has no single country, and the vendor may
#   change what belongs to it. Data that may not be everywhere is not in one, unless the organisation
#   lists the location for the class in `residency.accepted_locations`.
#   A location that the catalog does not know at all is left to RES-001 and RES-004.
# related_resources:
#   - ref: https://cloud.google.com/storage/docs/locations
#     description: Google Cloud documentation, bucket locations
# custom:
#   code: RES-005
#   severity: high
#   message: "`{resource}` may put `{data_class}` data into {region}, a {kind} location without a single country, which is not accepted for it; it may only be in {allowed}"
#   remedy: Choose a single region in {allowed}, or have `{region}` of `{vendor}` listed for `{data_class}` data in `residency.accepted_locations`.
#   undetermined: "it cannot be told whether `{resource}` keeps its data in one country; not known: {missing}"
#   fields:
#     - change
#     - data
#     - places
#     - vendor
#   tables:
#     - catalog.regions
#     - org.data_classes
#     - org.residency.accepted_locations
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "RES-005", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "index": _, "place": place} in _without_a_country
	place.kind != null
	some item in resource.data
	"scattered" in residency.standings(item, place, resource)
	not _accepts(item, place, resource)

	facts := {
		"data_class": item.class,
		"region": place.region,
		"kind": place.kind,
		"allowed": _strictest(item),
		"vendor": resource.vendor,
	}
}

deny contains {"code": "RES-005", "resource": resource.address, "undetermined": [pointer]} if {
	some {"resource": resource, "index": index, "place": place} in _without_a_country
	place.kind == null
	pointer := sprintf("/places/%d/kind", [index])
	unknowns.holds(resource, pointer)
	some item in resource.data
	"unknown" in residency.standings(item, place, resource)
}

_without_a_country := [{"resource": resource, "index": index, "place": place} |
	some resource in input.resources
	resource.data != []
	resource.places != null
	changes.takes(resource)
	some index, place in resource.places
	place.country == null
]

_accepts(item, place, resource) if {
	resource.vendor != null
	accepted := object.get(data.org, ["residency", "accepted_locations", resource.vendor], {})
	item.class in object.get(accepted, place.region, [])
}

_strictest(item) := concat("; ", {residency.words(option) |
	some option in residency.options(item)
	not residency.allows_any(option)
})
