package policies.rules.hygiene.bypass_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.bypass

_found(ways, changes) := found if {
	placement := object.union(testing.workload({}).placement, {"bypasses": ways})
	resource := testing.workload(object.union({"placement": placement}, changes))
	found := bypass.deny with input as testing.request([resource])
		with data.org as {"hygiene": {"agent_namespaces": ["gpu-operator"]}}
}

_in(name) := {"cluster": null, "namespace": name, "account": null, "project": null, "workspace": null}

_refused(ways) := {{
	"code": "HYG-011",
	"resource": "Deployment prod/llama-70b",
	"facts": {"ways": ways},
}}

test_each_way_past_the_scheduler_is_named if {
	_found(["NVIDIA_VISIBLE_DEVICES"], {}) == _refused("NVIDIA_VISIBLE_DEVICES")
	_found(["/dev/kfd", "runtimeClassName"], {}) == _refused("/dev/kfd, runtimeClassName")
}

test_only_the_first_ways_are_named if {
	_found(["a", "b", "c", "d", "e", "f"], {}) == _refused("a, b, c, d, e")
}

test_asking_the_scheduler_and_deleting_are_fine if {
	_found([], {}) == set()
	_found(["/dev/kfd"], {"change": "delete"}) == set()
	_found([], {"change": "delete", "unknown": {"/placement": "elsewhere"}}) == set()
}

test_agents_of_the_platform_are_left_alone if {
	_found(["/dev/kfd"], {"scope": _in("gpu-operator")}) == set()
	_found(["/dev/kfd"], {"scope": _in("trial")}) == _refused("/dev/kfd")
	_found([], {"scope": _in("gpu-operator"), "unknown": {"/placement": "elsewhere"}}) == set()
}

test_a_pod_that_cannot_be_seen_is_undetermined if {
	_found([], {"unknown": {"/placement": "elsewhere"}}) == {{
		"code": "HYG-011",
		"resource": "Deployment prod/llama-70b",
		"undetermined": ["/placement/bypasses"],
	}}
}
