package policies.rules.gpu.retired_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.retired

_catalog := {"accelerators": {
	"nvidia-k80": {"label": "Tesla-K80", "status": "retired"},
	"nvidia-t4": {"label": "Tesla-T4", "status": "previous"},
	"nvidia-l4": {"label": "NVIDIA-L4", "status": "current"},
	"nvidia-x9": {"label": "NVIDIA-X9", "status": null},
}}

_taking(models) := [item |
	some model in models
	item := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": model})
]

_found(resource) := found if {
	found := retired.deny with input as testing.request([resource]) with data.catalog as _catalog
}

_capacity(models) := testing.capacity({"accelerators": _taking(models)})

_undetermined(missing) := {{"code": "GPU-010", "resource": "aws_instance.gpu", "undetermined": missing}}

test_a_retired_accelerator_is_reported_by_its_label if {
	_found(_capacity(["nvidia-k80"])) == {{
		"code": "GPU-010",
		"resource": "aws_instance.gpu",
		"facts": {"retired": "Tesla-K80"},
	}}
}

test_a_retired_accelerator_is_reported_beside_one_that_is_not_known if {
	{finding.facts.retired | some finding in _found(_capacity(["nvidia-l4", null, "nvidia-k80"]))} == {"Tesla-K80"}
}

test_current_and_previous_generations_are_fine if {
	_found(_capacity(["nvidia-t4", "nvidia-l4"])) == set()
	_found(testing.workload({"accelerators": _taking(["nvidia-l4"])})) == set()
}

test_what_is_not_known_is_pointed_at if {
	_found(_capacity(["nvidia-l4", null])) == _undetermined(["/accelerators/1/model"])
	_found(_capacity(["nvidia-x9"])) == _undetermined(["/accelerators/0/model"])
	_found(testing.capacity({"accelerators": null})) == _undetermined(["/accelerators"])
}

test_what_takes_no_accelerators_is_left_alone if {
	_found(testing.capacity({})) == set()
	_found(object.union(_capacity(["nvidia-k80"]), {"change": "delete"})) == set()
}
