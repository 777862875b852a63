package policies.rules.gpu.shared_memory_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.shared_memory

_serving(changes) := testing.workload(object.union(
	{
		"accelerators": [_each(4)],
		"software_stack": "cuda",
		"model": {"tensor_parallel": 4},
		"placement": {"host_ipc": false},
	},
	changes,
))

_each(number) := object.union(testing.accelerator({"min": 4, "max": 4}), {"per_worker": number})

_found(resource) := found if {
	found := shared_memory.deny with input as testing.request([resource])
		with data.org as {"gpu": {"shared_memory_mib": 1024}}
}

_short(shm_mib) := {{
	"code": "GPU-016",
	"resource": "Deployment prod/llama-70b",
	"facts": {"each": 4, "shm_mib": shm_mib, "least_mib": 1024},
}}

_undetermined(missing) := {{"code": "GPU-016", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_pod_with_the_default_of_the_runtime_is_reported if _found(_serving({})) == _short(64)

test_a_volume_that_is_too_small_is_reported if {
	_found(_serving({"placement": {"shm_mib": 512}})) == _short(512)
	_found(_serving({"placement": {"shm_mib": 1024}})) == set()
}

test_a_pod_that_shares_the_memory_of_its_node_is_fine if {
	_found(_serving({"placement": {"host_ipc": true}})) == set()
}

test_every_way_of_joining_processes_needs_memory if {
	apart := {"model": {"tensor_parallel": 1}}
	_found(_serving(apart)) == set()
	_found(_serving(object.union(apart, {"model": {"pipeline_parallel": 2}}))) == _short(64)
	_found(_serving(object.union(apart, {"model": {"data_parallel": 2}}))) == _short(64)
	_found(_serving(object.union(apart, {"purpose": "finetuning"}))) == _short(64)
}

test_one_accelerator_in_each_pod_shares_nothing if _found(_serving({"accelerators": [_each(1)]})) == set()

test_other_libraries_have_other_ways if {
	_found(_serving({"software_stack": "xla"})) == set()
	_found(_serving({"software_stack": null})) == _short(64)
}

test_what_runs_as_no_pod_is_left_alone if {
	_found(_serving({"placement": {"host_ipc": null}})) == set()
	_found(_serving({"role": "capacity"})) == set()
	_found(_serving({"accelerators": []})) == set()
	_found(_serving({"change": "delete"})) == set()
}

test_each_missing_value_is_pointed_at_rather_than_skipped if {
	_found(_serving({"accelerators": null})) == _undetermined(["/accelerators"])
	_found(_serving({"accelerators": [_each(null)]})) == _undetermined(["/accelerators"])
	_found(_serving({"unknown": {"/placement/shm_mib": "undeclared"}})) == _undetermined(["/placement/shm_mib"])
	_found(_serving({
		"placement": {"host_ipc": null},
		"unknown": {"/placement/host_ipc": "sensitive"},
	})) == _undetermined(["/placement/host_ipc"])
	not_seen := {"model": {"tensor_parallel": null}}
	_found(_serving(object.union(not_seen, {"unknown": {"/model/tensor_parallel": "elsewhere"}}))) == _undetermined([
		"/model/tensor_parallel",
	])
	_found(_serving(object.union(not_seen, {"unknown": {"/purpose": "elsewhere"}}))) == _undetermined(["/purpose"])
}
