# METADATA
# title: Whole nodes
# description: Keeps gangs of workers on whole nodes.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.nodes

import data.policies.lib.changes
import data.policies.lib.training
import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# title: Workers of a training gang take whole nodes
# description: |
#   A worker that takes a part of a node leaves the rest to others, or to nobody: its traffic leaves the
#   node where a fast link would have done, and the gang needs more nodes at once than it would.
#   Judged where the instance type is stated and the gang is declared to train.
# custom:
#   code: GPU-009
#   severity: low
#   mode: warn
#   message: "`{resource}` trains with {workers} workers of {each} accelerators; a node has {per_node}"
#   remedy: Give each worker all {per_node} accelerators of a node; {enough} workers then have as many in all.
#   undetermined: "it cannot be told whether the workers of `{resource}` take whole nodes; not known: {missing}"
#   fields:
#     - accelerators.per_worker
#     - accelerators.slice
#     - change
#     - fit.accelerators_per_node
#     - instance_type
#     - model.optimizer
#     - purpose
#     - workers_per_copy
#   tables:
#     - catalog.instance_types
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-009", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "each": each, "missing": []} in _gangs
	workers := resource.workers_per_copy
	per_node := resource.fit.accelerators_per_node
	each < per_node

	facts := {
		"workers": workers,
		"each": each,
		"per_node": per_node,
		"enough": whole.ceiling(min([workers, 1000000]) * min([each, 1000000]), per_node),
	}
}

deny contains {"code": "GPU-009", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "each": each, "missing": missing} in _gangs
	missing != []
	_may_be_part_of_a_node(each, resource.fit.accelerators_per_node)
}

_gangs := [{"resource": resource, "each": each, "missing": missing} |
	some resource in input.resources
	resource.role == "workload"
	resource.workers_per_copy != 1
	_may_be_gang(resource)
	_knows_its_nodes(resource)
	training.trains(resource)
	changes.takes(resource)
	each := _each(resource)
	missing := array.concat(training.purpose_missing(resource), [pointer |
		some {"at": pointer, "value": null} in [
			{"at": "/workers_per_copy", "value": resource.workers_per_copy},
			{"at": "/accelerators/0/per_worker", "value": each},
			{"at": "/fit/accelerators_per_node", "value": resource.fit.accelerators_per_node},
		]
	])
]

_may_be_gang(resource) if {
	resource.workers_per_copy != null
	resource.workers_per_copy > 1
}

_may_be_gang(resource) if unknowns.holds(resource, "/workers_per_copy")

_knows_its_nodes(resource) if resource.fit.accelerators_per_node != null

_knows_its_nodes(resource) if resource.instance_type != null

_knows_its_nodes(resource) if unknowns.holds(resource, "/fit/accelerators_per_node")

# Devices of one kind; of several kinds, and of parts of devices, a node's size does not tell.
_each(resource) := null if {
	resource.accelerators == null
} else := resource.accelerators[0].per_worker if {
	count(resource.accelerators) == 1
	resource.accelerators[0].slice == null
}

_may_be_part_of_a_node(each, _) if each == null

_may_be_part_of_a_node(_, per_node) if per_node == null

_may_be_part_of_a_node(each, per_node) if {
	[each != null, per_node != null] == [true, true]
	each < per_node
}
