package policies.rules.budget.team_rate_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.team_rate

# 27.40 USD an hour are 20,002 a month, and 27.39 are 19,994.70.
_org := {
	"limits": {"currency": "USD"},
	"budget": {"monthly_micros": {"default": null, "teams": {"vision": 20000000000}}},
}

_total(changes) := object.union(
	{
		"team": "vision",
		"role": "capacity",
		"currency": "USD",
		"firm_micros_per_hour": 7400000,
		"estimated_micros_per_hour": 0,
		"accelerators": 8,
		"unpriced": [],
	},
	changes,
)

_row(changes) := object.union(
	{
		"team": "vision",
		"vendor": "aws",
		"role": "capacity",
		"accelerators": 8,
		"micros_per_hour": 20000000,
		"currency": "USD",
		"as_of": "2026-11-01",
	},
	changes,
)

_found(total, usage) := found if {
	context := {"totals": [total], "usage": usage}
	found := team_rate.deny with input as testing.context(context) with data.org as _org
}

_refused(changes) := {{"code": "BUD-003", "resource": null, "facts": object.union(
	{"team": "vision", "role": "capacity", "today": 14600, "added": 5402, "limit": 20000, "currency": "USD"},
	changes,
)}}

_undetermined(missing) := {{"code": "BUD-003", "resource": null, "undetermined": missing}}

test_what_a_team_has_and_asks_for_is_refused_above_its_limit if _found(_total({}), [_row({})]) == _refused({})

test_what_stays_within_the_limit_is_fine if {
	_found(_total({"firm_micros_per_hour": 7390000}), [_row({})]) == set()
}

test_vendors_are_added_up_and_other_teams_and_roles_are_not if {
	rows := [
		_row({"micros_per_hour": 10000000}),
		_row({"micros_per_hour": 10000000, "vendor": "gcp"}),
		_row({"micros_per_hour": 90000000, "team": "speech"}),
		_row({"micros_per_hour": 90000000, "role": "workload"}),
	]
	_found(_total({}), rows) == _refused({})
	_found(_total({"firm_micros_per_hour": 7390000}), rows) == set()
}

test_a_team_above_its_limit_may_not_add_anything if {
	over := [_row({"micros_per_hour": 30000000})]
	_found(_total({"firm_micros_per_hour": 1}), over) == _refused({"today": 21900, "added": 1})
	_found(_total({"firm_micros_per_hour": -1}), over) == set()
}

test_a_team_without_a_limit_is_left_alone if {
	_found(_total({"team": "speech", "unpriced": ["aws_instance.gpu"]}), []) == set()
}

test_usage_that_nobody_states_is_pointed_at if {
	_found(_total({}), []) == _undetermined(["/context/usage"])
	_found(_total({"firm_micros_per_hour": 27400000}), []) == _refused({"today": 0, "added": 20002})
}

test_usage_without_an_amount_or_in_another_currency_is_pointed_at if {
	rows := [_row({"micros_per_hour": null}), _row({"currency": "EUR"})]
	_found(_total({}), rows) == _undetermined(["/context/usage/0/micros_per_hour", "/context/usage/1/currency"])
}

test_estimates_and_missing_prices_are_pointed_at_rather_than_refused if {
	estimated := _total({"firm_micros_per_hour": 0, "estimated_micros_per_hour": 7400000})
	_found(estimated, [_row({})]) == _undetermined(["/context/totals/0/estimated_micros_per_hour"])
	unpriced := _total({"firm_micros_per_hour": 0, "unpriced": ["aws_instance.gpu"]})
	_found(unpriced, [_row({})]) == _undetermined(["/context/totals/0/unpriced"])
}

test_another_currency_is_pointed_at_rather_than_compared if {
	_found(_total({"currency": "EUR"}), [_row({"currency": "EUR"})]) == _undetermined(["/context/totals/0/currency"])
}
