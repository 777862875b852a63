# METADATA
# title: Memory of one copy
# description: Keeps models off accelerators that cannot hold them.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.memory

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.ladder
import data.policies.lib.sizing
import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# title: Model fits the accelerators of one copy
# description: |
#   Compares the weights of a served model, and the cache of one sequence of the longest length it
#   is served with, with the memory of the accelerators of one copy: what the driver reports, times
#   the percentage that the server takes (92 unless declared, as vLLM does).
#   A cache size that is only an upper bound (sliding windows, linear or hybrid layers) is never
#   held against a workload.
# custom:
#   code: GPU-002
#   severity: high
#   message: "`{resource}` needs {needed_gib} GiB for {parts}; {count} x {label} has {usable_gib} GiB usable ({percent} % of {memory_gib} GiB)"
#   remedy: Serve it on {suggestion}, spread each copy over more accelerators, or lower the precision or the context length.
#   undetermined: "it cannot be told whether the model of `{resource}` fits its accelerators; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - fit.accelerators_per_copy
#     - fit.kv_bits
#     - fit.kv_is_upper_bound
#     - fit.kv_values_per_token
#     - fit.max_context_tokens
#     - fit.usable_mib
#     - fit.weight_bits
#     - model.context_tokens
#     - model.id
#     - model.memory_percent
#     - model.params_m
#     - purpose
#     - role
#     - software_stack
#   tables:
#     - catalog.accelerators
#     - catalog.models
#     - index.fit
#     - index.fit_by_stack
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-002", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "copy": copy} in _served
	_does_not_fit(copy)

	facts := {
		"needed_gib": whole.ceiling(copy.need_mib, 1024),
		"parts": concat(" and ", [part.what | some part in copy.parts]),
		"count": resource.fit.accelerators_per_copy,
		"label": accelerators.label(resource),
		"usable_gib": whole.quotient(copy.memory_mib * copy.percent, 102400),
		"percent": copy.percent,
		"memory_gib": whole.quotient(copy.memory_mib + 512, 1024),
		"suggestion": ladder.smallest(resource.software_stack, copy.need_mib, copy.percent),
	}
}

deny contains {"code": "GPU-002", "resource": resource.address, "undetermined": copy.missing} if {
	some {"resource": resource, "copy": copy} in _served
	copy.missing != []
	not _does_not_fit(copy)
}

_does_not_fit(copy) if {
	copy.memory_mib != null
	copy.need_mib * 100 > copy.memory_mib * copy.percent
}

_served := [{"resource": resource, "copy": sizing.copy(resource)} |
	some resource in input.resources
	resource.role == "workload"
	resource.purpose in {null, "inference"}
	resource.accelerators != []
	_names_a_model(resource)
	changes.takes(resource)
]

_names_a_model(resource) if {
	[resource.model.id, resource.model.params_m] != [null, null]
} else if {
	some pointer in ["/model/id", "/model/params_m"]
	unknowns.holds(resource, pointer)
}
