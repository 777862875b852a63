# METADATA
# title: Network between nodes
# description: Keeps training over several nodes on a network that is made for it.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.fabric

import data.policies.lib.changes
import data.policies.lib.topology
import data.policies.lib.training
import data.policies.lib.unknowns

# METADATA
# title: Training over several nodes has a network for it
# description: |
#   Gradients and weights pass between nodes at every step; over TCP that is several times slower
#   than over RDMA, and nothing says so: the libraries fall back in silence.
#   A node pool is reported if its instance type has no such network and it may grow beyond one node.
#   A gang of pods is reported if it has more accelerators than a node, or than a fast link joins, and
#   its instance type has no such network, or none is asked for: neither a device (`rdma/*`,
#   `vpc.amazonaws.com/efa`) nor a further network nor the network of the node.
#   A cluster may add the device on its own; the mode is `warn` unless the organisation states it.
#   Gaudi accelerators have their network on the chip and need not ask.
# custom:
#   code: GPU-008
#   severity: medium
#   mode: warn
#   message: "`{resource}` trains on several nodes and {reason}; they will talk over TCP"
#   remedy: Take an instance type with a network between its accelerators and let pods ask for it ({device}), or stay on one node.
#   undetermined: "it cannot be told whether the nodes that `{resource}` trains on have a network for it; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - fit.accelerators_per_copy
#     - fit.accelerators_per_node
#     - fit.fabric
#     - fit.scale_up_domain
#     - instance_type
#     - model.optimizer
#     - nodes
#     - placement.fabric
#     - placement.host_network
#     - purpose
#     - role
#     - software_stack
#     - vendor
#     - workers_per_copy
#   tables:
#     - catalog.accelerators
#     - catalog.instance_types
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-008", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "lacks": lacks, "missing": []} in _suspected

	facts := {"reason": _reason(resource, lacks), "device": _device(resource.vendor)}
}

deny contains {"code": "GPU-008", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "lacks": _, "missing": missing} in _suspected
	missing != []
}

_suspected := [{"resource": resource, "lacks": lacks, "missing": missing} |
	some resource in input.resources
	resource.accelerators != []
	training.trains(resource)
	changes.takes(resource)
	lacks := _lacks(resource)
	missing := array.concat(training.purpose_missing(resource), _missing(resource, lacks))
]

_lacks(resource) := "type" if {
	resource.role == "capacity"
	_may_be_many(resource.nodes.max)
	resource.fit.fabric in {"none", null}
} else := "type" if {
	resource.role == "workload"
	_may_span_nodes(resource)
	resource.fit.fabric == "none"
} else := "device" if {
	resource.role == "workload"
	resource.placement.fabric == null
	resource.software_stack != "gaudi"
	_may_keep_off_the_host_network(resource)
	_may_span_nodes(resource)
}

_may_be_many(nodes) if nodes == null

_may_be_many(nodes) if {
	nodes != null
	nodes > 1
}

# Only pods say whether they use the network of their node.
_may_keep_off_the_host_network(resource) if resource.placement.host_network == false

_may_keep_off_the_host_network(resource) if {
	topology.is_hidden(resource, resource.placement.host_network, "/placement/host_network")
}

_may_span_nodes(resource) if {
	resource.workers_per_copy != 1
	resource.fit.accelerators_per_copy != null
	resource.fit.accelerators_per_copy > topology.reach(resource)
}

_may_span_nodes(resource) if {
	resource.workers_per_copy != 1
	resource.fit.accelerators_per_copy == null
	_is_gang(resource)
}

_is_gang(resource) if resource.workers_per_copy != null

_is_gang(resource) if unknowns.holds(resource, "/workers_per_copy")

_missing(resource, lacks) := [pointer |
	some {"at": pointer, "when": true} in [
		{"at": "/nodes/max", "when": resource.nodes.max == null},
		{"at": "/fit/fabric", "when": resource.fit.fabric == null},
	]
] if {
	lacks == "type"
	resource.role == "capacity"
} else := array.concat(counts, ways) if {
	counts := [pointer |
		some {"at": pointer, "value": null} in [
			{"at": "/fit/accelerators_per_copy", "value": resource.fit.accelerators_per_copy},
			{"at": "/fit/accelerators_per_node", "value": resource.fit.accelerators_per_node},
			{"at": "/fit/scale_up_domain", "value": resource.fit.scale_up_domain},
		]
		_is_needed(resource, pointer)
	]
	ways := [pointer |
		lacks == "device"
		some pointer in ["/placement/fabric", "/placement/host_network"]
		unknowns.holds(resource, pointer)
	]
}

# A node size or a link that nobody states is taken for the usual one.
_is_needed(_, pointer) if pointer == "/fit/accelerators_per_copy"

_is_needed(resource, pointer) if unknowns.holds(resource, pointer)

_reason(resource, lacks) := sprintf("%s has no network for that", [resource.instance_type]) if {
	lacks == "type"
	resource.instance_type != null
}

_reason(resource, lacks) := "its instance type has no network for that" if {
	lacks == "type"
	resource.instance_type == null
}

_reason(_, lacks) := "asks for no network for that" if lacks == "device"

_device(vendor) := object.get(_devices, vendor, "an RDMA device such as rdma/ib")

# The pages "Manage EFA devices on Amazon EKS", "Use GPUDirect RDMA with InfiniBand" of CoreWeave and
# "Maximize GPU network bandwidth" of GKE.
_devices := {
	"aws": "vpc.amazonaws.com/efa",
	"coreweave": "rdma/ib",
	"gcp": "further networks by the annotation networking.gke.io/interfaces",
}
