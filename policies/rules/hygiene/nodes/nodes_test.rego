package policies.rules.hygiene.nodes_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.nodes

_org := {"hygiene": {"clusters": {"lab": {
	"taints": {"nvidia": ["nvidia.com/gpu", "lab.example/shared"], "amd": ["amd.com/gpu"]},
	"runtime_class": {"nvidia": "nvidia"},
}}}}

_item(maker) := object.union(testing.accelerator({"min": 1, "max": 1}), {"manufacturer": maker})

_placed(makers, placement, changes) := testing.workload(object.union(
	{
		"accelerators": [_item(maker) | some maker in makers],
		"placement": object.union({"tolerations": [], "runtime_class": "nvidia"}, placement),
	},
	changes,
))

_found_in(cluster, resource) := found if {
	request := object.union(testing.request([resource]), {"scope": {"cluster": cluster}})
	found := nodes.deny with input as request with data.org as _org
}

_found(resource) := _found_in("lab", resource)

_pending(taints) := {{"code": "HYG-008", "resource": "Deployment prod/llama-70b", "facts": {"taints": taints}}}

_blind := {{"code": "HYG-009", "resource": "Deployment prod/llama-70b", "facts": {"runtime_class": "nvidia"}}}

_undetermined(code, missing) := {{
	"code": code,
	"resource": "Deployment prod/llama-70b",
	"undetermined": missing,
}}

_tolerated := {"tolerations": ["nvidia.com/gpu", "lab.example/shared"]}

test_taints_of_its_own_accelerators_have_to_be_tolerated if {
	_found(_placed(["nvidia"], {}, {})) == _pending("nvidia.com/gpu, lab.example/shared")
	_found(_placed(["nvidia", "nvidia"], {"tolerations": ["lab.example/shared"]}, {})) == _pending("nvidia.com/gpu")
	_found(_placed(["amd"], {}, {})) == _pending("amd.com/gpu")
}

test_tolerated_taints_are_fine if {
	_found(_placed(["nvidia"], _tolerated, {})) == set()
	_found(_placed(["nvidia"], {"tolerations": ["*"]}, {})) == set()
	_found(_placed(["google"], {}, {})) == set()
}

test_the_runtime_class_has_to_be_named if {
	_found(_placed(["nvidia"], object.union(_tolerated, {"runtime_class": null}), {})) == _blind
	_found(_placed(["nvidia"], object.union(_tolerated, {"runtime_class": "kata"}), {})) == set()
	_found(_placed(["amd"], {"tolerations": ["*"], "runtime_class": null}, {})) == set()
}

test_clusters_without_facts_need_nothing if {
	_found_in("prod", _placed(["nvidia"], {"runtime_class": null}, {})) == set()
	_found_in(null, _placed(["nvidia"], {"runtime_class": null}, {})) == set()
}

test_what_the_pod_states_and_nobody_can_see_is_pointed_at if {
	tolerations := {"unknown": {"/placement/tolerations": "after_apply"}}
	_found(_placed(["nvidia"], {}, tolerations)) == _undetermined("HYG-008", ["/placement/tolerations"])
	classes := {"unknown": {"/placement/runtime_class": "after_apply"}}
	_found(_placed(["nvidia"], object.union(_tolerated, {"runtime_class": null}), classes)) == _undetermined(
		"HYG-009",
		["/placement/runtime_class"],
	)
}

test_accelerators_without_a_maker_may_be_of_any if {
	_found(_placed([null], _tolerated, {})) == _undetermined("HYG-008", ["/accelerators/0/manufacturer"])
	everything := {"tolerations": ["*"], "runtime_class": null}
	_found(_placed([null], everything, {})) == _undetermined("HYG-009", ["/accelerators/0/manufacturer"])
	_found(_placed([], everything, {"accelerators": null})) == _undetermined("HYG-009", ["/accelerators"])
}

test_what_takes_nothing_is_left_alone if {
	_found(_placed([], {}, {})) == set()
	_found(_placed(["nvidia"], {}, {"change": "delete"})) == set()
	_found(_placed(["nvidia"], {}, {"role": "capacity"})) == set()
}

_taint(key) := {"key": key, "effect": "NoSchedule"}

_group(changes) := object.union(
	{"resource": "nvidia.com/gpu", "manufacturer": "nvidia", "model": "nvidia-l4", "taints": [_taint("team-a")]},
	changes,
)

_watched(groups) := {"nodes": groups, "grows": false, "queue": null}

_found_among(facts, cluster, resource) := found if {
	request := object.union(testing.request([resource]), {
		"scope": {"cluster": cluster},
		"context": {"cluster": facts},
	})
	found := nodes.deny with input as request with data.org as _org
}

