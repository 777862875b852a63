# METADATA
# title: Memory of a served model
# description: |
#   What one copy of a model certainly needs, and what its accelerators offer, in MiB.
#   Every figure errs on the side of the workload: needs are rounded down, and memory that a server
#   takes besides weights and cache (activations, graphs, communication buffers) is not counted.
package policies.lib.sizing

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# description: |
#   True if the resource puts a model on accelerators to serve it, as far as it says: sizes are judged
#   where nobody says what a workload is for, and not where no model is named at all.
serves(resource) if {
	resource.role == "workload"
	resource.purpose in {null, "inference"}
	resource.accelerators != []
	model := resource.model
	hidden := [pointer |
		[model.id, model.params_m] == [null, null]
		some pointer in ["/model/id", "/model/params_m"]
		unknowns.holds(resource, pointer)
	]
	[model.id, model.params_m, hidden] != [null, null, []]
	changes.takes(resource)
}

# METADATA
# description: |
#   One copy of the model that a resource serves; total for every dense document.
#   `weights_mib` are its weights (parameters x bits / 8, stas00/ml-engineering training/performance)
#   and `sequence_mib` the cache of one sequence of `tokens`, both null where not known.
#   `need_mib` adds up what it certainly needs: a cache whose size is only an upper bound
#   (`is_certain` is false) is left out.
#   `memory_mib` is the usable memory of all accelerators of the copy, null where it is not known, and
#   `percent` the share of it that the server takes. `missing` points at what is not known.
#   What a tenant can state is cut far above anything that exists (10^8 million parameters, 10^8
#   tokens, 10^6 accelerators), so that every product stays below 2^53; 2^23 bits are a MiB.
copy(resource) := {
	"need_mib": weights_mib + sequence_mib,
	"weights_mib": weights_mib,
	"sequence_mib": sequence_mib,
	"is_certain": true,
	"tokens": tokens,
	"memory_mib": fit.usable_mib * fit.accelerators_per_copy,
	"percent": percent,
	"missing": [],
} if {
	# Most know all of it, and keep all tokens: the same in one step.
	resource.unknown == {}
	resource.fit.kv_is_upper_bound == false
	resource.fit.window_kv_values_per_token == 0
	resource.fit.kv_values_per_token != null
	resource.fit.kv_bits != null
	resource.fit.weight_bits != null
	resource.fit.usable_mib != null
	resource.fit.accelerators_per_copy != null
	resource.model.params_m != null
	model := resource.model
	fit := resource.fit
	tokens := [length | some length in [model.context_tokens, fit.max_context_tokens]; length != null][0]
	percent := [share | some share in [model.memory_percent, 92]; share != null][0]
	max([model.params_m, tokens, fit.accelerators_per_copy]) <= 1000000
	weights_mib := floor(((model.params_m * 1000000) * fit.weight_bits) / 8388608)
	sequence_mib := floor(((tokens * fit.kv_values_per_token) * fit.kv_bits) / 8388608)
} else := {
	"need_mib": sum(needs),
	"weights_mib": weights_mib,
	"sequence_mib": sequence_mib,
	"is_certain": is_certain,
	"tokens": tokens,
	"memory_mib": memory_mib,
	"percent": percent,
	"missing": missing,
} if {
	fit := resource.fit
	tokens := _tokens(resource)
	percent := _percent(resource)
	weights_mib := _weights_mib(resource)
	sequence_mib := sequence(fit, tokens)
	memory_mib := _memory_mib(fit)
	is_certain := fit.kv_is_upper_bound == false
	needs := [mib | some [mib, true] in [[weights_mib, true], [sequence_mib, is_certain]]; mib != null]

	# Each value that may be missing makes one of these null.
	values := [weights_mib, sequence_mib, memory_mib, fit.kv_is_upper_bound]
	of_values := [pointer | null in values; some pointer in _missing(resource, tokens)]
	share := ["/model/memory_percent" | percent == 100; resource.model.memory_percent == null]
	missing := array.concat(of_values, share)
}

# METADATA
# description: What a copy certainly needs, each part with its words and its MiB.
parts(one) := array.concat(weights, cache) if {
	weights := [{"what": "its weights", "mib": one.weights_mib} | one.weights_mib != null]
	cache := [{"what": sprintf("one sequence of %d tokens", [one.tokens]), "mib": one.sequence_mib} |
		one.is_certain
		one.sequence_mib != null
	]
}

# METADATA
# description: |
#   True if what the copy certainly needs is more than the share of the memory that the server takes.
does_not_fit(one) if {
	one.memory_mib != null
	one.need_mib * 100 > one.memory_mib * one.percent
}

# METADATA
# description: |
#   MiB that the cache of one sequence of so many tokens takes, null where that is not known.
#   Layers that attend to the whole sequence keep all its tokens, those with a sliding window only as
#   many as it is wide. A server may keep more than that for them, and none can keep less.
sequence(fit, tokens) := floor((values * fit.kv_bits) / 8388608) if {
	fit.kv_bits != null
	values := cached_values(fit, tokens)
	values != null
} else := null

# METADATA
# description: How many values the cache holds for a sequence of so many tokens, null where that is not known.
cached_values(fit, tokens) := fit.kv_values_per_token * min([tokens, 100000000]) if {
	fit.window_kv_values_per_token == 0
	tokens != null
	fit.kv_values_per_token != null
} else := (fit.kv_values_per_token * kept) + in_windows if {
	tokens != null
	fit.kv_values_per_token != null
	fit.window_kv_values_per_token != null
	fit.window_tokens != null
	kept := min([tokens, 100000000])
	in_windows := fit.window_kv_values_per_token * min([kept, fit.window_tokens])
} else := null

# METADATA
# description: |
#   The first kind of accelerator of a resource as its maker prints it, with the slice of it that is
#   taken where it is one.
label(resource) := concat(" ", [accelerators.label(resource), part]) if {
	part := resource.accelerators[0].slice
	part != null
} else := accelerators.label(resource)

# A length that will be declared and cannot be seen yet may be shorter than the longest.
_tokens(resource) := resource.model.context_tokens if {
	resource.model.context_tokens != null
} else := resource.fit.max_context_tokens if {
	resource.unknown == {}
} else := null if {
	unknowns.holds(resource, "/model/context_tokens")
} else := resource.fit.max_context_tokens

# 92 is what vLLM takes unless told otherwise: `gpu_memory_utilization`, vllm/config/cache.py. What
# other users of the device need (3.5 GiB, "other" in aiconfigurator's aic-core systems/*.yaml) lies
# outside of it. A share that cannot be seen yet may be all.
_percent(resource) := resource.model.memory_percent if {
	resource.model.memory_percent != null
} else := 92 if {
	resource.unknown == {}
} else := 100 if {
	unknowns.holds(resource, "/model/memory_percent")
} else := 92

_weights_mib(resource) := floor(bits / 8388608) if {
	resource.model.params_m != null
	resource.fit.weight_bits != null
	bits := (min([resource.model.params_m, 100000000]) * 1000000) * resource.fit.weight_bits
} else := null

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
		{"at": "/fit/window_tokens", "value": _window(resource.fit)},
		{"at": "/fit/kv_is_upper_bound", "value": resource.fit.kv_is_upper_bound},
		{"at": "/fit/kv_bits", "value": resource.fit.kv_bits},
		{"at": "/model/context_tokens", "value": tokens},
	]
]

# Null where windows may be missing from what is known of the cache; nobody who lacks the cache's size
# has to be told that he lacks its windows too.
_window(fit) := null if {
	fit.kv_values_per_token != null
	cached_values(fit, 1) == null
} else := 0
