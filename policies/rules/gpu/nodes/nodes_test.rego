package policies.rules.gpu.nodes_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.nodes

# Four workers with two accelerators each, on nodes of eight.
_gang(changes) := testing.workload(object.union(
	{
		"purpose": "pretraining",
		"workers_per_copy": 4,
		"instance_type": "p5.48xlarge",
		"accelerators": [_each(2)],
		"fit": {"accelerators_per_node": 8},
	},
	changes,
))

_each(number) := object.union(testing.accelerator({"min": 8, "max": 8}), {"per_worker": number})

_found(resource) := found if {
	found := nodes.deny with input as testing.request([resource])
}

_undetermined(missing) := {{"code": "GPU-009", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_workers_on_parts_of_nodes_are_reported if {
	_found(_gang({})) == {{
		"code": "GPU-009",
		"resource": "Deployment prod/llama-70b",
		"facts": {"workers": 4, "each": 2, "per_node": 8, "enough": 1},
	}}
}

test_the_number_of_whole_nodes_is_rounded_up if {
	some finding in _found(_gang({"workers_per_copy": 5}))
	finding.facts.enough == 2
}

test_workers_on_whole_nodes_are_fine if _found(_gang({"accelerators": [_each(8)]})) == set()

test_what_is_no_training_gang_is_left_alone if {
	_found(_gang({"workers_per_copy": 1})) == set()
	_found(_gang({"workers_per_copy": null})) == set()
	_found(_gang({"purpose": "batch"})) == set()
	_found(_gang({"purpose": null})) == set()
	_found(_gang({"role": "capacity"})) == set()
	_found(_gang({"change": "delete"})) == set()
}

test_nodes_that_nobody_states_are_left_alone if {
	_found(_gang({"instance_type": null, "fit": {"accelerators_per_node": null}})) == set()
}

test_parts_of_devices_and_several_kinds_say_nothing_of_a_node if {
	_found(_gang({"accelerators": [object.union(_each(2), {"slice": "1g.10gb"})]})) == set()
	_found(_gang({"accelerators": [_each(2), _each(2)]})) == set()
}

test_each_missing_value_is_pointed_at_rather_than_skipped if {
	_found(_gang({"fit": {"accelerators_per_node": null}})) == _undetermined(["/fit/accelerators_per_node"])
	_found(_gang({"accelerators": [_each(null)]})) == _undetermined(["/accelerators/0/per_worker"])
	_found(_gang({"accelerators": null})) == _undetermined(["/accelerators/0/per_worker"])
	hidden := {"unknown": {"/purpose": "after_apply", "/workers_per_copy": "elsewhere"}}
	_found(_gang(object.union(hidden, {"purpose": null}))) == _undetermined(["/purpose"])
	_found(_gang(object.union(hidden, {"workers_per_copy": null}))) == _undetermined(["/workers_per_copy"])
}

test_a_type_that_is_still_to_come_is_pointed_at if {
	later := _gang({
		"instance_type": null,
		"fit": {"accelerators_per_node": null},
		"unknown": {"/fit/accelerators_per_node": "after_apply"},
	})
	_found(later) == _undetermined(["/fit/accelerators_per_node"])
}
