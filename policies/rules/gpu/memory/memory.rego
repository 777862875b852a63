# METADATA
# title: Memory of one copy
# description: Keeps models off accelerators that cannot hold them.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.memory

import data.policies.lib.ladder
import data.policies.lib.sizing
import data.policies.lib.whole

# METADATA
# title: Model fits the accelerators of one copy
# description: |
#   Compares the weights of a served model, and the cache of one sequence of the longest length it
#   is served with, with the memory of the accelerators of one copy: what the driver reports, times
#   the percentage that the server takes (92 unless declared, as vLLM does).
#   Layers with a sliding window keep no more tokens than it is wide. A cache size that is only an
#   upper bound (linear or hybrid layers) is never held against a workload.
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
#     - fit.window_kv_values_per_token
#     - fit.window_tokens
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
	sizing.does_not_fit(copy)

	facts := {
		"needed_gib": whole.ceiling(copy.need_mib, 1024),
		"parts": concat(" and ", [part.what | some part in sizing.parts(copy)]),
		"count": resource.fit.accelerators_per_copy,
		"label": sizing.label(resource),
		"usable_gib": whole.quotient(copy.memory_mib * copy.percent, 102400),
		"percent": copy.percent,
		"memory_gib": whole.quotient(copy.memory_mib + 512, 1024),
		"suggestion": ladder.smallest(resource.software_stack, copy.need_mib, copy.percent),
	}
}

deny contains {"code": "GPU-002", "resource": resource.address, "undetermined": copy.missing} if {
	some {"resource": resource, "copy": copy} in _served
	copy.missing != []
	not sizing.does_not_fit(copy)
}

_served := [{"resource": resource, "copy": sizing.copy(resource)} |
	some resource in input.resources
	sizing.serves(resource)
]
