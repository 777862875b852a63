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
#   undetermined: "`{resource}` may take more accelerators than its team's limit: {missing} is not known"
#   fields:
#     - accelerators
#     - accelerators.total
#     - before
#     - change
#     - ownership.team
#   tables:
#     - org.limits.accelerators_per_resource
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-001", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	_above_limit(resource)

	facts := {
		"asked": accelerators.total(resource).known,
		"team": owners.shown(resource.ownership.team),
		"limit": limits.accelerators(resource.ownership.team),
	}
}

deny contains {"code": "GPU-001", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	changes.takes(resource)
	not _above_limit(resource)
	not accelerators.does_not_grow(resource)

	missing := array.concat(_counts_missing(resource), _team_missing(resource))
	count(missing) > 0
}

_above_limit(resource) if {
	changes.takes(resource)
	limit := limits.accelerators(resource.ownership.team)
	limit != null
	accelerators.total(resource).known > limit
	not accelerators.does_not_grow(resource)
}

# Counts that are not known matter only where there is a limit.
_counts_missing(resource) := [pointer |
	limits.accelerators(resource.ownership.team) != null
	some pointer in accelerators.total(resource).missing
]

# A team whose name is still to come may have a lower limit than the default that stands in for it.
_team_missing(resource) := ["/ownership/team" |
	resource.ownership.team == null
	unknowns.holds(resource, "/ownership/team")
	limits.fewest_accelerators != null
	accelerators.total(resource).known > limits.fewest_accelerators
]
