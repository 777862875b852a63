package policies.rules.budget.open_end_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.open_end

# 1.40 USD an hour are 1,022 a month.
_org := {
	"limits": {"currency": "USD"},
	"budget": {
		"open_ended_purposes": ["notebook", "batch"],
		"open_ended_monthly_micros": 1000000000,
	},
}

_cost(least, most) := {
	"micros_per_hour": {"min": least, "max": most},
	"currency": "USD",
	"basis": "internal_rate",
}

_notebook(changes) := testing.workload(object.union(
	{
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"purpose": "notebook",
		"cost": _cost(1400000, 1400000),
		"lifetime": {"bounded": false},
	},
	changes,
))

_found(changes) := found if {
	found := open_end.deny with input as testing.request([_notebook(changes)]) with data.org as _org
}

_refused := {{
	"code": "BUD-005",
	"resource": "Deployment prod/llama-70b",
	"facts": {"purpose": "notebook", "monthly": 1022, "currency": "USD", "basis": "at the internal rate"},
}}

_undetermined(missing) := {{
	"code": "BUD-005",
	"resource": "Deployment prod/llama-70b",
	"undetermined": missing,
}}

test_a_notebook_without_an_end_is_reported_with_its_price if {
	_found({}) == _refused
	_found({"lifetime": {"bounded": null}}) == _refused
}

test_what_is_cheap_may_stay if _found({"cost": _cost(1300000, 1300000)}) == set()

test_what_ends_is_fine if {
	_found({"lifetime": {"bounded": true}}) == set()
	_found({"lifetime": {"minutes": 60}}) == set()
	_found({"lifetime": {"idle_minutes": 60}}) == set()
}

test_what_does_not_end_by_nature_is_fine if {
	_found({"purpose": "inference"}) == set()
	_found({"purpose": null}) == set()
}

test_without_a_threshold_nothing_is_reported if {
	request := testing.request([_notebook({})])
	found := open_end.deny with input as request with data.org as {"budget": {"open_ended_purposes": ["notebook"]}}
	found == set()
}

test_the_smallest_size_may_be_dear_enough if {
	_found({"cost": _cost(1400000, null)}) == _refused
	_found({"cost": _cost(1, null)}) == _undetermined(["/cost/micros_per_hour/max"])
	_found({"cost": object.union(_cost(null, null), {"basis": "unknown", "currency": null})}) == _undetermined(["/cost/micros_per_hour/max"])
}

test_another_currency_is_pointed_at if {
	_found({"cost": object.union(_cost(1, 9), {"currency": "EUR"})}) == _undetermined(["/cost/currency"])
}

test_an_end_that_is_not_known_is_pointed_at if {
	later := {"/lifetime/minutes": "after_apply"}
	_found({"unknown": later}) == _undetermined(["/lifetime/minutes"])
	_found({"unknown": later, "cost": _cost(1, 1)}) == set()
	_found({"unknown": later, "cost": _cost(1, null)}) == _undetermined([
		"/lifetime/minutes",
		"/cost/micros_per_hour/max",
	])
}

test_a_purpose_that_is_not_known_is_pointed_at if {
	_found({"purpose": null, "unknown": {"/purpose": "after_apply"}}) == _undetermined(["/purpose"])
	_found({"purpose": null, "unknown": {"/region": "after_apply"}}) == set()
}

test_what_is_deleted_or_takes_nothing_is_left_alone if {
	_found({"change": "delete"}) == set()
	_found({"accelerators": []}) == set()
}
