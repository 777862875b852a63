package policies.rules.gpu.training_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.training

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

# Llama 2 7B, 6,740 million parameters, with AdamW in mixed precision: 102,843 MiB in all.
_run(changes) := testing.workload(object.union(
	{
		"purpose": "pretraining",
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"model": {"id": "meta-llama/Llama-2-7b-hf", "params_m": 6740, "optimizer": "adamw", "precision": "bf16-mixed"},
		"fit": {"accelerators_per_copy": 1, "usable_mib": 81559, "weight_bits": 16},
	},
	changes,
))

_found(resource) := found if {
	found := training.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.org as {"gpu": {"training_memory_percent": 100}}
}

_undetermined(missing) := {{"code": "GPU-004", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_training_on_too_little_memory_is_refused_with_the_number_that_would_do if {
	_found(_run({})) == {{
		"code": "GPU-004",
		"resource": "Deployment prod/llama-70b",
		"facts": {
			"needed_gib": 101,
			"count": 1,
			"label": "NVIDIA-L4",
			"parts": "weights 13 GiB, gradients 13 GiB, optimizer states 76 GiB",
			"usable_gib": 79,
			"enough": 2,
		},
	}}
}

test_training_divided_among_enough_accelerators_is_fine if {
	_found(_run({"fit": {"accelerators_per_copy": 2}})) == set()
}

test_training_that_keeps_replicas_is_refused_however_many_there_are if {
	replicas := {"fit": {"accelerators_per_copy": 8}, "model": {"data_parallel": 8, "zero_stage": 0}}
	some finding in _found(_run(replicas))
	[finding.facts.needed_gib, finding.facts.count, finding.facts.enough] == [101, 8, 2]
}

test_an_organisation_may_leave_room if {
	found := training.deny with input as testing.request([_run({"fit": {"accelerators_per_copy": 2}})])
		with data.catalog as _catalog
		with data.org as {"gpu": {"training_memory_percent": 60}}
	some finding in found
	finding.facts.usable_gib == 47
}

test_a_missing_value_is_pointed_at_unless_the_rest_is_too_much_already if {
	_found(_run({"fit": {"usable_mib": null}})) == _undetermined(["/fit/usable_mib"])
	_found(_run({"fit": {"accelerators_per_copy": null}})) == _undetermined(["/fit/accelerators_per_copy"])
	_found(_run({"model": {"params_m": null}})) == _undetermined(["/model/params_m"])
	hidden := {"unknown": {"/model/zero_stage": "elsewhere"}}
	some finding in _found(_run(hidden))
	finding.facts.needed_gib == 101
	two := {"fit": {"accelerators_per_copy": 2}}
	_found(_run(object.union(hidden, two))) == _undetermined(["/model/zero_stage"])
}

test_a_model_whose_name_is_still_to_come_is_undetermined if {
	_found(_run({
		"model": {"id": null, "params_m": null},
		"unknown": {"/model/params_m": "elsewhere"},
	})) == _undetermined(["/model/params_m"])
}

test_a_purpose_that_is_still_to_come_is_undetermined if {
	later := {"purpose": null, "model": {"optimizer": null}, "unknown": {"/purpose": "after_apply"}}
	little := {"fit": {"usable_mib": 2048}}
	_found(_run(object.union(later, little))) == _undetermined(["/purpose"])
	_found(_run(later)) == set()
}

test_a_fine_tuning_run_is_asked_what_it_trains_where_it_matters if {
	_found(_run({"purpose": "finetuning"})) == _undetermined(["/model/adapter_params_m"])
	_found(_run({"purpose": "finetuning", "fit": {"accelerators_per_copy": 2}})) == set()
	_found(_run({"purpose": "finetuning", "model": {"adapter_params_m": 160}})) == set()
	some finding in _found(_run({"purpose": "finetuning", "model": {"adapter_params_m": 0}}))
	finding.facts.needed_gib == 101
}

test_what_trains_no_model_on_accelerators_is_left_alone if {
	_found(_run({"model": {"id": null, "params_m": null}})) == set()
	_found(_run({"purpose": "inference"})) == set()
	_found(_run({"accelerators": []})) == set()
	_found(_run({"change": "delete"})) == set()
	_found(_run({"role": "capacity"})) == set()
}
