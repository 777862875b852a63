# METADATA
# title: Shared memory
# description: Keeps processes of one pod from running out of the memory that they share.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.shared_memory

import data.policies.lib.changes
import data.policies.lib.topology
import data.policies.lib.training
import data.policies.lib.unknowns

# METADATA
# title: Pod with several accelerators has shared memory
# description: |
#   NCCL and RCCL pass data between the processes of a pod through segments of about 9 MiB each in
#   `/dev/shm`, and so do the loaders of training data. A container runtime gives 64 MiB, and the
#   process ends with `No space left on device`.
#   Looks at pods that serve or train over several accelerators, and that neither mount a volume there
#   nor share the node's. NVIDIA's manual of NCCL advises 1 GiB, which is what is asked for unless
#   `gpu.shared_memory_mib` says otherwise.
# custom:
#   code: GPU-016
#   severity: medium
#   mode: warn
#   message: "`{resource}` joins {each} accelerators in a pod with {shm_mib} MiB at `/dev/shm`; {least_mib} MiB are advised"
#   remedy: "Mount an `emptyDir` with `medium: Memory` at `/dev/shm` with a `sizeLimit` of {least_mib}Mi or more, and count it in the memory limit."
#   undetermined: "it cannot be told whether `{resource}` has enough memory at `/dev/shm`; not known: {missing}"
#   fields:
#     - accelerators.per_worker
#     - change
#     - model.data_parallel
#     - model.optimizer
#     - model.pipeline_parallel
#     - model.tensor_parallel
#     - placement.host_ipc
#     - placement.shm_mib
#     - purpose
#     - role
#     - software_stack
#   tables:
#     - org.gpu
#   adapters:
#     - kubernetes
# related_resources:
#   - ref: https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html
#   - ref: https://github.com/NVIDIA/nccl/issues/525
#   - ref: https://github.com/vllm-project/production-stack/issues/276
deny contains {"code": "GPU-016", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "each": each, "missing": []} in _short

	facts := {"each": each, "shm_mib": _shm_mib(resource), "least_mib": _least_mib}
}

deny contains {"code": "GPU-016", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "each": _, "missing": missing} in _short
	missing != []
}

_short := [{"resource": resource, "each": each, "missing": missing} |
	some resource in input.resources
	resource.role == "workload"
	resource.accelerators != []
	resource.placement.host_ipc != true
	_may_have_peers(resource)
	_is_pod(resource)
	_shm_mib(resource) < _least_mib
	each := _most(resource)
	each != 1
	_uses_nccl(resource.software_stack)
	joined := _joined(resource)
	joined != null
	changes.takes(resource)
	missing := array.concat(joined, [pointer |
		some {"at": pointer, "missing": true} in [
			{"at": "/accelerators", "missing": each == null},
			{"at": "/placement/host_ipc", "missing": resource.placement.host_ipc == null},
			{"at": "/placement/shm_mib", "missing": _has_volume(resource)},
		]
	])
]

# Of what runs as no pod nothing is said, or known, about namespaces.
# What says nothing of these is surely not joined with others: a comparison that spares most the rest.
_may_have_peers(resource) if {
	model := resource.model
	degrees := [model.tensor_parallel, model.pipeline_parallel, model.data_parallel]
	[degrees, resource.purpose, resource.unknown] != [[null, null, null], "inference", {}]
}

_is_pod(resource) if resource.placement.host_ipc == false

_is_pod(resource) if unknowns.holds(resource, "/placement/host_ipc")

_shm_mib(resource) := 64 if {
	resource.placement.shm_mib == null
} else := resource.placement.shm_mib

_has_volume(resource) if {
	topology.is_hidden(resource, resource.placement.shm_mib, "/placement/shm_mib")
} else := false

_least_mib := object.get(data.org, ["gpu", "shared_memory_mib"], 1024)

_most(resource) := null if {
	resource.accelerators == null
} else := null if {
	some item in resource.accelerators
	item.per_worker == null
} else := max([item.per_worker | some item in resource.accelerators])

# The libraries of CUDA and ROCm; an accelerator of which nothing is known is most often one of these.
_uses_nccl(stack) if stack in {"cuda", "rocm", "cuda,rocm", null}

# Pointers at what hides whether processes are joined; null where they are not.
_joined(resource) := [] if {
	some degree in [
		resource.model.tensor_parallel,
		resource.model.pipeline_parallel,
		resource.model.data_parallel,
	]
	degree != null
	degree > 1
} else := training.purpose_missing(resource) if {
	training.trains(resource)
} else := ["/model/tensor_parallel"] if {
	unknowns.holds(resource, "/model/tensor_parallel")
} else := null
