# METADATA
# title: Spot capacity
# description: Keeps what must not stop off capacity that its vendor may take back.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.spot

import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# title: Purpose does not run on spot capacity
# description: |
#   Spot capacity ends at a notice of seconds to minutes. The organisation says which purposes must
#   not meet that; whatever somebody waits for the answers of is one of them.
#   A purpose that nobody declares is none of them.
# custom:
#   code: BUD-004
#   severity: medium
#   mode: warn
#   message: "`{resource}` puts {what} on spot capacity, which its vendor may take back at any moment"
#   remedy: Ask for on-demand or reserved capacity, or keep enough of it beside the spot capacity in a resource of its own.
#   undetermined: "it cannot be told whether `{resource}` may run on spot capacity; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - latency_critical
#     - price_kind
#     - purpose
#   tables:
#     - org.budget.spot_forbidden_purposes
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-004", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	resource.price_kind == "spot"
	resource.accelerators != []
	changes.takes(resource)
	_must_not_stop(resource)

	facts := {"what": _words(resource)}
}

deny contains {"code": "BUD-004", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	resource.price_kind in {"spot", null}
	resource.accelerators != []
	resource.unknown != {}
	changes.takes(resource)

	missing := _doubts(resource)
	missing != []
}

_must_not_stop(resource) if {
	resource.latency_critical == true
} else if {
	resource.purpose in object.get(data.org, ["budget", "spot_forbidden_purposes"], [])
}

_doubts(resource) := ["/price_kind" | resource.price_kind == null; unknowns.holds(resource, "/price_kind")] if {
	_must_not_stop(resource)
} else := use if {
	resource.price_kind == "spot"
	use := _unknown_use(resource)
} else := array.concat(["/price_kind"], use) if {
	use := _unknown_use(resource)
	use != []
	unknowns.holds(resource, "/price_kind")
} else := []

_unknown_use(resource) := [pointer |
	some pointer in ["/purpose", "/latency_critical"]
	unknowns.holds(resource, pointer)
]

_words(resource) := resource.purpose if {
	resource.purpose != null
} else := "what people wait for"
