# METADATA
# title: More memory than one copy uses
# description: Tells who could serve the same model on fewer or smaller accelerators.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.oversized

import data.policies.lib.ladder
import data.policies.lib.sizing
import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# title: One copy is not far larger than what it serves
# description: |
#   Compares the accelerators of one copy with the smallest that hold the weights and the sequences
#   that are served at once: fewer of the same accelerator, a slice of it (MIG), or the smallest set of
#   the catalog that runs the same software. Reported from the ratio on that the organisation states
#   (`gpu.oversized_percent`, 200: twice as much memory).
#   Where nobody states how many sequences are served at once, room for a batch is left: the weights
#   and one sequence count with `gpu.unstated_batch_percent` (200), so that a copy is reported when
#   they fill no more than about a quarter of it.
#   Who declares a throughput, waiting users (`latency-critical`) or several ranks in one copy
#   (`data-parallel`) takes accelerators for their speed, and is not reported.
#   A cache size that is only an upper bound counts in full. A model that the catalog lacks is
#   pointed out by GPU-002.
# related_resources:
#   - ref: https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
# custom:
#   code: GPU-005
#   severity: low
#   mode: warn
#   message: "`{resource}` takes {count} x {label} ({memory_gib} GiB) for {needed_gib} GiB of {parts}; {instead} would do"
#   remedy: Take {instead}, or declare what the rest is for with `portreeve.dev/concurrency`, `portreeve.dev/tokens-per-second` or `portreeve.dev/latency-critical`.
#   undetermined: "it cannot be told whether `{resource}` takes far more memory than its model uses; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - fit.accelerators_per_copy
#     - fit.kv_bits
#     - fit.kv_values_per_token
#     - fit.max_context_tokens
#     - fit.usable_mib
#     - fit.weight_bits
#     - fit.window_kv_values_per_token
#     - fit.window_tokens
#     - latency_critical
#     - model.concurrency
#     - model.context_tokens
#     - model.data_parallel
#     - model.id
#     - model.memory_percent
#     - model.params_m
#     - purpose
#     - role
#     - software_stack
#     - throughput.requests_per_minute
#     - throughput.tokens_per_second
#   tables:
#     - catalog.accelerators
#     - catalog.models
#     - index.fit
#     - index.fit_by_stack
#     - index.slices
#     - org.gpu
#   adapters:
#     - kubernetes
deny contains {"code": "GPU-005", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "copy": copy, "missing": []} in _copies
	mib := _need_mib(resource, copy)
	_has_room(copy, mib)
	smaller := _smaller(resource, copy, mib)
	need := _need(resource, copy)
	smaller != []

	facts := {
		"count": resource.fit.accelerators_per_copy,
		"label": sizing.label(resource),
		"memory_gib": whole.quotient(copy.memory_mib + 512, 1024),
		"needed_gib": whole.ceiling(need.stated_mib, 1024),
		"parts": need.parts,
		"instead": concat(" or ", smaller),
	}
}

deny contains {"code": "GPU-005", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "copy": copy, "missing": missing} in _copies
	missing != []
	not _is_well_used(resource, copy)
	not _is_told_elsewhere(resource, missing)
}

_copies := [{"resource": resource, "copy": copy, "missing": missing} |
	some resource in input.resources
	sizing.serves(resource)
	_is_for_memory_alone(resource)
	copy := sizing.copy(resource)
	missing := [pointer |
		[copy.missing, resource.unknown] != [[], {}]
		some pointer in array.concat(_missing_sizes(copy), _missing_reasons(resource))
	]
	not _has_surely_no_room(resource, copy, missing)
]

_is_for_memory_alone(resource) if {
	resource.throughput.tokens_per_second == null
	resource.throughput.requests_per_minute == null
	resource.latency_critical in {null, false}
	resource.model.data_parallel in {null, 0, 1}

	# Whoever takes a share of a device in time does not hold all of its memory.
	shared := [item |
		resource.accelerators != null
		some item in resource.accelerators
		item.sharing in {"time_sliced", "fraction"}
	]
	shared == []
}

# A comparison that spares most the rest: what is left for a batch is already taken by the ratio.
_has_surely_no_room(resource, copy, []) if {
	resource.model.concurrency == null
	stated := object.get(data.org, "gpu", {})
	ratio := object.get(stated, "unstated_batch_percent", 200) * object.get(stated, "oversized_percent", 200)
	(copy.memory_mib * copy.percent) * 100 < (copy.weights_mib + copy.sequence_mib) * ratio
}

