# METADATA
# title: Tensor parallelism
# description: Keeps the split of each layer among accelerators to one that works, and to accelerators that a fast link joins.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.parallelism

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.topology
import data.policies.lib.unknowns

# METADATA
# title: Tensor-parallel degree divides the attention heads
# description: |
#   Each accelerator of a tensor-parallel group takes whole attention heads, so their number must be
#   divisible by the degree; servers and trainers stop at the start where it is not. Key-value heads
#   are shared out evenly or copied whole.
#   Where SGLang is given data parallelism it may divide attention by another number than the rest,
#   and nothing is said.
# custom:
#   code: GPU-006
#   severity: medium
#   message: "`{resource}` splits each layer over {degree} accelerators, by which the {heads} of its model cannot be divided"
#   remedy: Use one of the tensor-parallel degrees that divide the heads ({degrees}), and pipeline or data parallelism beyond it.
#   undetermined: "it cannot be told whether the tensor-parallel degree of `{resource}` divides the heads of its model; not known: {missing}"
#   fields:
#     - change
#     - fit.attention
#     - fit.attention_heads
#     - fit.kv_heads
#     - model.data_parallel
#     - model.id
#     - model.tensor_parallel
#     - accelerators
#   tables:
#     - catalog.models
#   adapters:
#     - kubernetes
#     - terraform
# related_resources:
#   - ref: https://github.com/vllm-project/vllm/issues/11797
deny contains {"code": "GPU-006", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "degree": degree} in _split
	heads := topology.uneven(resource.fit, degree)
	heads != ""
	not _divides_attention_otherwise(resource)

	facts := {"degree": degree, "heads": heads, "degrees": concat(", ", _degrees(resource.fit))}
}

deny contains {"code": "GPU-006", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "degree": degree} in _split
	topology.uneven(resource.fit, degree) == ""
	_names_a_model(resource)
	missing := topology.missing_heads(resource.fit)
	missing != []
}

deny contains {"code": "GPU-006", "resource": resource.address, "undetermined": ["/model/tensor_parallel"]} if {
	some resource in _not_seen
}

# METADATA
# title: Tensor-parallel group stays behind one fast link
# description: |
#   Tensor parallelism exchanges the results of every layer: over a network, or over PCIe, each token
#   waits for it. Compares the degree with the accelerators that the fast link of the instance type
#   joins (those of the node; 72 in an NVL72 rack), or of the accelerator where no instance type is
#   stated. Accelerators without such a link may be split over as many as
#   `gpu.tensor_parallel_without_link` says, 2 unless the organisation states it.
# custom:
#   code: GPU-007
#   severity: medium
#   mode: warn
#   message: "`{resource}` splits each layer over {degree} accelerators; {link}"
#   remedy: Keep the tensor-parallel degree within {most}, and spread the model further by pipeline parallelism.
#   undetermined: "it cannot be told whether a fast link joins the accelerators over which `{resource}` splits each layer; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - fit.scale_up_domain
#     - model.tensor_parallel
#   tables:
#     - catalog.accelerators
#     - catalog.instance_types
#     - org.gpu
#   adapters:
#     - kubernetes
#     - terraform
# related_resources:
#   - ref: https://docs.vllm.ai/en/stable/serving/parallelism_scaling/
deny contains {"code": "GPU-007", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "degree": degree} in _split
	domain := resource.fit.scale_up_domain
	domain != null
	most := _most(domain)
	degree > most

	facts := {"degree": degree, "link": _link(accelerators.label(resource), domain), "most": most}
}

deny contains {"code": "GPU-007", "resource": resource.address, "undetermined": ["/fit/scale_up_domain"]} if {
	some {"resource": resource, "degree": degree} in _split
	resource.fit.scale_up_domain == null
	degree > _without_link
}

deny contains {"code": "GPU-007", "resource": resource.address, "undetermined": ["/model/tensor_parallel"]} if {
	some resource in _not_seen
}

_split := [{"resource": resource, "degree": degree} |
	some resource in input.resources
	degree := resource.model.tensor_parallel
	degree != null
	degree > 1
	resource.accelerators != []
	changes.takes(resource)
]

_not_seen := [resource |
	some resource in input.resources
	resource.model.tensor_parallel == null
	resource.unknown != {}
	resource.accelerators != []
	unknowns.holds(resource, "/model/tensor_parallel")
	changes.takes(resource)
]

# `--dp-size` of SGLang, with `--enable-dp-attention`, takes accelerators out of the tensor-parallel group.
_divides_attention_otherwise(resource) if {
	object.get(resource.provenance, "/model/data_parallel", "") == "inferred:sglang"
	resource.model.data_parallel != null
	resource.model.data_parallel > 1
}

_names_a_model(resource) if resource.model.id != null

_names_a_model(resource) if unknowns.holds(resource, "/model/id")

_degrees(fit) := [sprintf("%d", [degree]) |
	some degree in [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 32]
	topology.uneven(fit, degree) == ""
]

_most(domain) := domain if domain > 1

_most(domain) := _without_link if domain <= 1

_without_link := object.get(data.org, ["gpu", "tensor_parallel_without_link"], 2)

_link(label, domain) := sprintf("the fast link of %s joins %d", [label, domain]) if domain > 1

_link(label, domain) := sprintf("%s has no fast link to others", [label]) if domain <= 1
