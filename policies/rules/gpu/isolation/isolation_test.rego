package policies.rules.gpu.isolation_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.isolation

_org := {"gpu": {"isolated_classes": ["health"]}}

_item(sharing) := object.union(testing.accelerator({"min": 1, "max": 1}), {"sharing": sharing})

_holding(classes, sharing, changes) := testing.workload(object.union(
	{
		"data": [{"class": class, "asset": null} | some class in classes],
		"accelerators": [_item(each) | some each in sharing],
	},
	changes,
))

_found(resource) := found if {
	found := isolation.deny with input as testing.request([resource])
		with data.org as _org
		with data.catalog as {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}
}

_refused(how) := {{
	"code": "GPU-013",
	"resource": "Deployment prod/llama-70b",
	"facts": {"data_class": "health", "label": "NVIDIA-L4", "how": how},
}}

_undetermined(missing) := {{"code": "GPU-013", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_listed_class_on_shared_memory_is_refused if {
	_found(_holding(["public", "health"], ["time_sliced"], {})) == _refused("by time slicing or MPS")
	_found(_holding(["health"], ["whole", null, "fraction"], {})) == _refused("by fractions")
}

test_whole_accelerators_and_partitions_are_fine if _found(_holding(["health"], ["whole", "mig"], {})) == set()

test_other_classes_may_share if _found(_holding(["public"], ["time_sliced", null], {})) == set()

test_the_fraction_that_a_cloud_sells_is_a_partition if {
	_found(_holding(["health"], ["fraction"], {"role": "capacity"})) == set()
	_found(_holding(["health"], ["time_sliced"], {"role": "capacity"})) == _refused("by time slicing or MPS")
}

test_what_is_not_known_is_pointed_at if {
	_found(_holding(["health"], ["whole", null], {})) == _undetermined(["/accelerators/1/sharing"])
	_found(_holding(["health"], [], {"accelerators": null})) == _undetermined(["/accelerators"])
	_found(_holding([], ["fraction"], {"unknown": {"/data": "after_apply"}})) == _undetermined(["/data"])
	_found(_holding([], ["mig"], {"unknown": {"/data": "after_apply"}})) == set()
}

test_an_organisation_that_lists_no_class_is_not_asked if {
	resource := _holding(["health"], [null, "fraction"], {})
	found := isolation.deny with input as testing.request([resource]) with data.org as {} with data.catalog as {}
	found == set()
}

test_what_takes_nothing_is_left_alone if {
	_found(_holding(["health"], [], {})) == set()
	_found(_holding(["health"], ["fraction"], {"change": "delete"})) == set()
}
