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
