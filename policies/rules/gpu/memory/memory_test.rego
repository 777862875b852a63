package policies.rules.gpu.memory_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.memory

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

_index := {"fit": [
	{"label": "1 x NVIDIA-L4", "total_mib": 23034},
	{"label": "1 x NVIDIA-H200", "total_mib": 143771},
	{"label": "2 x NVIDIA-H100-80GB-HBM3", "total_mib": 163118},
]}

# Llama 3 70B in bf16 on one L4: 131.4 GiB of weights, 2.5 GiB of cache at 8,192 tokens.
_serving(changes) := testing.workload(object.union(
	{
		"purpose": "inference",
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"model": {"id": "llama-3-70b", "params_m": 70554, "context_tokens": 8192},
		"fit": {
			"weight_bits": 16,
			"kv_bits": 16,
			"kv_values_per_token": 163840,
			"window_tokens": 0,
			"window_kv_values_per_token": 0,
			"kv_is_upper_bound": false,
			"max_context_tokens": 131072,
			"usable_mib": 23034,
			"accelerators_per_copy": 1,
		},
	},
	changes,
))

_found(resource) := found if {
	found := memory.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.index as _index
}

_facts := {
	"needed_gib": 134,
	"parts": "its weights and one sequence of 8192 tokens",
	"count": 1,
	"label": "NVIDIA-L4",
	"usable_gib": 20,
	"percent": 92,
	"memory_gib": 22,
	"suggestion": "2 x NVIDIA-H100-80GB-HBM3",
}

_refused(changes) := {{
	"code": "GPU-002",
	"resource": "Deployment prod/llama-70b",
	"facts": object.union(_facts, changes),
}}

_undetermined(missing) := {{"code": "GPU-002", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_model_on_too_little_memory_is_refused_with_the_smallest_set_that_fits if _found(_serving({})) == _refused({})

test_a_model_on_enough_memory_is_fine if {
	_found(_serving({"fit": {"usable_mib": 81559, "accelerators_per_copy": 2}})) == set()
}

# 134,571 MiB of weights and 2,560 of cache on 146,280 MiB, of which 92 % are 134,577.
test_weights_that_fit_without_room_for_a_sequence_are_refused if {
	_found(_serving({"fit": {"usable_mib": 146280}})) == _refused({"usable_gib": 131, "memory_gib": 143})
}

# Half of the layers with a window of 128: 81,920 x 8,192 and 81,920 x 128 values are 1,300 MiB.
_windows := {"kv_values_per_token": 81920, "window_kv_values_per_token": 81920, "window_tokens": 128}

test_a_sliding_window_needs_no_more_than_its_width if {
	_found(_serving({"fit": object.union(_windows, {"usable_mib": 147686})})) == set()
	_found(_serving({"fit": object.union(_windows, {"usable_mib": 147685})})) == _refused({
		"needed_gib": 133,
		"usable_gib": 132,
		"memory_gib": 144,
	})
}

test_weights_alone_are_refused_though_the_cache_is_only_an_upper_bound if {
	_found(_serving({"fit": {"kv_is_upper_bound": true}})) == _refused({"needed_gib": 132, "parts": "its weights"})
}

test_an_upper_bound_of_the_cache_refuses_nothing if {
	_found(_serving({"fit": {"kv_is_upper_bound": true, "usable_mib": 146280}})) == set()
}

test_weights_alone_are_refused_though_the_cache_is_not_known if {
	_found(_serving({"fit": {"kv_values_per_token": null}})) == _refused({"needed_gib": 132, "parts": "its weights"})
}

test_a_declared_share_of_the_memory_is_believed if {
	_found(_serving({"fit": {"usable_mib": 160000}})) == set()
	_found(_serving({"fit": {"usable_mib": 160000}, "model": {"memory_percent": 50}})) == _refused({
		"percent": 50,
		"usable_gib": 78,
		"memory_gib": 156,
		"suggestion": "more accelerators than any one machine of the catalog has",
	})
}

test_the_hint_never_suppresses_the_refusal if {
	resource := _serving({})
	found := memory.deny with input as testing.request([resource]) with data.catalog as {} with data.index as {}
	found == _refused({
		"label": "nvidia.com/gpu",
		"suggestion": "more accelerators than any one machine of the catalog has",
	})
}

test_each_missing_value_is_pointed_at_rather_than_skipped if {
	fits := {"usable_mib": 81559, "accelerators_per_copy": 2}
	_found(_serving({"fit": {"usable_mib": null}})) == _undetermined(["/fit/usable_mib"])
	_found(_serving({"fit": {"accelerators_per_copy": null}})) == _undetermined(["/fit/accelerators_per_copy"])
	_found(_serving({"fit": fits, "model": {"params_m": null}})) == _undetermined(["/model/params_m"])
	_found(_serving({"fit": object.union(fits, {"weight_bits": null})})) == _undetermined(["/fit/weight_bits"])
	_found(_serving({"fit": object.union(fits, {"kv_bits": null})})) == _undetermined(["/fit/kv_bits"])
}

test_a_model_whose_name_is_still_to_come_is_undetermined if {
	later := _serving({"model": {"id": null, "params_m": null}})
	every pointer in ["/model/id", "/model/params_m"] {
		_found(object.union(later, {"unknown": {pointer: "after_apply"}})) == _undetermined(["/model/params_m"])
	}
	_found(object.union(later, {"unknown": {"/model": "after_apply"}})) == _undetermined([
		"/model/params_m",
		"/model/memory_percent",
	])
}

test_parameters_are_enough_to_name_a_model if _found(_serving({"model": {"id": null}})) == _refused({})

test_a_workload_that_does_not_say_what_it_is_for_is_judged if _found(_serving({"purpose": null})) == _refused({})

test_what_serves_no_model_on_accelerators_is_left_alone if {
	_found(_serving({"model": {"id": null, "params_m": null}})) == set()
	_found(_serving({"purpose": "finetuning"})) == set()
	_found(_serving({"accelerators": []})) == set()
	_found(_serving({"change": "delete"})) == set()
	_found(_serving({"role": "capacity"})) == set()
}
