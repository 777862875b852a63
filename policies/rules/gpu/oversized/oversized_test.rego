package policies.rules.gpu.oversized_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.oversized

_catalog := {"accelerators": {"nvidia-h100-sxm": {"label": "NVIDIA-H100-80GB-HBM3"}}}

_index := {
	"fit": [
		{"label": "1 x NVIDIA-L4", "total_mib": 23034},
		{"label": "1 x NVIDIA-L40S", "total_mib": 46068},
		{"label": "1 x NVIDIA-H100-80GB-HBM3", "total_mib": 81559},
	],
	"slices": {"nvidia-h100-sxm": [
		{"label": "2g.20gb", "total_mib": 20090},
		{"label": "3g.40gb", "total_mib": 40325},
	]},
}

_h100 := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": "nvidia-h100-sxm", "slice": null})

# Llama 3.1 8B in bf16 on one H100: 15,316 MiB of weights, 1,024 for a sequence of 8,192 tokens.
_serving(changes) := testing.workload(object.union(
	{
		"purpose": "inference",
		"accelerators": [_h100],
		"model": {"id": "llama-3-8b", "params_m": 8030, "context_tokens": 8192, "concurrency": 4},
		"fit": {
			"weight_bits": 16,
			"kv_bits": 16,
			"kv_values_per_token": 65536,
			"window_tokens": 0,
			"window_kv_values_per_token": 0,
			"kv_is_upper_bound": false,
			"max_context_tokens": 131072,
			"usable_mib": 81559,
			"accelerators_per_copy": 1,
		},
	},
	changes,
))

_found_with(resource, org, index) := found if {
	found := oversized.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.index as index
		with data.org as org
}

_found(resource) := _found_with(resource, {}, _index)

_facts := {
	"count": 1,
	"label": "NVIDIA-H100-80GB-HBM3",
	"memory_gib": 80,
	"needed_gib": 19,
	"parts": "weights and 4 sequences of 8192 tokens",
	"instead": "one 3g.40gb slice of it or 1 x NVIDIA-L4",
}

_warned(changes) := {{
	"code": "GPU-005",
	"resource": "Deployment prod/llama-70b",
	"facts": object.union(_facts, changes),
}}

_undetermined(missing) := {{"code": "GPU-005", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

# 19,412 MiB are 92 % of 21,100: more than a slice of 20,090 and less than an L4.
test_a_slice_or_a_smaller_accelerator_is_proposed if _found(_serving({})) == _warned({})

test_a_copy_that_uses_its_memory_is_fine if {
	_found(_serving({"model": {"concurrency": 32}})) == set()
	_found(_serving({"fit": {"usable_mib": 46067}, "accelerators": [object.union(_h100, {"model": "nvidia-l40s"})]})) == set()
}

test_fewer_of_the_same_come_first if {
	eight := {"fit": {"accelerators_per_copy": 8}}
	_found(_serving(eight)) == _warned({
		"count": 8,
		"memory_gib": 637,
		"instead": "1 x NVIDIA-H100-80GB-HBM3 or 1 x NVIDIA-L4",
	})
}

test_the_same_is_not_proposed_twice if {
	eight := _serving({"fit": {"accelerators_per_copy": 8}})
	_found_with(eight, {}, {"fit": [{"label": "1 x NVIDIA-H100-80GB-HBM3", "total_mib": 81559}]}) == _warned({
		"count": 8,
		"memory_gib": 637,
		"instead": "1 x NVIDIA-H100-80GB-HBM3",
	})
}

# One sequence is assumed and twice as much of everything is left: 32,680 MiB are 92 % of 35,522.
test_room_for_a_batch_is_left_where_no_concurrency_is_declared if {
	_found(_serving({"model": {"concurrency": null}})) == _warned({
		"needed_gib": 16,
		"parts": "weights and one sequence of 8192 tokens",
		"instead": "one 3g.40gb slice of it",
	})
	_found_with(_serving({"model": {"concurrency": null}}), {"gpu": {"unstated_batch_percent": 300}}, _index) == set()
}

test_the_organisation_says_from_which_ratio_on if {
	_found_with(_serving({}), {"gpu": {"oversized_percent": 400}}, _index) == set()
	_found_with(_serving({}), {"gpu": {"oversized_percent": 300}}, _index) == _warned({"instead": "1 x NVIDIA-L4"})
}

test_an_upper_bound_of_the_cache_counts_in_full if {
	_found(_serving({"fit": {"kv_is_upper_bound": true}})) == _warned({})
	_found(_serving({"fit": {"kv_is_upper_bound": null}})) == _warned({})
}

test_a_reason_for_more_memory_is_believed if {
	_found(_serving({"throughput": {"tokens_per_second": 4000}})) == set()
	_found(_serving({"throughput": {"requests_per_minute": 60}})) == set()
	_found(_serving({"latency_critical": true})) == set()
	_found(_serving({"model": {"data_parallel": 8}})) == set()
	_found(_serving({"accelerators": [object.union(_h100, {"sharing": "time_sliced"})]})) == set()
	_found(_serving({"latency_critical": false, "model": {"data_parallel": 1}})) == _warned({})
}

test_a_reason_still_to_come_is_undetermined if {
	every pointer in [
		"/throughput/tokens_per_second",
		"/throughput/requests_per_minute",
		"/latency_critical",
		"/model/data_parallel",
	] {
		_found(_serving({"unknown": {pointer: "after_apply"}})) == _undetermined([pointer])
	}
	later := {"model": {"concurrency": null}, "unknown": {"/model/concurrency": "elsewhere"}}
	_found(_serving(later)) == _undetermined(["/model/concurrency"])
	_found(_serving({"unknown": {"/latency_critical": "after_apply"}, "fit": {"usable_mib": 23034}})) == set()
	small := {"unknown": {"/latency_critical": "after_apply"}, "model": {"concurrency": 16}}
	_found_with(_serving(small), {}, {}) == set()
}

test_each_missing_size_is_pointed_at if {
	_found(_serving({"fit": {"usable_mib": null}})) == _undetermined(["/fit/usable_mib"])
	_found(_serving({"fit": {"kv_values_per_token": null}})) == _undetermined(["/fit/kv_values_per_token"])
	_found(_serving({"model": {"params_m": null}})) == _undetermined(["/model/params_m"])
}

test_accelerators_that_are_not_known_stop_nothing if {
	_found(_serving({"accelerators": null, "fit": {"usable_mib": null}})) == _undetermined(["/fit/usable_mib"])
}

test_a_model_that_the_catalog_lacks_is_left_to_the_rule_about_memory if {
	lacking := {"model": {"params_m": null}, "unknown": {"/model/params_m": "not_in_catalog"}}
	_found(_serving(lacking)) == set()
}

test_weights_that_fill_half_of_the_memory_need_nothing_more if {
	_found(_serving({"model": {"params_m": 20000}, "fit": {"kv_values_per_token": null}})) == set()
}

test_without_a_catalog_only_fewer_of_the_same_can_be_proposed if {
	_found_with(_serving({}), {}, {}) == set()
	eight := _serving({"fit": {"accelerators_per_copy": 8}})
	_found_with(eight, {}, {}) == _warned({
		"count": 8,
		"memory_gib": 637,
		"instead": "1 x NVIDIA-H100-80GB-HBM3",
	})
}

test_what_serves_no_model_on_accelerators_is_left_alone if {
	_found(_serving({"role": "capacity"})) == set()
	_found(_serving({"purpose": "notebook"})) == set()
}
