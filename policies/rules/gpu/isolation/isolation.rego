# METADATA
# title: Isolation of memory
# description: Keeps sensitive data off accelerators whose memory others can reach.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.isolation

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# title: Sensitive data has accelerators with memory of its own
# description: |
#   Data of a class that the organisation lists in `gpu.isolated_classes` needs whole accelerators or
#   MIG partitions. Time slicing, MPS and the fractions of HAMi, KAI and others share one memory: they
#   bound how much of it a process takes at best, and nothing erases it in between.
#   The fraction of a card that a cloud sells as an instance is a partition of the hypervisor, and
#   no finding.
# related_resources:
#   - ref: https://github.com/NVIDIA/k8s-device-plugin#shared-access-to-gpus
#   - ref: https://github.com/kai-scheduler/KAI-Scheduler/tree/main/docs/gpu-sharing
# custom:
#   code: GPU-013
#   severity: high
#   message: "`{resource}` has `{data_class}` data on {label}, whose memory is shared with others {how}"
#   remedy: Ask for whole accelerators or for MIG partitions, or keep data of the class out of this workload.
#   undetermined: "it cannot be told whether the accelerators of `{resource}` keep its data's memory apart; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.sharing
#     - change
#     - data
#     - role
#   tables:
#     - catalog.accelerators
#     - org.gpu.isolated_classes
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-013", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "listed": listed, "shared": shared} in _judged
	listed != []
	shared != []

	facts := {
		"data_class": concat(", ", listed),
		"how": concat(", ", shared),
		"label": accelerators.label(resource),
	}
}

deny contains {"code": "GPU-013", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "listed": listed, "shared": []} in _judged
	listed != []
	missing := _unknown_sharing(resource)
	missing != []
}

deny contains {"code": "GPU-013", "resource": resource.address, "undetermined": ["/data"]} if {
	some {"resource": resource, "listed": [], "shared": shared} in _judged
	unknowns.holds(resource, "/data")
	array.concat(shared, _unknown_sharing(resource)) != []
}

_judged := [{"resource": resource, "listed": listed, "shared": shared} |
	some resource in input.resources
	[resource.data, resource.unknown] != [[], {}]
	resource.accelerators != []
	_may_hold_data(resource)
	changes.takes(resource)
	classes := object.get(data.org, ["gpu", "isolated_classes"], [])
	classes != []
	listed := [item.class | some item in resource.data; item.class in classes]
	shared := _shared(resource)
]

_may_hold_data(resource) if {
	resource.data != []
} else if {
	unknowns.holds(resource, "/data")
}

_shared(resource) := [words |
	resource.accelerators != null
	some item in resource.accelerators
	words := object.get(_words, [resource.role, item.sharing], "")
	words != ""
]

_words := {
	"workload": {"time_sliced": "by time slicing or MPS", "fraction": "by fractions"},
	"capacity": {"time_sliced": "by time slicing or MPS"},
}

_unknown_sharing(resource) := [pointer |
	some index, item in resource.accelerators
	item.sharing == null
	pointer := sprintf("/accelerators/%d/sharing", [index])
] if {
	resource.accelerators != null
} else := ["/accelerators"]
