# METADATA
# title: Memory of a served model
# description: |
#   What one copy of a model certainly needs, and what its accelerators offer, in MiB.
#   Every figure errs on the side of the workload: needs are rounded down, and memory that a server
#   takes besides weights and cache (activations, graphs, communication buffers) is not counted.
package policies.lib.sizing

import data.policies.lib.unknowns

# METADATA
# description: |
#   One copy of the model that a resource serves; total for every dense document.
#   `parts` are those that it certainly needs, each with its words and its MiB: the weights
#   (parameters x bits / 8, stas00/ml-engineering training/performance) and the cache of one sequence,
#   which is left out where its size is only an upper bound. `need_mib` adds them up.
#   `memory_mib` is the usable memory of all accelerators of the copy, null where it is not known, and
#   `percent` the share of it that the server takes. `missing` points at what is not known.
#   What a tenant can state is cut far above anything that exists (10^8 million parameters, 10^8
#   tokens, 10^6 accelerators), so that every product stays below 2^53; 2^23 bits are a MiB.
copy(resource) := {
	"parts": parts,
	"need_mib": sum([part.mib | some part in parts]),
	"memory_mib": _memory_mib(resource.fit),
	"percent": percent,
	"missing": array.concat(_missing(resource, tokens), share_missing),
} if {
	fit := resource.fit
	tokens := _tokens(resource)
	percent := _percent(resource)
	share_missing := ["/model/memory_percent" | [resource.model.memory_percent, percent] == [null, 100]]
	weights := [{"what": "its weights", "mib": floor(bits / 8388608)} |
		resource.model.params_m != null
		fit.weight_bits != null
		bits := (min([resource.model.params_m, 100000000]) * 1000000) * fit.weight_bits
	]
	sequence := [{"what": sprintf("one sequence of %d tokens", [tokens]), "mib": floor(bits / 8388608)} |
		fit.kv_is_upper_bound == false
		fit.kv_values_per_token != null
		fit.kv_bits != null
		tokens != null
		bits := (fit.kv_values_per_token * fit.kv_bits) * min([tokens, 100000000])
	]
	parts := array.concat(weights, sequence)
}

# A length that will be declared and cannot be seen yet may be shorter than the longest.
_tokens(resource) := resource.model.context_tokens if {
	resource.model.context_tokens != null
} else := null if {
	unknowns.holds(resource, "/model/context_tokens")
} else := resource.fit.max_context_tokens

# 92 is what vLLM takes unless told otherwise: `gpu_memory_utilization`, vllm/config/cache.py. What
# other users of the device need (3.5 GiB, "other" in aiconfigurator's aic-core systems/*.yaml) lies
# outside of it. A share that cannot be seen yet may be all.
_percent(resource) := resource.model.memory_percent if {
	resource.model.memory_percent != null
} else := 100 if {
	unknowns.holds(resource, "/model/memory_percent")
} else := 92

_memory_mib(fit) := fit.usable_mib * min([fit.accelerators_per_copy, 1000000]) if {
	fit.usable_mib != null
	fit.accelerators_per_copy != null
} else := null

_missing(resource, tokens) := [pointer |
	some {"at": pointer, "value": null} in [
		{"at": "/fit/usable_mib", "value": resource.fit.usable_mib},
		{"at": "/fit/accelerators_per_copy", "value": resource.fit.accelerators_per_copy},
		{"at": "/model/params_m", "value": resource.model.params_m},
		{"at": "/fit/weight_bits", "value": resource.fit.weight_bits},
		{"at": "/fit/kv_values_per_token", "value": resource.fit.kv_values_per_token},
		{"at": "/fit/kv_is_upper_bound", "value": resource.fit.kv_is_upper_bound},
		{"at": "/fit/kv_bits", "value": resource.fit.kv_bits},
		{"at": "/model/context_tokens", "value": tokens},
	]
]
