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
#   undetermined: "it is not known whether `{resource}` fits its accelerators: {missing} is not known"
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
#     - index.fit
#     - index.fit_by_stack
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-002", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	_does_not_fit(resource)

	needed := sizing.certain_mib(resource)
	memory := sizing.memory_mib(resource)
	percent := sizing.percent(resource)
	facts := {
		"needed_gib": whole.ceiling(needed, 1024),
		"parts": concat(" and ", [part.what | some part in sizing.parts(resource)]),
		"count": resource.fit.accelerators_per_copy,
		"label": accelerators.label(resource),
		"usable_gib": whole.quotient(memory * percent, 102400),
		"percent": percent,
		"memory_gib": whole.quotient(memory + 512, 1024),
		"suggestion": ladder.smallest(resource.software_stack, needed, percent),
	}
}

deny contains {"code": "GPU-002", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	_serves_on_accelerators(resource)
	not _does_not_fit(resource)

	missing := sizing.missing(resource)
	count(missing) > 0
}

_does_not_fit(resource) if {
	_serves_on_accelerators(resource)
	memory := sizing.memory_mib(resource)
	memory != null
	sizing.certain_mib(resource) * 100 > memory * sizing.percent(resource)
}

_serves_on_accelerators(resource) if {
	changes.takes(resource)
	resource.role == "workload"
	_serves(resource)
	_names_a_model(resource)
	accelerators.may_take(resource)
}

_serves(resource) if resource.purpose == null

_serves(resource) if resource.purpose == "inference"

_names_a_model(resource) if resource.model.id != null

_names_a_model(resource) if resource.model.params_m != null

_names_a_model(resource) if {
	some pointer in ["/model/id", "/model/params_m"]
	unknowns.holds(resource, pointer)
}
