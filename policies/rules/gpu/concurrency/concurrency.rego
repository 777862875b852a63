# METADATA
# title: Sequences at once
# description: Tells who states more sequences at once than the memory beside the weights can hold.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.concurrency

import data.policies.lib.ladder
import data.policies.lib.sizing
import data.policies.lib.whole

# METADATA
# title: Declared concurrency fits the memory of one copy
# description: |
#   Compares the sequences that a server is to hold at once with the memory that one copy has left
#   beside the weights. It needs both figures of the claim, how many sequences and how long they get;
#   where one of them is not stated there is none.
#   A number that is declared counts sequences of the whole length. One that was read from a server's
#   arguments (`--max-num-seqs`) is a ceiling of a server that pages its cache: its sequences count
#   with the share of the length that the organisation states (`gpu.mean_context_percent`).
#   Such a server does not fail: it lets sequences wait, or drops their cache and computes it again
#   (vLLM docs, Optimization and Tuning, Preemption). A cache size that is only an upper bound is never
#   held against a workload, and a copy that is too small for one sequence is GPU-002's.
# related_resources:
#   - ref: https://docs.vllm.ai/en/latest/configuration/optimization.html
# custom:
#   code: GPU-003
#   severity: medium
#   mode: warn
#   message: "`{resource}` is to serve {concurrency} sequences at once; beside the weights {count} x {label} have room for {holds} {length}"
#   remedy: Lower the concurrency or the context length, keep the cache in fewer bits, or serve it on {suggestion}; a server that pages its cache makes the others wait or computes them again.
#   undetermined: "it cannot be told whether the sequences that `{resource}` is to serve at once fit its accelerators; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - fit.accelerators_per_copy
#     - fit.kv_bits
#     - fit.kv_is_upper_bound
#     - fit.kv_values_per_token
#     - fit.usable_mib
#     - fit.weight_bits
#     - fit.window_kv_values_per_token
#     - fit.window_tokens
#     - model.concurrency
#     - model.context_tokens
#     - model.id
#     - model.memory_percent
#     - model.params_m
#     - provenance
#     - purpose
#     - role
#     - software_stack
#   tables:
#     - catalog.accelerators
#     - catalog.models
#     - index.fit
#     - index.fit_by_stack
#     - org.gpu
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-003", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "copy": copy, "load": load} in _claims
	_is_too_much(resource, load)

	facts := {
		"concurrency": resource.model.concurrency,
		"count": resource.fit.accelerators_per_copy,
		"label": sizing.label(resource),
		"holds": load.holds,
		"length": load.length,
		"suggestion": ladder.smallest(resource.software_stack, _wanted_mib(resource, copy, load), copy.percent),
	}
}

deny contains {"code": "GPU-003", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "copy": copy, "load": load} in _claims
	missing := array.concat(copy.missing, _missing_concurrency(resource))
	missing != []
	not _is_too_much(resource, load)
}

# A copy that is too small already, or whose cache is not known to be needed, is not judged here.
_claims := [{"resource": resource, "copy": copy, "load": _load(resource, copy)} |
	some resource in input.resources
	resource.role == "workload"
	resource.purpose in {null, "inference"}
	[resource.model.concurrency, resource.unknown] != [null, {}]
	_states_a_load(resource)
	sizing.serves(resource)
	resource.fit.kv_is_upper_bound in {null, false}
	copy := sizing.copy(resource)
	not sizing.does_not_fit(copy)
]

_states_a_load(resource) if {
	_is_stated(resource, "/model/concurrency", resource.model.concurrency)
	_is_stated(resource, "/model/context_tokens", resource.model.context_tokens)
}

_is_stated(_, _, value) if value != null

# What covers the two figures is looked up, because most workloads state neither.
_is_stated(resource, pointer, null) if {
	object.keys(resource.unknown) & {"", "/model", pointer} != set()
}

_is_too_much(resource, load) if {
	load.holds != null
	resource.fit.kv_is_upper_bound == false
	resource.model.concurrency != null
	resource.model.concurrency > load.holds
}

# How many sequences of the length that counts the copy holds; null where that is not known.
_load(resource, copy) := {"holds": holds, "length": _words(tokens, percent), "sequence_mib": mib} if {
	copy.memory_mib != null
	copy.weights_mib != null
	copy.tokens != null
	percent := _length_percent(resource)
	tokens := whole.quotient(min([copy.tokens, 100000000]) * percent, 100)
	mib := sizing.sequence(resource.fit, tokens)
	mib != null
	mib > 0
	room := max([0, (copy.memory_mib * copy.percent) - (copy.weights_mib * 100)])
	holds := whole.quotient(room, mib * 100)
} else := {"holds": null}

_length_percent(resource) := object.get(data.org, ["gpu", "mean_context_percent"], 25) if {
	startswith(object.get(resource.provenance, "/model/concurrency", ""), "inferred:")
} else := 100

_words(tokens, 100) := sprintf("of %d tokens each", [tokens])

_words(tokens, percent) := sprintf("of %d tokens each, %d %% of the longest", [tokens, percent]) if percent != 100

# Cut at more sequences than any server holds, so that the product stays below 2^53.
_wanted_mib(resource, copy, load) := copy.weights_mib + (min([resource.model.concurrency, 100000]) * load.sequence_mib)

_missing_concurrency(resource) := ["/model/concurrency" | resource.model.concurrency == null]
