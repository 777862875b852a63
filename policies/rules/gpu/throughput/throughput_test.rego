package policies.rules.gpu.throughput_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.throughput

_catalog := {"accelerators": {"amd-mi300x": {"label": "AMD_Instinct_MI300X_OAM", "bandwidth_gbs": 5300}}}

_mi300x := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": "amd-mi300x"})

# Llama 3 70B in bf16 on one MI300X in two copies. 5,300 GB/s x 0.8 are 33,920,000 Mbit/s. A step reads
# 70,600 x 16 = 1,129,600 Mbit of weights and for each of 32 sequences 163,840 values x 2,048 tokens
# (a quarter of 8,192) x 16 bits = 5,368 Mbit: 1,301,376 in all. That are 26.1 steps per second (1,669
# parts of 64), 834 tokens per copy and 1,668 of both.
_serving(changes) := testing.workload(object.union(
	{
		"purpose": "inference",
		"accelerators": [_mi300x],
		"copies": {"min": 1, "max": 2},
		"throughput": {"requests_per_minute": null, "tokens_per_second": 1669, "utilisation_percent": null},
		"model": {"id": "llama-3-70b", "params_m": 70600, "context_tokens": 8192, "concurrency": 32},
		"fit": {
			"weight_bits": 16,
			"kv_bits": 16,
			"kv_values_per_token": 163840,
			"window_tokens": 0,
			"window_kv_values_per_token": 0,
			"kv_is_upper_bound": false,
			"max_context_tokens": 131072,
			"params_active_m": 70600,
			"usable_mib": 196592,
			"accelerators_per_copy": 1,
		},
	},
	changes,
))

_found_with(resource, org) := found if {
	found := throughput.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.org as org
}

_found(resource) := _found_with(resource, {})

_facts := {
	"claimed": 1669,
	"copies": "2 copies",
	"count": 1,
	"label": "AMD_Instinct_MI300X_OAM",
	"bandwidth_gbs": 5300,
	"batch": 32,
	"bound": 1668,
}

_warned(changes) := {{
	"code": "GPU-015",
	"resource": "Deployment prod/llama-70b",
	"facts": object.union(_facts, changes),
}}

_undetermined(missing) := {{"code": "GPU-015", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

_claim(tokens) := {"throughput": {"tokens_per_second": tokens}}

test_more_tokens_than_memory_delivers_are_warned_of if _found(_serving({})) == _warned({})

test_as_many_tokens_as_memory_delivers_are_fine if _found(_serving(_claim(1668))) == set()

test_one_copy_is_called_one if {
	_found(_serving({"copies": {"min": 1, "max": 1}})) == _warned({"copies": "one copy", "bound": 834})
}

test_only_active_parameters_are_read if _found(_serving({"fit": {"params_active_m": 12900}})) == set()

test_servers_that_speculate_yield_more_per_step if {
	_found_with(_serving({}), {"gpu": {"tokens_per_pass_percent": 150}}) == set()
}

# Without the cache a step reads the weights alone: 1,922 parts of 64, 961 tokens, 1,922 of both.
test_a_cache_that_is_not_certain_is_left_out if {
	_found(_serving({"fit": {"kv_is_upper_bound": true}})) == set()
	_found(_serving({"model": {"context_tokens": null}})) == set()
	above := object.union(_claim(1923), {"fit": {"kv_is_upper_bound": true}})
	_found(_serving(above)) == _warned({"claimed": 1923, "bound": 1922})
}

test_the_organisation_says_how_long_sequences_are if {
	_found_with(_serving({}), {"gpu": {"mean_context_percent": 0}}) == set()
	_found_with(_serving(_claim(1300)), {"gpu": {"mean_context_percent": 100}}) == _warned({"claimed": 1300, "bound": 1194})
}

test_no_throughput_and_no_batch_are_no_claim if {
	_found(_serving(_claim(null))) == set()
	_found(_serving({"model": {"concurrency": null}})) == set()
}

test_a_claim_or_batch_still_to_come_is_undetermined if {
	every pointer in ["/throughput/tokens_per_second", "/model/concurrency"] {
		[_, section, name] := split(pointer, "/")
		later := {section: {name: null}, "unknown": {pointer: "after_apply"}}
		_found(_serving(later)) == _undetermined([pointer])
	}
}

test_each_missing_value_is_pointed_at if {
	every pointer in ["/copies/max", "/fit/accelerators_per_copy", "/fit/params_active_m", "/fit/weight_bits"] {
		[_, section, name] := split(pointer, "/")
		_found(_serving({section: {name: null}})) == _undetermined([pointer])
	}
	strange := object.union(_mi300x, {"model": "nvidia-t4g"})
	_found(_serving({"accelerators": [strange]})) == _undetermined(["/accelerators/0/model"])
}

test_a_missing_cache_is_pointed_at_where_it_could_matter if {
	every pointer in ["/fit/kv_bits", "/fit/kv_values_per_token", "/fit/kv_is_upper_bound"] {
		[_, section, name] := split(pointer, "/")
		_found(_serving({section: {name: null}})) == _undetermined([pointer])
	}
	later := {"model": {"context_tokens": null}, "unknown": {"/model/context_tokens": "elsewhere"}}
	_found(_serving(later)) == _undetermined(["/model/context_tokens"])
}

test_accelerators_that_are_not_known_are_pointed_at if {
	_found(_serving({"accelerators": null})) == _undetermined(["/accelerators/0/model"])
}

test_absurd_figures_of_a_tenant_stay_exact if {
	largest := 9007199254740991
	wafer := {"accelerators": {"amd-mi300x": {"label": "wafer", "bandwidth_gbs": 21000000}}}
	absurd := _serving({
		"copies": {"max": largest},
		"throughput": {"tokens_per_second": largest},
		"model": {"concurrency": largest, "context_tokens": null},
		"fit": {"accelerators_per_copy": largest, "params_active_m": 1, "weight_bits": 1},
	})
	found := throughput.deny with input as testing.request([absurd])
		with data.catalog as wafer
		with data.org as {"gpu": {"tokens_per_pass_percent": 1000}}
	[finding.facts.bound | some finding in found] == [7812500000000000]
}

test_what_serves_no_model_on_accelerators_is_left_alone if {
	_found(_serving({"role": "capacity"})) == set()
	_found(_serving({"purpose": "pretraining"})) == set()
}
