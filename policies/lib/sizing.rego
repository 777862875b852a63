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
	_names_a_model(resource)
	changes.takes(resource)
}

_names_a_model(resource) if {
	[resource.model.id, resource.model.params_m] != [null, null]
} else if {
	some pointer in ["/model/id", "/model/params_m"]
	unknowns.holds(resource, pointer)
}

# METADATA
# description: |
#   One copy of the model that a resource serves; total for every dense document.
#   `parts` are those that it certainly needs, each with its words and its MiB: the weights
#   (parameters x bits / 8, stas00/ml-engineering training/performance) and the cache of one sequence,
#   which is left out where its size is only an upper bound. `need_mib` adds them up.
#   `weights_mib` and `sequence_mib` are the same two, null where not known; the second one is there
#   although it may be an upper bound. `tokens` is the length of that sequence.
#   `memory_mib` is the usable memory of all accelerators of the copy, null where it is not known, and
#   `percent` the share of it that the server takes. `missing` points at what is not known.
#   What a tenant can state is cut far above anything that exists (10^8 million parameters, 10^8
#   tokens, 10^6 accelerators), so that every product stays below 2^53; 2^23 bits are a MiB.
copy(resource) := {
	"parts": parts,
	"need_mib": sum([part.mib | some part in parts]),
	"weights_mib": weights_mib,
	"sequence_mib": sequence_mib,
	"tokens": tokens,
	"memory_mib": _memory_mib(resource.fit),
	"percent": percent,
	"missing": array.concat(_missing(resource, tokens), share_missing),
} if {
	tokens := _tokens(resource)
	percent := _percent(resource)
	share_missing := ["/model/memory_percent" | [resource.model.memory_percent, percent] == [null, 100]]
	weights_mib := _weights_mib(resource)
	sequence_mib := sequence(resource.fit, tokens)
	weights := [{"what": "its weights", "mib": weights_mib} | weights_mib != null]
	cache := [{"what": sprintf("one sequence of %d tokens", [tokens]), "mib": sequence_mib} |
		resource.fit.kv_is_upper_bound == false
		sequence_mib != null
	]
	parts := array.concat(weights, cache)
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
	values := cached_values(fit, tokens)
	values != null
	fit.kv_bits != null
} else := null

# METADATA
# description: How many values the cache holds for a sequence of so many tokens, null where that is not known.
cached_values(fit, tokens) := (fit.kv_values_per_token * kept) + in_windows if {
	tokens != null
	fit.kv_values_per_token != null
	kept := min([tokens, 100000000])
	in_windows := _values_in_windows(fit, kept)
	in_windows != null
} else := null

_values_in_windows(fit, tokens) := fit.window_kv_values_per_token * min([tokens, fit.window_tokens]) if {
	fit.window_kv_values_per_token != null
	fit.window_tokens != null
} else := 0 if {
	fit.window_kv_values_per_token == 0
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
