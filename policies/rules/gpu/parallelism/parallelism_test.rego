package policies.rules.gpu.parallelism_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.parallelism

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

# Qwen2.5 7B has 28 attention heads and 4 key-value heads.
_serving(changes) := testing.workload(object.union(
	{
		"accelerators": [testing.accelerator({"min": 8, "max": 8})],
		"model": {"id": "Qwen/Qwen2.5-7B-Instruct", "tensor_parallel": 8},
		"fit": {"attention": "gqa", "attention_heads": 28, "kv_heads": 4, "scale_up_domain": 8},
	},
	changes,
))

_found(resource) := found if {
	found := parallelism.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.org as {"gpu": {"tensor_parallel_without_link": 2}}
}

_uneven(facts) := {{"code": "GPU-006", "resource": "Deployment prod/llama-70b", "facts": facts}}

_far(facts) := {{"code": "GPU-007", "resource": "Deployment prod/llama-70b", "facts": facts}}

_undetermined(code, missing) := {{"code": code, "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_degree_that_does_not_divide_the_heads_is_refused if {
	_found(_serving({})) == _uneven({
		"degree": 8,
		"heads": "28 attention heads",
		"degrees": "1, 2, 4",
	})
}

test_a_degree_that_divides_the_heads_is_fine if _found(_serving({"model": {"tensor_parallel": 4}})) == set()

test_no_tensor_parallelism_divides_everything if {
	_found(_serving({"model": {"tensor_parallel": 1}})) == set()
	_found(_serving({"model": {"tensor_parallel": null}})) == set()
	_found(_serving({"model": {"tensor_parallel": 0}})) == set()
}

# phi-4 has 40 attention heads and 10 key-value heads: 4 divides the former only.
test_key_value_heads_are_shared_out_evenly_or_copied_whole if {
	phi := {"attention_heads": 40, "kv_heads": 10}
	_found(_serving({"model": {"tensor_parallel": 4}, "fit": phi})) == _uneven({
		"degree": 4,
		"heads": "10 key-value heads",
		"degrees": "1, 2, 5, 10",
	})
	_found(_serving({"model": {"tensor_parallel": 8}, "fit": {"attention_heads": 64, "kv_heads": 4}})) == set()
	_found(_serving({"model": {"tensor_parallel": 4}, "fit": object.union(phi, {"attention": "mla"})})) == set()
}

test_what_sglang_divides_otherwise_is_left_alone if {
	sglang := {"model": {"data_parallel": 2}, "provenance": {"/model/data_parallel": "inferred:sglang"}}
	_found(_serving(sglang)) == set()
	_found(_serving(object.union(sglang, {"model": {"data_parallel": 1}}))) != set()
	_found(_serving({"model": {"data_parallel": 2}})) != set()
}

test_heads_that_are_not_known_are_pointed_at if {
	_found(_serving({"fit": {"attention_heads": null}})) == _undetermined("GPU-006", ["/fit/attention_heads"])
	even := {"attention_heads": 64}
	_found(_serving({"fit": object.union(even, {"kv_heads": null})})) == _undetermined("GPU-006", ["/fit/kv_heads"])
	_found(_serving({"fit": object.union(even, {"attention": null})})) == _undetermined("GPU-006", ["/fit/attention"])
}

test_without_a_model_there_are_no_heads_to_divide if {
	nameless := {"model": {"id": null}, "fit": {"attention_heads": null}}
	_found(_serving(nameless)) == set()
	_found(_serving(object.union(nameless, {"unknown": {"/model/id": "elsewhere"}}))) == _undetermined(
		"GPU-006",
		["/fit/attention_heads"],
	)
}

test_a_degree_that_is_still_to_come_is_pointed_at if {
	later := {"model": {"tensor_parallel": null}, "unknown": {"/model/tensor_parallel": "elsewhere"}}
	missing := ["/model/tensor_parallel"]
	_found(_serving(later)) == _undetermined("GPU-006", missing) | _undetermined("GPU-007", missing)
	_found(_serving(object.union(later, {"change": "delete"}))) == set()
}

test_a_group_beyond_the_fast_link_is_reported if {
	sixteen := {"model": {"tensor_parallel": 16}, "fit": {"attention_heads": 64}}
	_found(_serving(sixteen)) == _far({
		"degree": 16,
		"link": "the fast link of NVIDIA-L4 joins 8",
		"most": 8,
	})
	_found(_serving(object.union(sixteen, {"fit": {"scale_up_domain": 72}}))) == set()
}

_behind(degree, domain) := _serving({
	"model": {"tensor_parallel": degree},
	"fit": {"attention_heads": 64, "scale_up_domain": domain},
})

test_cards_without_a_link_may_be_paired if {
	_found(_behind(2, 1)) == set()
	_found(_behind(4, 1)) == _far({"degree": 4, "link": "NVIDIA-L4 has no fast link to others", "most": 2})
}

test_a_link_that_is_not_known_is_pointed_at_unless_any_would_do if {
	_found(_behind(2, null)) == set()
	_found(_behind(4, null)) == _undetermined("GPU-007", ["/fit/scale_up_domain"])
}

test_what_takes_no_accelerators_is_left_alone if {
	_found(_serving({"accelerators": []})) == set()
	_found(_serving({"change": "no_op"})) == set()
}
