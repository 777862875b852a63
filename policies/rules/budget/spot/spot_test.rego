package policies.rules.budget.spot_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.spot

_org := {"budget": {"spot_forbidden_purposes": ["inference"]}}

_capacity(changes) := testing.capacity(object.union(
	{
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"price_kind": "spot",
		"purpose": "inference",
	},
	changes,
))

_found(changes) := found if {
	found := spot.deny with input as testing.request([_capacity(changes)]) with data.org as _org
}

_refused(what) := {{"code": "BUD-004", "resource": "aws_instance.gpu", "facts": {"what": what}}}

_undetermined(missing) := {{"code": "BUD-004", "resource": "aws_instance.gpu", "undetermined": missing}}

test_inference_on_spot_capacity_is_reported if _found({}) == _refused("inference")

test_what_people_wait_for_is_reported_whatever_it_is if {
	_found({"purpose": null, "latency_critical": true}) == _refused("what people wait for")
	_found({"purpose": "batch", "latency_critical": true}) == _refused("batch")
}

test_what_may_stop_runs_on_spot_capacity if {
	_found({"purpose": "batch"}) == set()
	_found({"purpose": null}) == set()
	_found({"purpose": null, "unknown": {"/region": "after_apply"}}) == set()
}

test_capacity_that_stays_is_fine if {
	_found({"price_kind": "on_demand"}) == set()
	_found({"price_kind": null}) == set()
	_found({"price_kind": null, "unknown": {"/region": "after_apply"}}) == set()
}

test_what_has_no_accelerators_is_left_alone if _found({"accelerators": []}) == set()

test_what_is_deleted_is_left_alone if _found({"change": "delete"}) == set()

test_a_price_kind_that_is_not_known_is_pointed_at if {
	_found({"price_kind": null, "unknown": {"/price_kind": "after_apply"}}) == _undetermined(["/price_kind"])
	_found({"price_kind": null, "purpose": "batch", "unknown": {"/price_kind": "after_apply"}}) == set()
}

test_a_use_that_is_not_known_is_pointed_at if {
	_found({"purpose": null, "unknown": {"/purpose": "after_apply"}}) == _undetermined(["/purpose"])
	_found({"purpose": null, "unknown": {"/latency_critical": "sensitive"}}) == _undetermined(["/latency_critical"])
}

test_a_known_use_that_may_not_stop_is_reported_though_more_is_unknown if {
	_found({"unknown": {"/latency_critical": "sensitive"}}) == _refused("inference")
}

test_both_may_be_unknown if {
	both := {"/price_kind": "after_apply", "/purpose": "after_apply"}
	_found({"price_kind": null, "purpose": null, "unknown": both}) == _undetermined(["/price_kind", "/purpose"])
}
