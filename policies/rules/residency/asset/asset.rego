# METADATA
# title: Asset of data
# description: Keeps data whose places depend on what it is from passing for the least restricted kind.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.asset

import data.policies.lib.changes
import data.policies.lib.residency
import data.policies.lib.unknowns

# METADATA
# title: Data says which asset it is where its place depends on that
# description: |
#   A class of data may have other places for weights, training data, prompts or logs. Data of such a
#   class that does not say which of them it is counts as all of them, so the strictest decides.
#   Reports only what is allowed for one of them and not for another: what is allowed for all is
#   fine, and what is allowed for none is left to RES-001 and RES-004.
# custom:
#   code: RES-009
#   severity: high
#   message: "`{resource}` may put `{data_class}` data into {region} ({country}), which not every asset of that class may be in, and does not say which asset it is"
#   remedy: Declare what the data is with `portreeve.dev/data-asset` (weights, training, prompts or logs), or choose a region in {strictest}.
#   undetermined: "it cannot be told whether `{resource}` keeps its data where that asset may be; not known: {missing}"
#   fields:
#     - change
#     - data
#     - operator
#     - places
#   tables:
#     - org.data_classes
#     - org.residency.certified
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "RES-009", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "item": item, "pointer": pointer, "place": place} in _depending
	not unknowns.holds(resource, pointer)

	facts := {
		"data_class": item.class,
		"region": place.region,
		"country": place.country,
		"strictest": concat("; ", {residency.words(option) |
			some option in residency.options(item)
			not residency.allows_any(option)
		}),
	}
}

deny contains {"code": "RES-009", "resource": resource.address, "undetermined": [pointer]} if {
	some {"resource": resource, "item": _, "pointer": pointer, "place": _} in _depending
	unknowns.holds(resource, pointer)
}

_depending := [{
	"resource": resource,
	"item": item,
	"pointer": sprintf("/data/%d/asset", [index]),
	"place": place,
} |
	some resource in input.resources
	resource.data != []
	resource.places != null
	changes.takes(resource)
	some index, item in resource.data
	item.asset == null
	some place in resource.places
	standings := residency.standings(item, place, resource)
	"outside" in standings
	count(standings) > 1
]