_missing_sizes(copy) := [pointer | some pointer in copy.missing; pointer != "/fit/kv_is_upper_bound"]

_covering := {
	"",
	"/latency_critical",
	"/model",
	"/model/concurrency",
	"/model/data_parallel",
	"/throughput",
	"/throughput/requests_per_minute",
	"/throughput/tokens_per_second",
}

# What would be a reason for more memory, and is declared where it cannot be seen yet.
_missing_reasons(resource) := [pointer |
	object.keys(resource.unknown) & _covering != set()
	some {"at": pointer, "value": null} in [
		{"at": "/throughput/tokens_per_second", "value": resource.throughput.tokens_per_second},
		{"at": "/throughput/requests_per_minute", "value": resource.throughput.requests_per_minute},
		{"at": "/latency_critical", "value": resource.latency_critical},
		{"at": "/model/data_parallel", "value": resource.model.data_parallel},
		{"at": "/model/concurrency", "value": resource.model.concurrency},
	]
	unknowns.holds(resource, pointer)
]

# The MiB that the copy must offer.
_need_mib(resource, copy) := copy.weights_mib + (_sequences(resource) * copy.sequence_mib) if {
	resource.model.concurrency != null
} else := whole.ceiling((copy.weights_mib + copy.sequence_mib) * percent, 100) if {
	percent := object.get(data.org, ["gpu", "unstated_batch_percent"], 200)
}

_sequences(resource) := max([1, min([resource.model.concurrency, 100000])])

# The MiB that are known to be used, with their words.
_need(resource, copy) := {"stated_mib": mib, "parts": parts} if {
	resource.model.concurrency != null
	mib := _need_mib(resource, copy)
	parts := sprintf("weights and %d sequences of %d tokens", [_sequences(resource), copy.tokens])
} else := {"stated_mib": mib, "parts": parts} if {
	mib := copy.weights_mib + copy.sequence_mib
	parts := sprintf("weights and one sequence of %d tokens", [copy.tokens])
}

# Words for what would do and is smaller by the organisation's ratio; the first is the easiest to take.
_smaller(resource, copy, mib) := [option.label |
	options := [
		_fewer(resource, copy, mib),
		_slice(resource, copy, mib),
		ladder.set_with(resource.software_stack, mib, copy.percent),
	]
	some position, option in options
	option != null
	copy.memory_mib * 100 >= option.total_mib * object.get(data.org, ["gpu", "oversized_percent"], 200)
	not _is_repeated(options, position)
]

# The smallest set of all may be one of the same accelerators.
_is_repeated(options, 2) if {
	options[0] != null
	options[0].label == options[2].label
}

# Fewer of the same: powers of two, which tensor parallelism can use with most models.
_fewer(resource, copy, mib) := {"label": label, "total_mib": total_mib} if {
	enough := [number |
		some number in [1, 2, 4, 8, 16, 32, 64]
		number < resource.fit.accelerators_per_copy
		mib * 100 <= (number * resource.fit.usable_mib) * copy.percent
	]
	enough != []
	total_mib := enough[0] * resource.fit.usable_mib
	label := sprintf("%d x %s", [enough[0], sizing.label(resource)])
} else := null

# One slice instead of one device, or of a larger slice; a model cannot be spread over slices.
_slice(resource, copy, mib) := {"label": label, "total_mib": slice.total_mib} if {
	resource.fit.accelerators_per_copy == 1
	slice := ladder.slice_with(resource.accelerators[0].model, mib, copy.percent)
	slice != null
	label := sprintf("one %s slice of it", [slice.label])
} else := null

# What is known is enough to see that the copy is not far too large, or that nothing smaller would do.
_is_well_used(resource, copy) if {
	copy.memory_mib != null
	copy.weights_mib != null
	percent := object.get(data.org, ["gpu", "oversized_percent"], 200)
	copy.weights_mib * percent > copy.memory_mib * copy.percent
} else if {
	_missing_sizes(copy) == []
	_smaller(resource, copy, _need_mib(resource, copy)) == []
}

# No set is smaller than what it holds: a comparison that spares most copies the search for one.
_has_room(copy, mib) if {
	copy.memory_mib * copy.percent >= mib * object.get(data.org, ["gpu", "oversized_percent"], 200)
}

# A warning about thrift says nothing where GPU-002 says already that the catalog lacks the model.
_is_told_elsewhere(resource, missing) if {
	some pointer in missing
	"not_in_catalog" in unknowns.reasons(resource, pointer)
}
