# METADATA
# title: Size of one resource
# description: Keeps one resource within what its team may take at once.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.size

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.limits
import data.policies.lib.owners
import data.policies.lib.unknowns

# METADATA
# title: Resource stays within the team's accelerator limit
# description: |
#   Counts the accelerators, or slices of accelerators, of one resource at its largest size.
#   A team without a limit of its own has the organisation's default.
#   An update that takes no more than before is left alone.
# custom:
#   code: GPU-001
#   severity: high
#   message: "`{resource}` takes up to {asked} accelerators; team `{team}` may take {limit} at once"
#   remedy: Lower the count or the autoscaling maximum to {limit}, or ask the platform team for a larger limit.
#   undetermined: "it cannot be told whether `{resource}` stays within its team's limit of accelerators; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.total
#     - before
#     - change
#     - ownership.team
#   tables:
#     - catalog.instance_types
#     - org.limits.accelerators_per_resource
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-001", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "asked": asked, "limit": limit, "exceeds": true} in _taken
	not accelerators.does_not_grow(resource)

	facts := {"asked": asked.known, "team": owners.shown(resource.ownership.team), "limit": limit}
}

deny contains {"code": "GPU-001", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "asked": asked, "limit": limit, "exceeds": false} in _taken

	counts := [pointer | limit != null; some pointer in asked.missing]
	teams := ["/ownership/team" | resource.ownership.team == null; _team_may_lower(resource, asked)]
	missing := array.concat(counts, teams)
	missing != []
}

_taken := [{"resource": resource, "asked": asked, "limit": limit, "exceeds": exceeds} |
	some resource in input.resources
	resource.accelerators != []
	asked := accelerators.total(resource)
	limit := limits.accelerators(resource.ownership.team)
	exceeds := [limit != null, asked.known > limit] == [true, true]
	[exceeds, asked.missing, resource.unknown] != [false, [], {}]
	changes.takes(resource)
]

# A team whose name is still to come may have a lower limit than the default that stands in for it.
_team_may_lower(resource, asked) if {
	unknowns.holds(resource, "/ownership/team")
	limits.some_team_may_take_fewer_than(asked.known)
	not accelerators.does_not_grow(resource)
}
