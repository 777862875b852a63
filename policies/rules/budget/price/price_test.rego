package policies.rules.budget.price_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.price

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

_capacity(changes) := testing.capacity(object.union(
	{
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"vendor": "aws",
		"instance_type": "g6.xlarge",
		"region": "eu-south-2",
		"cost": {"basis": "unknown"},
	},
	changes,
))

_found(resource) := found if {
	found := price.deny with input as testing.request([resource]) with data.catalog as _catalog
}

_refused(changes) := {{"code": "BUD-002", "resource": "aws_instance.gpu", "facts": object.union(
	{
		"priced_by": "NVIDIA-L4, aws, g6.xlarge, eu-south-2",
		"vendor": "aws",
		"instance_type": "g6.xlarge",
		"region": "eu-south-2",
	},
	changes,
)}}

test_accelerators_without_a_price_are_reported if _found(_capacity({})) == _refused({})

test_a_price_that_the_catalog_lacks_is_reported if {
	_found(_capacity({"unknown": {"/cost": "not_in_catalog"}})) == _refused({})
}

test_accelerators_that_the_catalog_lacks_are_reported if {
	_found(_capacity({
		"accelerators": null,
		"instance_type": "p9.large",
		"unknown": {"/accelerators": "not_in_catalog"},
	})) == _refused({
		"priced_by": "accelerators, aws, p9.large, eu-south-2",
		"instance_type": "p9.large",
	})
}

test_what_is_not_stated_is_left_out_of_the_words if {
	_found(_capacity({"vendor": null, "instance_type": null, "region": null})) == _refused({
		"priced_by": "NVIDIA-L4",
		"vendor": null,
		"instance_type": null,
		"region": null,
	})
}

test_a_price_that_cannot_be_told_yet_is_undetermined if {
	_found(_capacity({"unknown": {"/cost": "after_apply"}})) == {{
		"code": "BUD-002",
		"resource": "aws_instance.gpu",
		"undetermined": ["/cost"],
	}}
	_found(_capacity({"accelerators": null, "unknown": {"/accelerators": "after_apply"}})) == {{
		"code": "BUD-002",
		"resource": "aws_instance.gpu",
		"undetermined": ["/accelerators"],
	}}
}

test_any_price_will_do if {
	every basis in ["contract", "list", "list_other_region", "internal_rate"] {
		_found(_capacity({"cost": {"basis": basis}})) == set()
	}
}

test_what_takes_no_accelerators_needs_no_price if _found(_capacity({"accelerators": []})) == set()

test_what_is_deleted_needs_no_price if _found(_capacity({"change": "delete"})) == set()
