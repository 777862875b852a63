package policies.rules.gpu.concurrency_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.concurrency

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

_index := {"fit": [
	{"label": "1 x NVIDIA-H200", "total_mib": 143771},
	{"label": "4 x NVIDIA-H200", "total_mib": 575084},
]}

# Llama 3 70B in bf16 on two H100: 163,118 MiB, of which a server takes 92 %: 150,068. The weights are
# 134,571 MiB; the 15,497 that are left hold six sequences of 8,192 tokens, 2,560 MiB each.
_serving(changes) := testing.workload(object.union(
	{
		"purpose": "inference",
		"accelerators": [testing.accelerator({"min": 2, "max": 2})],
		"model": {"id": "llama-3-70b", "params_m": 70554, "context_tokens": 8192, "concurrency": 7},
		"fit": {
			"weight_bits": 16,
			"kv_bits": 16,
			"kv_values_per_token": 163840,
			"window_tokens": 0,
			"window_kv_values_per_token": 0,
			"kv_is_upper_bound": false,
			"max_context_tokens": 131072,
			"usable_mib": 81559,
			"accelerators_per_copy": 2,
		},
	},
	changes,
))

_found_with(resource, org) := found if {
	found := concurrency.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.index as _index
		with data.org as org
}

_found(resource) := _found_with(resource, {})

_facts := {
	"concurrency": 7,
	"count": 2,
	"label": "NVIDIA-L4",
	"holds": 6,
	"length": "of 8192 tokens each",
	"suggestion": "4 x NVIDIA-H200",
}

_warned(changes) := {{
	"code": "GPU-003",
	"resource": "Deployment prod/llama-70b",
	"facts": object.union(_facts, changes),
}}

_undetermined(missing) := {{"code": "GPU-003", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_more_sequences_than_fit_are_warned_of_with_how_many_do if _found(_serving({})) == _warned({})

test_as_many_sequences_as_fit_are_fine if _found(_serving({"model": {"concurrency": 6}})) == set()

# Sequences of 2,048 tokens, a quarter of the longest, are 640 MiB each: 24 of them fit.
test_a_ceiling_of_a_paging_server_counts_with_the_usual_share_of_the_length if {
	paged := {"provenance": {"/model/concurrency": "inferred:vllm"}}
	_found(_serving(paged)) == set()
	_found(_serving(object.union(paged, {"model": {"concurrency": 24}}))) == set()
	_found(_serving(object.union(paged, {"model": {"concurrency": 25}}))) == _warned({
		"concurrency": 25,
		"holds": 24,
		"length": "of 2048 tokens each, 25 % of the longest",
		"suggestion": "4 x NVIDIA-H200",
	})
}

test_the_organisation_says_how_long_sequences_are if {
	paged := _serving({"provenance": {"/model/concurrency": "inferred:vllm"}})
	_found_with(paged, {"gpu": {"mean_context_percent": 100}}) == _warned({})
	_found_with(paged, {"gpu": {"mean_context_percent": 0}}) == set()
}

test_no_length_and_no_number_are_no_claim if {
	_found(_serving({"model": {"concurrency": null}})) == set()
	_found(_serving({"model": {"context_tokens": null}})) == set()
}

test_a_number_or_length_still_to_come_is_undetermined if {
	every name in ["concurrency", "context_tokens"] {
		pointer := sprintf("/model/%s", [name])
		later := {"model": {name: null}, "unknown": {pointer: "elsewhere"}}
		_found(_serving(later)) == _undetermined([pointer])
	}
}

test_an_upper_bound_of_the_cache_warns_of_nothing if {
	_found(_serving({"fit": {"kv_is_upper_bound": true}})) == set()
}

test_a_copy_that_is_too_small_for_one_sequence_is_left_to_the_rule_about_memory if {
	_found(_serving({"fit": {"accelerators_per_copy": 1}})) == set()
	_found(_serving({"fit": {"accelerators_per_copy": 1, "kv_bits": null}})) == set()
}

test_each_missing_value_is_pointed_at if {
	_found(_serving({"fit": {"usable_mib": null}})) == _undetermined(["/fit/usable_mib"])
	_found(_serving({"fit": {"kv_is_upper_bound": null}})) == _undetermined(["/fit/kv_is_upper_bound"])
	_found(_serving({"fit": {"kv_bits": null}})) == _undetermined(["/fit/kv_bits"])
	_found(_serving({"model": {"params_m": null}})) == _undetermined(["/model/params_m"])
}

test_a_number_that_nothing_could_hold_stays_exact if {
	_found(_serving({"model": {"concurrency": 9007199254740991}})) == _warned({
		"concurrency": 9007199254740991,
		"suggestion": "more accelerators than any one machine of the catalog has",
	})
}

test_what_serves_no_model_on_accelerators_is_left_alone if {
	_found(_serving({"role": "capacity"})) == set()
	_found(_serving({"purpose": "batch"})) == set()
}
