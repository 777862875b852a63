# METADATA
# title: Software stack
# description: Keeps images on the accelerators that they are built for.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.software

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.images
import data.policies.lib.unknowns

# METADATA
# title: Image and accelerators have the same software stack
# description: |
#   Compares the stack that the names of images tell (CUDA, ROCm, XLA, Neuron, Gaudi, oneAPI) with
#   that of the accelerators.
#   A workload with one image that fits may have others that do not: those may need no accelerator.
#   A name is no proof, so this is a warning; names that tell nothing are left alone.
# custom:
#   code: GPU-012
#   severity: medium
#   mode: warn
#   message: "`{resource}` runs on {label} (software stack {stack}) and its image `{image}` is built for {built_for}, as its name says"
#   remedy: Choose the image that is built for {stack}, or accelerators that run {built_for}.
#   undetermined: "it cannot be told whether the images of `{resource}` are built for its accelerators; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - images
#     - software_stack
#   tables:
#     - catalog.accelerators
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-012", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "named": named} in _misfits
	resource.software_stack != null

	first := named[0]
	facts := {
		"label": accelerators.label(resource),
		"stack": resource.software_stack,
		"image": first.image,
		"built_for": first.stack,
	}
}

deny contains {"code": "GPU-012", "resource": resource.address, "undetermined": ["/software_stack"]} if {
	some {"resource": resource, "named": _} in _misfits
	resource.software_stack == null
}

deny contains {"code": "GPU-012", "resource": resource.address, "undetermined": ["/images"]} if {
	some resource in input.resources
	resource.role == "workload"
	resource.images == []
	resource.accelerators != []
	unknowns.holds(resource, "/images")
	changes.takes(resource)
}

_misfits := [{"resource": resource, "named": named} |
	some resource in input.resources
	resource.accelerators != []
	resource.images != []
	not _can_only_fit(resource)
	changes.takes(resource)
	named := [{"image": image, "stack": stack} |
		some image in resource.images
		stack := images.stack(image)
		stack != ""
	]
	named != []
	not _one_fits(named, resource)
]

# A comparison that spares most the reading of names, word by word.
_can_only_fit(resource) if {
	resource.software_stack == "cuda"
	images.name_nothing_but_cuda(resource.images)
}

_one_fits(named, resource) if {
	resource.software_stack != null
	some one in named
	one.stack in split(resource.software_stack, ",")
}
