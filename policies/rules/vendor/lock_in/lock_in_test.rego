package policies.rules.vendor.lock_in_test

import data.policies.lib.testing_test as testing
import data.policies.rules.vendor.lock_in

_catalog := {"accelerators": {
	"google-tpu-v6e": {
		"manufacturer": "google",
		"label": "tpu-v6e-slice",
		"software_stack": "xla",
		"proprietary": true,
	},
	"nvidia-l4": {"manufacturer": "nvidia", "label": "NVIDIA-L4", "software_stack": "cuda", "proprietary": false},
	"groq-lpu-v1": {"manufacturer": "groq", "label": "groq-lpu-v1", "software_stack": "groq", "proprietary": null},
}}

_index := {
	"portable_alternatives": {"google-tpu-v6e": {"label": "NVIDIA-H100-PCIe", "memory_gb": 80, "vendors": 4}},
	"proprietary_makers": {"nvidia": false, "google": true},
}

_taking(model, changes) := testing.workload({"accelerators": [object.union(
	testing.accelerator({"min": 4, "max": 4}),
	object.union({"model": model, "manufacturer": "google"}, changes),
)]})

_judged(resource, index, accepted) := found if {
	found := lock_in.deny with input as testing.request([resource])
		with data.catalog as _catalog
		with data.index as index
		with data.org as {"vendor": {"accepted_proprietary": accepted}}
}

_found(resource) := _judged(resource, _index, [])

_refused(changes) := {{"code": "VEN-005", "resource": "Deployment prod/llama-70b", "facts": object.union(
	{
		"label": "tpu-v6e-slice",
		"maker": "google",
		"stack": "xla",
		"alternative": "NVIDIA-H100-PCIe (80 GB of memory, 4 vendors)",
	},
	changes,
)}}

_undetermined(missing) := {{"code": "VEN-005", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_an_accelerator_of_one_vendor_only_is_named_with_what_others_have if {
	_found(_taking("google-tpu-v6e", {})) == _refused({})
}

test_the_hint_never_suppresses_the_finding if {
	_judged(_taking("google-tpu-v6e", {}), {}, []) == _refused({"alternative": "accelerators that several vendors rent out"})
}

test_what_several_vendors_rent_out_is_fine if _found(_taking("nvidia-l4", {})) == set()

test_what_the_organisation_accepted_is_fine if {
	_judged(_taking("google-tpu-v6e", {}), _index, ["google-tpu-v6e"]) == set()
	_judged(_taking("groq-lpu-v1", {}), _index, ["groq-lpu-v1"]) == set()
	_judged(_taking("google-tpu-v6e", {}), _index, ["google-tpu-v5e"]) == _refused({})
}

test_what_the_catalog_does_not_say_is_pointed_at if {
	_found(_taking("groq-lpu-v1", {})) == _undetermined(["/accelerators/0/model"])
	_found(_taking("nvidia-x1", {"manufacturer": "nvidia"})) == _undetermined(["/accelerators/0/model"])
}

test_a_model_that_is_not_known_is_pointed_at_unless_all_of_its_maker_are_portable if {
	_found(_taking(null, {})) == _undetermined(["/accelerators/0/model"])
	_found(_taking(null, {"manufacturer": null})) == _undetermined(["/accelerators/0/model"])
	_found(_taking(null, {"manufacturer": "nvidia"})) == set()
}

test_what_a_request_holds_twice_is_pointed_at_once if {
	resource := _taking(null, {})
	found := lock_in.deny with input as testing.request([resource, resource])
		with data.catalog as _catalog
		with data.index as _index
	found == _undetermined(["/accelerators/0/model"])
}

test_accelerators_that_are_not_known_are_pointed_at if {
	_found(testing.workload({"accelerators": null})) == _undetermined(["/accelerators"])
	_found(testing.workload({})) == set()
}

test_what_takes_nothing_binds_nobody if {
	every change in ["delete", "no_op", "read"] {
		_found(object.union(_taking("google-tpu-v6e", {}), {"change": change})) == set()
		_found(testing.workload({"accelerators": null, "change": change})) == set()
	}
}
