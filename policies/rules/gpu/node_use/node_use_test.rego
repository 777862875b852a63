package policies.rules.gpu.node_use_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.node_use

_org := {"hygiene": {"clusters": {"lab": {"taints": {"nvidia": ["lab.example/gpu"]}}}}}

_tolerating(keys, changes) := testing.workload(object.union({"placement": {"tolerations": keys}}, changes))

_found(resource) := found if {
	request := object.union(testing.request([resource]), {"scope": {"cluster": "lab"}})
	found := node_use.deny with input as request with data.org as _org
}

_refused(tolerated) := {{
	"code": "GPU-017",
	"resource": "Deployment prod/llama-70b",
	"facts": {"tolerated": tolerated},
}}

_undetermined(missing) := {{"code": "GPU-017", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_workload_without_accelerators_that_tolerates_their_taint_is_reported if {
	_found(_tolerating(["other", "nvidia.com/gpu"], {})) == _refused("the taint nvidia.com/gpu")
	_found(_tolerating(["lab.example/gpu"], {})) == _refused("the taint lab.example/gpu")
}

test_a_workload_that_tolerates_everything_is_reported if {
	_found(_tolerating(["*"], {})) == _refused("every taint")
	_found(_tolerating(["*:NoSchedule"], {})) == _refused("every taint")
}

test_other_tolerations_are_fine if {
	_found(_tolerating(["node.kubernetes.io/not-ready", "*:NoExecute"], {})) == set()
	_found(_tolerating([], {})) == set()
}

test_a_workload_with_accelerators_belongs_there if {
	_found(_tolerating(["*"], {"accelerators": [testing.accelerator({"min": 1, "max": 1})]})) == set()
}

test_daemon_sets_run_everywhere if {
	_found(_tolerating(["*"], {"kind": "DaemonSet"})) == set()
	_found(_tolerating(["*"], {"kind": "Pod", "part_of": {"kind": "DaemonSet", "name": "agent"}})) == set()
	_found(_tolerating(["*"], {"kind": "Pod", "part_of": {"kind": "Job", "name": "load"}})) == _refused("every taint")
}

test_what_is_not_known_is_pointed_at if {
	_found(_tolerating(["*"], {"accelerators": null})) == _undetermined(["/accelerators"])
	_found(_tolerating([], {"unknown": {"/placement": "elsewhere"}})) == _undetermined(["/placement/tolerations"])
}

test_accelerators_that_another_object_asks_for_are_no_reason if {
	claimed := {"accelerators": null, "unknown": {"/accelerators": "elsewhere"}}
	_found(_tolerating(["nvidia.com/gpu"], claimed)) == set()
}

test_what_takes_nothing_is_left_alone if {
	_found(_tolerating(["*"], {"change": "delete"})) == set()
	_found(_tolerating(["*"], {"role": "capacity"})) == set()
	_found(_tolerating([], {"change": "delete", "unknown": {"/placement": "elsewhere"}})) == set()
}
