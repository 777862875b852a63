package policies.rules.gpu.precision_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.precision

_catalog := {"accelerators": {
	"nvidia-t4": {"label": "Tesla-T4", "precisions": ["fp32", "fp16", "int8"]},
	"nvidia-a100": {"label": "NVIDIA-A100", "precisions": ["fp32", "fp16", "bf16", "int8"]},
	"nvidia-h100": {"label": "NVIDIA-H100", "precisions": ["fp32", "fp16", "bf16", "fp8", "int8"]},
	"nvidia-p40": {"label": "Tesla-P40", "precisions": ["int8"]},
	"nvidia-x9": {"label": "NVIDIA-X9", "precisions": null},
}}

_model(name) := testing.workload({}).model if name == null

_model(name) := object.union(testing.workload({}).model, {"precision": name}) if name != null

_running(name, models, changes) := testing.workload(object.union(
	{
		"model": _model(name),
		"accelerators": [item |
			some model in models
			item := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": model})
		],
	},
	changes,
))

_found(resource) := found if {
	found := precision.deny with input as testing.request([resource]) with data.catalog as _catalog
}

_refused(facts) := {{"code": "GPU-011", "resource": "Deployment prod/llama-70b", "facts": facts}}

_undetermined(missing) := {{"code": "GPU-011", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_precision_that_the_accelerator_lacks_is_reported_with_one_that_it_has if {
	_found(_running("bfloat16", ["nvidia-t4"], {})) == _refused({
		"precision": "bfloat16",
		"needed": "bf16",
		"lacking": "Tesla-T4",
		"instead": "fp16",
	})
	_found(_running("fp8", ["nvidia-a100"], {})) == _refused({
		"precision": "fp8",
		"needed": "fp8",
		"lacking": "NVIDIA-A100",
		"instead": "bf16",
	})
}

test_a_wider_format_of_the_same_kind_comes_first if {
	{finding.facts.instead | some finding in _found(_running("nvfp4", ["nvidia-h100"], {}))} == {"fp8"}
}

test_a_suggestion_holds_for_all_accelerators_that_lack_it if {
	{[finding.facts.lacking, finding.facts.instead] |
		some finding in _found(_running("fp8", ["nvidia-a100", "nvidia-h100", "nvidia-t4"], {}))
	} == {["NVIDIA-A100, Tesla-T4", "fp16"]}
}

test_the_hint_never_suppresses_the_finding if {
	{finding.facts.instead | some finding in _found(_running("bf16", ["nvidia-p40"], {}))} == {"another accelerator"}
}

test_what_the_accelerator_computes_in_is_fine if {
	_found(_running("fp8", ["nvidia-h100"], {})) == set()
	_found(_running("fp16", ["nvidia-t4"], {})) == set()
}

test_weights_that_are_unpacked_need_no_arithmetic_of_their_own if {
	_found(_running("awq", ["nvidia-t4"], {})) == set()
	_found(_running("float32", ["nvidia-x9"], {})) == set()
}

test_what_is_not_known_is_pointed_at if {
	_found(_running("bf16", ["nvidia-x9", null], {})) == _undetermined(["/accelerators/0/model", "/accelerators/1/model"])
	_found(_running("bf16", [], {"accelerators": null})) == _undetermined(["/accelerators"])
	_found(_running("bf16000", ["nvidia-t4"], {})) == _undetermined(["/model/precision"])
	_found(_running(null, ["nvidia-t4"], {"unknown": {"/model": "after_apply"}})) == _undetermined(["/model/precision"])
}

test_what_states_no_precision_or_takes_nothing_is_left_alone if {
	_found(_running(null, ["nvidia-t4"], {})) == set()
	_found(_running("bf16", [], {})) == set()
	_found(_running("bf16", ["nvidia-t4"], {"change": "delete"})) == set()
	_found(_running("bf16000", ["nvidia-t4"], {"change": "delete"})) == set()
}
