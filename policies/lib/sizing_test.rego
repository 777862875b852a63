package policies.lib.sizing_test

import data.policies.lib.sizing
import data.policies.lib.testing_test as testing

# Llama 3 70B: 70,554 million parameters; 80 layers x 8 key-value heads x 128, keys and values.
_model(changes) := testing.workload(object.union(
	{
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
			"accelerators_per_copy": 2,
		},
	},
	changes,
))

test_weights_are_parameters_times_width if {
	sizing.parts(sizing.copy(_model({})))[0] == {"what": "its weights", "mib": 134571}
}

test_the_cache_of_a_sequence_is_values_times_width_times_tokens if {
	sizing.parts(sizing.copy(_model({})))[1] == {"what": "one sequence of 8192 tokens", "mib": 2560}
}

test_both_parts_are_added_up if sizing.copy(_model({})).need_mib == 137131

test_an_upper_bound_of_the_cache_is_no_part_of_the_need if {
	sizing.copy(_model({"fit": {"kv_is_upper_bound": true}})).need_mib == 134571
	sizing.copy(_model({"fit": {"kv_is_upper_bound": true}})).missing == []
}

# Gemma 3 27B: 10 layers x 16 heads x 128 keep all tokens, 52 layers the last 1,024.
_gemma := {"fit": {
	"kv_values_per_token": 40960,
	"window_kv_values_per_token": 212992,
	"window_tokens": 1024,
	"kv_is_upper_bound": false,
	"kv_bits": 16,
}}

test_windows_keep_no_more_tokens_than_they_are_wide if {
	sizing.sequence(_gemma.fit, 1024) == 496
	sizing.sequence(_gemma.fit, 131072) == 10656
	sizing.cached_values(_gemma.fit, 1) == 253952
}

test_windows_that_are_not_known_are_pointed_at_once if {
	known := _model(_gemma)
	sizing.copy(known).missing == []
	some name in ["window_tokens", "window_kv_values_per_token"]
	copy := sizing.copy(object.union(known, {"fit": {name: null}}))
	copy.missing == ["/fit/window_tokens"]
	copy.sequence_mib == null
}

test_a_model_without_windows_needs_no_width_of_them if {
	copy := sizing.copy(_model({"fit": {"window_tokens": null}}))
	copy.sequence_mib == 2560
	copy.missing == []
}

test_an_upper_bound_is_there_for_who_wants_it if {
	copy := sizing.copy(_model({"fit": {"kv_is_upper_bound": true}}))
	[copy.weights_mib, copy.sequence_mib, copy.tokens] == [134571, 2560, 8192]
}

test_a_copy_that_needs_more_than_the_share_of_its_memory_does_not_fit if {
	sizing.does_not_fit({"need_mib": 93, "memory_mib": 100, "percent": 92})
	not sizing.does_not_fit({"need_mib": 92, "memory_mib": 100, "percent": 92})
	not sizing.does_not_fit({"need_mib": 93, "memory_mib": null, "percent": 92})
}

test_who_serves_a_named_model_on_accelerators_is_judged if {
	taken := {"purpose": "inference", "accelerators": [testing.accelerator({"min": 1, "max": 1})]}
	sizing.serves(_model(taken))
	sizing.serves(_model(object.union(taken, {"purpose": null, "model": {"id": null}})))
	later := {"model": {"id": null, "params_m": null}, "unknown": {"/model/id": "elsewhere"}}
	sizing.serves(_model(object.union(taken, later)))
	not sizing.serves(_model(object.union(taken, {"model": {"id": null, "params_m": null}})))
	not sizing.serves(_model(object.union(taken, {"purpose": "batch"})))
	not sizing.serves(_model(object.union(taken, {"accelerators": []})))
	not sizing.serves(_model(object.union(taken, {"role": "capacity"})))
	not sizing.serves(_model(object.union(taken, {"change": "delete"})))
}

test_a_slice_is_named_with_its_device if {
	whole := testing.accelerator({"min": 1, "max": 1})
	sizing.label(_model({"accelerators": [whole]})) == "nvidia.com/gpu" with data.catalog as {}
	slice := object.union(whole, {"slice": "3g.40gb"})
	sizing.label(_model({"accelerators": [slice]})) == "nvidia.com/gpu 3g.40gb" with data.catalog as {}
}

test_what_is_not_known_is_no_part_of_the_need_and_pointed_at if {
	resource := testing.workload({})
	sizing.copy(resource).need_mib == 0
	sizing.copy(resource).memory_mib == null
	sizing.copy(resource).missing == [
		"/fit/usable_mib",
		"/fit/accelerators_per_copy",
		"/model/params_m",
		"/fit/weight_bits",
		"/fit/kv_values_per_token",
		"/fit/kv_is_upper_bound",
		"/fit/kv_bits",
		"/model/context_tokens",
	]
}

test_a_sequence_is_as_long_as_the_model_allows_unless_declared if {
	sizing.parts(sizing.copy(_model({"model": {"context_tokens": null}})))[1] == {
		"what": "one sequence of 131072 tokens",
		"mib": 40960,
	}
	elsewhere := {"model": {"context_tokens": null}, "unknown": {"/region": "elsewhere"}}
	sizing.copy(_model(elsewhere)).tokens == 131072
}

test_a_length_still_to_come_is_not_taken_for_the_longest if {
	later := {"model": {"context_tokens": null}, "unknown": {"/model/context_tokens": "elsewhere"}}
	copy := sizing.copy(_model(later))
	[part.what | some part in sizing.parts(copy)] == ["its weights"]
	copy.missing == ["/model/context_tokens"]
}

test_a_share_still_to_come_may_be_all_and_is_pointed_at if {
	copy := sizing.copy(_model({"unknown": {"/model/memory_percent": "elsewhere"}}))
	copy.percent == 100
	copy.missing == ["/model/memory_percent"]
}

test_a_declared_share_is_known_even_if_it_is_all if {
	copy := sizing.copy(_model({"model": {"memory_percent": 100}}))
	copy.percent == 100
	copy.missing == []
}

test_a_server_takes_its_declared_share_or_the_usual_one if {
	sizing.copy(_model({"model": {"memory_percent": 85}})).percent == 85
	sizing.copy(_model({})).percent == 92
	bounded := _model({"model": {"memory_percent": 85}, "fit": {"kv_is_upper_bound": true}})
	sizing.copy(bounded).percent == 85
	sizing.copy(_model({"fit": {"kv_is_upper_bound": true}})).percent == 92
}

test_the_memory_of_a_copy_is_that_of_all_its_accelerators if sizing.copy(_model({})).memory_mib == 46068

# The widest cache of any model so far, GPT-3's, is 2 x 96 layers x 12,288 values of 16 bits.
test_absurd_figures_of_a_tenant_stay_exact if {
	largest := 9007199254740991
	copy := sizing.copy(_model({
		"model": {"params_m": largest, "context_tokens": largest},
		"fit": {
			"weight_bits": 64,
			"kv_values_per_token": 2359296,
			"usable_mib": 294912,
			"accelerators_per_copy": largest,
		},
	}))
	[part.mib | some part in sizing.parts(copy)] == [762939453, 450000000]
	copy.memory_mib == 294912000000
}
