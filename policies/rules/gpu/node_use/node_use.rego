# METADATA
# title: Use of accelerator nodes
# description: Keeps workloads that need no accelerators off the nodes that have them.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.node_use

import data.policies.lib.changes
import data.policies.lib.clusters
import data.policies.lib.unknowns

# METADATA
# title: Workload without accelerators stays off accelerator nodes
# description: |
#   Nodes with accelerators carry a taint so that only pods that ask for accelerators run there. A pod
#   without accelerators that tolerates it, or every taint, takes processors and memory from those
#   that wait, and one pod is enough to block a domain of accelerators that are only of use together.
#   Known taints are those that device plugins and clouds use, and those that the organisation states
#   for the cluster. DaemonSets run on every node for a reason, and are left alone.
# related_resources:
#   - ref: https://github.com/marin-community/marin/issues/8249
#   - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
# custom:
#   code: GPU-017
#   severity: medium
#   mode: warn
#   message: "`{resource}` asks for no accelerators and tolerates {tolerated}, so that it may run on accelerator nodes"
#   remedy: Drop the toleration, or give the workload a node selector that keeps it on other nodes.
#   undetermined: "it cannot be told whether `{resource}` may take accelerator nodes without accelerators; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - kind
#     - part_of.kind
#     - placement.tolerations
#     - role
#     - scope.cluster
#   tables:
#     - org.hygiene.clusters
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-017", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	resource.accelerators == []
	resource.placement.tolerations != []
	tolerated := _tolerated(resource)
	tolerated != []

	facts := {"tolerated": concat(", ", tolerated)}
}

deny contains {"code": "GPU-017", "resource": resource.address, "undetermined": ["/accelerators"]} if {
	some resource in input.resources
	resource.accelerators == null
	not _counted_elsewhere(resource)
	_tolerated(resource) != []
}

deny contains {"code": "GPU-017", "resource": resource.address, "undetermined": ["/placement/tolerations"]} if {
	some resource in input.resources
	resource.accelerators == []
	resource.placement.tolerations == []
	resource.role == "workload"
	unknowns.holds(resource, "/placement/tolerations")
	changes.takes(resource)
}

_tolerated(resource) := [words |
	resource.role == "workload"
	changes.takes(resource)
	_chooses_its_nodes(resource)
	some key in resource.placement.tolerations
	words := _words(resource, key)
	words != ""
]

_words(resource, key) := "every taint" if {
	key in {"*", "*:NoSchedule"}
} else := sprintf("the taint %s", [key]) if {
	_is_of_accelerators(resource, key)
} else := ""

_is_of_accelerators(resource, key) if {
	key in {
		"nvidia.com/gpu",
		"amd.com/gpu",
		"google.com/tpu",
		"aws.amazon.com/neuron",
		"aws.amazon.com/neuroncore",
		"habana.ai/gaudi",
	}
} else if {
	some keys in object.get(clusters.facts(resource, input.scope), "taints", {})
	key in keys
}

# Claims of Dynamic Resource Allocation ask for accelerators in another object.
_counted_elsewhere(resource) if {
	some reason in unknowns.reasons(resource, "/accelerators")
	reason == "elsewhere"
}

_chooses_its_nodes(resource) if {
	kinds := [kind |
		some kind in [resource.kind, object.get(_owner(resource), "kind", "")]
		kind == "DaemonSet"
	]
	kinds == []
}

_owner(resource) := resource.part_of if resource.part_of != null

else := {}
