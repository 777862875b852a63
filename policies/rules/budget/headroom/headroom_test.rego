package policies.rules.budget.headroom_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.headroom

_million := 1000000

# Of 100 USD 60 are spent and 10 held: 30 are left, 20 until an approval, 10 until the soft threshold.
_budget(changes) := object.union(
	{
		"path": "acme",
		"ancestors": [],
		"basis": "capacity",
		"unit": "micros",
		"currency": "USD",
		"period_start": "2026-10-01",
		"period_end": "2026-12-31",
		"minutes_left": 1000,
		"limit": 100 * _million,
		"approval": 90 * _million,
		"approvers": ["finance", "the board"],
		"soft": 80 * _million,
		"spent": 60 * _million,
		"held": 10 * _million,
		"as_of": "2026-11-01",
		"version": 0,
		"asked": {"firm": 31 * _million, "estimated": 0, "uncounted": []},
	},
	changes,
)

_asked(firm) := {"asked": {"firm": firm * _million}}

_found(budgets) := found if {
	found := headroom.deny with input as testing.context({"budgets": budgets})
}

_refused(changes) := {{"code": "BUD-010", "resource": null, "facts": object.union(
	{"budget": "acme", "asked": 31, "left": 30, "limit": 100, "unit": "USD", "until": "2026-12-31"},
	changes,
)}}

_undetermined(code, missing) := {{"code": code, "resource": null, "undetermined": missing}}

test_a_request_that_a_budget_has_no_room_for_is_refused if _found([_budget({})]) == _refused({})

test_a_request_of_exactly_what_is_left_is_not_refused if {
	_found([_budget(object.union(_asked(30), {"approval": null, "soft": null}))]) == set()
}

test_above_the_approval_somebody_has_to_agree if {
	_found([_budget(_asked(21))]) == {{"code": "BUD-011", "resource": null, "facts": {
		"budget": "acme",
		"approvers": "finance or the board",
		"asked": 21,
		"left": 20,
		"threshold": 90,
		"unit": "USD",
		"until": "2026-12-31",
	}}}
}

test_above_the_soft_threshold_people_are_told if {
	_found([_budget(_asked(11))]) == {{"code": "BUD-012", "resource": null, "facts": {
		"budget": "acme",
		"asked": 11,
		"left": 10,
		"threshold": 80,
		"unit": "USD",
		"until": "2026-12-31",
	}}}
}

test_below_all_thresholds_nothing_is_said if _found([_budget(_asked(10))]) == set()

test_a_budget_without_thresholds_says_nothing if {
	bare := {"limit": null, "approval": null, "soft": null, "asked": {"uncounted": ["a"]}}
	_found([_budget(bare)]) == set()
}

test_the_first_budget_without_room_from_the_root_is_named if {
	below := _budget({"path": "acme/vision", "ancestors": ["acme"]})
	beside := _budget({"path": "other", "asked": {"firm": 40 * _million}})
	_found([_budget({}), below]) == _refused({})
	_found([_budget(_asked(1)), below]) == _refused({"budget": "acme/vision"})
	_found([_budget({}), beside]) == _refused({}) | _refused({"budget": "other", "asked": 40})
}

test_each_level_is_spoken_of_apart if {
	below := _budget({"path": "acme/vision", "ancestors": ["acme"]})
	found := _found([_budget(_asked(11)), below])
	{finding.code | some finding in found} == {"BUD-010", "BUD-012"}
}

test_a_budget_that_is_overspent_has_no_room_at_all if {
	over := {"spent": 200 * _million, "asked": {"firm": 1}}
	_found([_budget(over)]) == _refused({"asked": 1, "left": 0})
}

test_a_change_that_adds_nothing_is_never_refused if {
	_found([_budget({"spent": 200 * _million, "asked": {"firm": 0}})]) == set()
	_found([_budget({"spent": 200 * _million, "asked": {"firm": -1}})]) == set()
	_found([_budget({"spent": 200 * _million, "asked": {"firm": 1, "estimated": -1}})]) == set()
}

test_estimates_are_pointed_at_rather_than_refused if {
	estimated := {"asked": {"firm": 0, "estimated": 31 * _million}}
	_found([_budget(estimated)]) == _undetermined("BUD-010", ["/context/budgets/0/asked/estimated"])
	agree := {"asked": {"firm": 0, "estimated": 21 * _million}}
	_found([_budget(agree)]) == _undetermined("BUD-011", ["/context/budgets/0/asked/estimated"])
	told := {"asked": {"firm": 0, "estimated": 11 * _million}}
	_found([_budget(told)]) == _undetermined("BUD-012", ["/context/budgets/0/asked/estimated"])
	_found([_budget({"asked": {"firm": 0, "estimated": 10 * _million}})]) == set()
}

test_a_firm_part_is_reported_beside_what_may_pass_more if {
	found := _found([_budget({"asked": {"firm": 11 * _million, "estimated": 20 * _million}})])
	{finding.code | some finding in found} == {"BUD-010", "BUD-012"}
}

test_what_an_estimate_gives_back_does_not_undo_a_refusal if {
	_found([_budget({"asked": {"firm": 31 * _million, "estimated": -10 * _million}})]) == _refused({})
}

test_what_is_not_counted_is_pointed_at if {
	part := {"asked": {"firm": 0, "uncounted": ["aws_instance.gpu"]}}
	_found([_budget(part)]) == _undetermined("BUD-010", ["/context/budgets/0/asked/uncounted"])
	all := {"asked": {"uncounted": ["aws_instance.gpu"]}}
	_found([_budget(all)]) == _refused({})
}

test_a_period_that_is_over_is_pointed_at if {
	over := {"minutes_left": 0, "asked": {"firm": 0, "uncounted": ["aws_instance.gpu"]}}
	_found([_budget(over)]) == _undetermined("BUD-010", [
		"/context/budgets/0/asked/uncounted",
		"/context/budgets/0/period_end",
	])
}

test_accelerator_minutes_are_shown_in_hours if {
	hours := {
		"unit": "accelerator_minutes",
		"currency": null,
		"limit": 600,
		"approval": null,
		"soft": null,
		"spent": 0,
		"held": 0,
		"asked": {"firm": 601},
	}
	_found([_budget(hours)]) == _refused({"asked": 11, "left": 10, "limit": 10, "unit": "accelerator hours"})
}