test_taints_of_known_nodes_have_to_be_tolerated if {
	facts := _watched([_group({}), _group({"taints": [_taint("b"), {"key": "a", "effect": "NoExecute"}]})])
	_found_among(facts, "prod", _placed(["nvidia"], {}, {})) == _pending("a, b, team-a")
	_found_among(facts, "prod", _placed(["nvidia"], {"tolerations": ["team-a"]}, {})) == set()
	_found_among(facts, "prod", _placed(["nvidia"], {"tolerations": ["*"]}, {})) == set()
	_found_among(facts, "prod", _placed(["nvidia"], {"tolerations": ["b", "*:NoExecute"]}, {})) == set()
	_found_among(facts, "prod", _placed(["nvidia"], {"tolerations": ["b", "*:Other"]}, {})) == _pending("a, team-a")
}

test_where_nodes_may_be_added_those_there_say_nothing if {
	facts := object.union(_watched([_group({})]), {"grows": true})
	_found_among(facts, "prod", _placed(["nvidia"], {}, {})) == set()
	_found_among(facts, "lab", _placed(["nvidia"], {}, {})) == _pending("nvidia.com/gpu, lab.example/shared")
}

test_nodes_without_taints_let_everybody_in if {
	_found_among(_watched([_group({}), _group({"taints": []})]), "prod", _placed(["nvidia"], {}, {})) == set()
}

test_only_the_first_taints_are_named if {
	facts := _watched([_group({"taints": [_taint(key) | some key in ["a", "b", "c", "d", "e", "f"]]})])
	_found_among(facts, "prod", _placed(["nvidia"], {}, {})) == _pending("a, b, c, d, e")
}

test_a_taint_with_the_name_of_the_resource_is_tolerated_by_the_cluster if {
	facts := _watched([_group({"taints": [_taint("nvidia.com/gpu")]})])
	_found_among(facts, "prod", _placed(["nvidia"], {}, {})) == set()
	_found_among(facts, "prod", _placed(["nvidia"], {}, {"kind": "Pod"})) == _pending("nvidia.com/gpu")
	_found_among(facts, "lab", _placed(["nvidia"], {}, {})) == _pending("nvidia.com/gpu")
}

test_a_queue_adds_tolerations if {
	facts := {"nodes": [_group({})], "grows": false, "queue": {"flavors": [{"tolerations": ["team-a"]}]}}
	_found_among(facts, "prod", _placed(["nvidia"], {}, {})) == set()
	other := {"nodes": [_group({})], "grows": false, "queue": {"flavors": [{"tolerations": ["team-b"]}]}}
	_found_among(other, "prod", _placed(["nvidia"], {}, {})) == _pending("team-a")
}

test_nodes_with_other_accelerators_say_nothing if {
	amd := _watched([_group({"resource": "amd.com/gpu", "manufacturer": "amd"})])
	_found_among(amd, "prod", _placed(["nvidia"], {}, {})) == set()
	_found_among(amd, "lab", _placed(["nvidia"], {}, {})) == _pending("nvidia.com/gpu, lab.example/shared")
	_found_among(_watched([_group({"model": "nvidia-h100-sxm"})]), "prod", _placed(["nvidia"], {}, {})) == set()
	_found_among(_watched([_group({"model": null})]), "prod", _placed(["nvidia"], {}, {})) == _pending("team-a")
}

test_a_device_of_a_claim_is_on_nodes_of_its_maker if {
	claimed := object.union(_item("nvidia"), {"resource": "gpu.nvidia.com", "model": null})
	_found_among(_watched([_group({})]), "prod", _placed([], {}, {"accelerators": [claimed]})) == _pending("team-a")
}

test_accelerators_without_a_name_may_be_on_any_node if {
	nameless := {"accelerators": [object.union(_item("nvidia"), {"resource": null})]}
	hidden := {"accelerators": null, "unknown": {"/accelerators": "elsewhere"}}
	facts := _watched([_group({})])
	_found_among(facts, "prod", _placed([], {}, nameless)) == _undetermined("HYG-008", ["/accelerators/0/resource"])
	_found_among(facts, "prod", _placed([], {}, hidden)) == _undetermined("HYG-008", ["/accelerators"])
	open := _watched([_group({}), _group({"taints": []})])
	_found_among(open, "prod", _placed([], {}, nameless)) == set()
	_found_among(open, "prod", _placed([], {}, hidden)) == set()
}

test_a_cluster_whose_nodes_are_not_known_needs_what_is_stated if {
	_found_among(_watched(null), "prod", _placed(["nvidia"], {}, {})) == set()
	_found_among(_watched(null), "lab", _placed(["nvidia"], {}, {})) == _pending("nvidia.com/gpu, lab.example/shared")
}

test_tolerations_that_nobody_can_see_of_known_nodes_are_pointed_at if {
	hidden := {"unknown": {"/placement/tolerations": "after_apply"}}
	_found_among(_watched([_group({})]), "prod", _placed(["nvidia"], {}, hidden)) == _undetermined(
		"HYG-008",
		["/placement/tolerations"],
	)
}
