package policies.rules.budget.run_rate_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.run_rate

_org := {"limits": {
	"currency": "USD",
	"monthly_micros_per_request": {"default": 5000000000, "teams": {"vision": 20000000000, "research": null}},
}}

# 27.40 USD an hour are 20,002 a month, and 27.39 are 19,994.70.
_total(changes) := object.union(
	{
		"team": "vision",
		"role": "capacity",
		"currency": "USD",
		"firm_micros_per_hour": 27400000,
		"estimated_micros_per_hour": 0,
		"accelerators": 8,
		"unpriced": [],
	},
	changes,
)

_found(each) := found if {
	found := run_rate.deny with input as testing.totals(each) with data.org as _org
}

_refused(changes) := {{"code": "BUD-001", "resource": null, "facts": object.union(
	{"team": "vision", "role": "capacity", "monthly": 20002, "limit": 20000, "currency": "USD"},
	changes,
)}}

_undetermined(missing) := {{"code": "BUD-001", "resource": null, "undetermined": missing}}

test_a_firm_amount_above_the_limit_is_refused if _found([_total({})]) == _refused({})

test_an_amount_within_the_limit_is_fine if _found([_total({"firm_micros_per_hour": 27390000})]) == set()

test_a_month_of_exactly_the_limit_is_fine if {
	org := {"limits": {"currency": "USD", "monthly_micros_per_request": {"default": 730, "teams": {}}}}
	at_limit := run_rate.deny with input as testing.totals([_total({"firm_micros_per_hour": 1})]) with data.org as org
	at_limit == set()
	above := run_rate.deny with input as testing.totals([_total({"firm_micros_per_hour": 2})]) with data.org as org
	above == _refused({"monthly": 1, "limit": 0})
}

test_without_a_team_the_default_holds if {
	_found([_total({"team": null})]) == _refused({"team": "(none)", "limit": 5000})
}

test_a_team_without_a_limit_is_left_alone if {
	_found([_total({"team": "research", "unpriced": ["aws_instance.gpu"]})]) == set()
}

test_estimates_are_not_firm_enough_to_refuse if {
	total := _total({"firm_micros_per_hour": 1000000, "estimated_micros_per_hour": 27000000})
	_found([total]) == _undetermined(["/context/totals/0/estimated_micros_per_hour"])
}

test_what_has_no_price_is_pointed_at_rather_than_free if {
	total := _total({"firm_micros_per_hour": 0, "unpriced": ["aws_instance.gpu"]})
	_found([total]) == _undetermined(["/context/totals/0/unpriced"])
}

test_a_firm_amount_is_refused_though_more_has_no_price if {
	_found([_total({"unpriced": ["aws_instance.gpu"]})]) == _refused({})
}

test_another_currency_is_pointed_at_rather_than_compared if {
	total := _total({"currency": "EUR", "firm_micros_per_hour": 1})
	_found([_total({"firm_micros_per_hour": 0}), total]) == _undetermined(["/context/totals/1/currency"])
	_found([_total({"currency": "EUR", "firm_micros_per_hour": 0})]) == set()
}

test_a_change_that_adds_nothing_is_never_refused if {
	_found([_total({"firm_micros_per_hour": -27400000})]) == set()
	_found([_total({"estimated_micros_per_hour": -27400000})]) == set()
}

test_each_team_and_role_is_judged_apart if {
	found := _found([_total({}), _total({"role": "workload"}), _total({"firm_micros_per_hour": 1, "team": "speech"})])
	found == _refused({}) | _refused({"role": "workload"})
}

test_the_largest_amount_stays_exact if {
	found := _found([_total({"firm_micros_per_hour": 9007199254740991})])
	found == _refused({"monthly": 6575255455961})
}
