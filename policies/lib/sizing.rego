# METADATA
# title: Memory of a served model
# description: |
#   What one copy of a model certainly needs, and what its accelerators offer, in MiB.
#   Every figure errs on the side of the workload: needs are rounded down, and memory that a server
#   takes besides weights and cache (activations, graphs, communication buffers) is not counted.
package policies.lib.sizing

import data.policies.lib.whole

# The share of an accelerator's memory that a server takes when nothing else is said:
# `gpu_memory_utilization` of vLLM (vllm/config/cache.py). What other users of the device need,
# 3.5 GiB by aiconfigurator's measure (aic-core systems/*.yaml, "other"), lies outside of it.
_default_percent := 92

# Larger figures than any that exist are cut here, so that every product stays below 2^53.
_most_params_m := 100000000

_most_bits := 64

_most_token_bits := 90000000

_most_tokens := 100000000

_most_mib := 10000000

_most_accelerators := 1000000

_bits_per_mib := 8388608

# METADATA
# description: |
#   The parts that one copy certainly needs, each with its words and its MiB: the weights
#   (parameters x bits / 8, stas00/ml-engineering training/performance) and the cache of one sequence.
#   A cache size that is only an upper bound, or whose inputs are not known, is no part of it.
parts(resource) := array.concat(_weights(resource), _sequence(resource))

# METADATA
# description: The MiB that one copy certainly needs.
certain_mib(resource) := sum([part.mib | some part in parts(resource)])

# METADATA
# description: The tokens of one sequence, as declared or as long as the model allows; null where neither is known.
tokens(resource) := resource.model.context_tokens if resource.model.context_tokens != null

tokens(resource) := resource.fit.max_context_tokens if resource.model.context_tokens == null

# METADATA
# description: The percentage of an accelerator's memory that the server takes.
percent(resource) := resource.model.memory_percent if resource.model.memory_percent != null

percent(resource) := _default_percent if resource.model.memory_percent == null

# METADATA
# description: The usable MiB of all accelerators of one copy; null where the count or the memory is not known.
memory_mib(resource) := null if count(_missing_memory(resource)) > 0

memory_mib(resource) := mib * accelerators if {
	count(_missing_memory(resource)) == 0
	mib := min([resource.fit.usable_mib, _most_mib])
	accelerators := min([resource.fit.accelerators_per_copy, _most_accelerators])
}

# METADATA
# description: Pointers at what has to be known to say whether one copy fits.
missing(resource) := array.concat(
	_missing_memory(resource),
	array.concat(_missing_weights(resource), _missing_sequence(resource)),
)

_weights(resource) := [{"what": "its weights", "mib": mib} |
	count(_missing_weights(resource)) == 0
	bits := (min([resource.model.params_m, _most_params_m]) * 1000000) * min([resource.fit.weight_bits, _most_bits])
	mib := whole.quotient(bits, _bits_per_mib)
]

_sequence(resource) := [{"what": what, "mib": mib} |
	count(_missing_sequence(resource)) == 0
	resource.fit.kv_is_upper_bound == false
	token_bits := min([resource.fit.kv_values_per_token, _most_token_bits]) * min([resource.fit.kv_bits, _most_bits])
	bits := min([token_bits, _most_token_bits]) * min([tokens(resource), _most_tokens])
	mib := whole.quotient(bits, _bits_per_mib)
	what := sprintf("one sequence of %d tokens", [tokens(resource)])
]

_missing_memory(resource) := _absent([
	{"at": "/fit/usable_mib", "value": resource.fit.usable_mib},
	{"at": "/fit/accelerators_per_copy", "value": resource.fit.accelerators_per_copy},
])

_missing_weights(resource) := _absent([
	{"at": "/model/params_m", "value": resource.model.params_m},
	{"at": "/fit/weight_bits", "value": resource.fit.weight_bits},
])

_missing_sequence(resource) := _absent([
	{"at": "/fit/kv_values_per_token", "value": resource.fit.kv_values_per_token},
	{"at": "/fit/kv_is_upper_bound", "value": resource.fit.kv_is_upper_bound},
	{"at": "/fit/kv_bits", "value": resource.fit.kv_bits},
	{"at": "/model/context_tokens", "value": tokens(resource)},
])

_absent(leaves) := [leaf.at |
	some leaf in leaves
	leaf.value == null
]
