# METADATA
# title: Throughput that memory allows
# description: Tells who declares more tokens per second than the memory of the accelerators can deliver.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.throughput

import data.policies.lib.sizing
import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# title: Declared throughput is below the bound of memory bandwidth
# description: |
#   Each step of decoding reads the weights once and the cache of every sequence in the batch, and
#   yields one token per sequence. So one copy generates at most
#   batch x bandwidth x 0.8 / (weights + batch x cache of one sequence) tokens per second, with 0.8 of
#   the printed bandwidth (`mem_bw_empirical_scaling_factor`, ai-dynamo/aiconfigurator systems/*.yaml).
#   The batch is the declared concurrency; without one nothing is compared. Of a mixture of experts
#   only the active parameters count. Sequences count with the share of the declared length that the
#   organisation states (`gpu.mean_context_percent`); a cache whose size or length is not known
#   is left out, and a slice counts with the bandwidth of its whole device: the bound is generous.
#   `gpu.tokens_per_pass_percent` raises it where servers speculate. Tokens of prompts are no part of it.
# custom:
#   code: GPU-015
#   severity: low
#   mode: warn
#   message: "`{resource}` declares {claimed} tokens/s; {copies} on {count} x {label} ({bandwidth_gbs} GB/s each) with batches of {batch} generate {bound} at most"
#   remedy: Correct the declared throughput, or plan for more copies, larger batches, fewer bits per weight or accelerators with more memory bandwidth.
#   undetermined: "it cannot be told whether `{resource}` can reach the throughput it declares; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - copies.max
#     - fit.accelerators_per_copy
#     - fit.kv_bits
#     - fit.kv_is_upper_bound
#     - fit.kv_values_per_token
#     - fit.params_active_m
#     - fit.weight_bits
#     - fit.window_kv_values_per_token
#     - fit.window_tokens
#     - model.concurrency
#     - model.context_tokens
#     - model.id
#     - model.params_m
#     - purpose
#     - role
#     - throughput.tokens_per_second
#   tables:
#     - catalog.accelerators
#     - catalog.models
#     - org.gpu
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-015", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "bandwidth_gbs": bandwidth_gbs, "bound": bound} in _claims
	_is_above(resource, bound)

	facts := {
		"claimed": resource.throughput.tokens_per_second,
		"copies": _copies(resource.copies.max),
		"count": resource.fit.accelerators_per_copy,
		"label": sizing.label(resource),
		"bandwidth_gbs": bandwidth_gbs,
		"batch": resource.model.concurrency,
		"bound": bound,
	}
}

deny contains {"code": "GPU-015", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "bandwidth_gbs": bandwidth_gbs, "bound": bound} in _claims
	missing := _missing(resource, bandwidth_gbs)
	missing != []
	not _is_above(resource, bound)
}

_claims := [{"resource": resource, "bandwidth_gbs": bandwidth_gbs, "bound": bound} |
	some resource in input.resources
	resource.role == "workload"
	resource.purpose in {null, "inference"}
	[resource.throughput.tokens_per_second, resource.unknown] != [null, {}]
	_is_stated(resource, "/throughput/tokens_per_second", resource.throughput.tokens_per_second)
	_is_stated(resource, "/model/concurrency", resource.model.concurrency)
	sizing.serves(resource)
	bandwidth_gbs := _bandwidth_gbs(resource)
	bound := _bound(resource, bandwidth_gbs)
]

_is_stated(_, _, value) if value != null

# What covers a figure is looked up, because most workloads state none of them.
_is_stated(resource, pointer, null) if {
	object.keys(resource.unknown) & {"", "/model", "/throughput", pointer} != set()
	unknowns.holds(resource, pointer)
}

_is_above(resource, bound) if {
	bound != null
	resource.throughput.tokens_per_second != null
	resource.throughput.tokens_per_second > bound
}

_bandwidth_gbs(resource) := object.get(data.catalog, ["accelerators", model, "bandwidth_gbs"], null) if {
	model := resource.accelerators[0].model
} else := null

# Tokens per second of all copies, null where not known. Sizes are in megabits, so that a wafer of
# 2 x 10^7 GB/s (a GB/s x 0.8 are 6,400 Mbit/s), 1,000 of them and 64 stay below 2^53; steps are
# counted in parts of 64, rounded up. What a tenant can state is cut far above anything that exists.
_bound(resource, bandwidth_gbs) := of_one * min([resource.copies.max, 5000]) if {
	bandwidth_gbs != null
	resource.fit.accelerators_per_copy != null
	resource.fit.params_active_m != null
	resource.fit.weight_bits != null
	resource.copies.max != null
	resource.model.concurrency != null
	batch := min([resource.model.concurrency, 100000])
	read_per_second := (bandwidth_gbs * 6400) * min([resource.fit.accelerators_per_copy, 1000])
	weights := min([resource.fit.params_active_m, 10000000]) * resource.fit.weight_bits
	read_per_step := max([1, weights + (batch * _cache_megabits(resource))])
	steps := min([100000000, whole.ceiling(read_per_second * 64, read_per_step)])
	per_pass := min([1000, object.get(data.org, ["gpu", "tokens_per_pass_percent"], 100)])
	of_one := whole.quotient(whole.quotient(batch * steps, 64) * per_pass, 100)
} else := null

_copies(1) := "one copy"

_copies(number) := sprintf("%d copies", [number]) if number != 1

# What is certainly read of one sequence's cache in each step.
_cache_megabits(resource) := floor((values * resource.fit.kv_bits) / 1000000) if {
	resource.model.context_tokens != null
	resource.fit.kv_is_upper_bound == false
	resource.fit.kv_bits != null
	percent := object.get(data.org, ["gpu", "mean_context_percent"], 25)
	tokens := whole.quotient(min([resource.model.context_tokens, 100000000]) * percent, 100)
	values := sizing.cached_values(resource.fit, tokens)
	values != null
} else := 0

_missing(resource, bandwidth_gbs) := array.concat(
	[pointer |
		some {"at": pointer, "value": null} in [
			{"at": "/throughput/tokens_per_second", "value": resource.throughput.tokens_per_second},
			{"at": "/model/concurrency", "value": resource.model.concurrency},
			{"at": "/copies/max", "value": resource.copies.max},
			{"at": "/accelerators/0/model", "value": bandwidth_gbs},
			{"at": "/fit/accelerators_per_copy", "value": resource.fit.accelerators_per_copy},
			{"at": "/fit/params_active_m", "value": resource.fit.params_active_m},
			{"at": "/fit/weight_bits", "value": resource.fit.weight_bits},
		]
	],
	_missing_cache(resource),
)

# Only a length that is stated makes the cache part of the bound.
_missing_cache(resource) := [pointer |
	_is_stated(resource, "/model/context_tokens", resource.model.context_tokens)
	resource.fit.kv_is_upper_bound in {null, false}
	some pointer in sizing.copy(resource).missing
	pointer in {
		"/fit/kv_bits",
		"/fit/kv_is_upper_bound",
		"/fit/kv_values_per_token",
		"/fit/window_tokens",
		"/model/context_tokens",
	}
]
