package policies.rules.gpu.rentable_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.rentable

_catalog := {"accelerators": {
	"meta-mtia-v2": {"label": "meta-mtia-v2", "rentable": "first-party-only"},
	"groq-lpu-v1": {"label": "groq-lpu-v1", "rentable": "api-only"},
	"nvidia-l4": {"label": "NVIDIA-L4", "rentable": "yes"},
}}

_capacity(models) := testing.capacity({"accelerators": [item |
	some model in models
	item := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": model})
]})

_found(resource) := found if {
	found := rentable.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.org as {"gpu": {"own_accelerators": ["cerebras-wse3"]}}
}

_undetermined(missing) := {{"code": "GPU-014", "resource": "aws_instance.gpu", "undetermined": missing}}

test_what_only_its_maker_uses_is_refused if {
	_found(_capacity([null, "meta-mtia-v2"])) == {{
		"code": "GPU-014",
		"resource": "aws_instance.gpu",
		"facts": {"label": "meta-mtia-v2", "why": "only its maker uses"},
	}}
}

test_what_is_sold_as_an_api_is_refused if {
	{finding.facts.why | some finding in _found(_capacity(["groq-lpu-v1"]))} == {"its maker sells as an API only"}
}

test_what_is_rented_out_or_our_own_is_fine if {
	_found(_capacity(["nvidia-l4", "cerebras-wse3"])) == set()
}

test_what_is_not_known_is_pointed_at if {
	_found(_capacity(["nvidia-l4", null])) == _undetermined(["/accelerators/1/model"])
	_found(_capacity(["amd-x1"])) == _undetermined(["/accelerators/0/model"])
	_found(testing.capacity({"accelerators": null})) == _undetermined(["/accelerators"])
}

test_what_takes_nothing_is_left_alone if {
	_found(testing.capacity({})) == set()
	_found(object.union(_capacity(["meta-mtia-v2"]), {"change": "delete"})) == set()
}
