package policies.lib.limits_test

import data.policies.lib.limits

_org := {"limits": {
	"currency": "EUR",
	"accelerators_per_resource": {"default": 8, "teams": {"vision": 4, "research": null}},
	"monthly_micros_per_request": {"default": null, "teams": {"vision": 5000000}},
}}

test_a_team_has_its_own_limit if {
	limits.accelerators("vision") == 4 with data.org as _org
	limits.monthly_micros("vision") == 5000000 with data.org as _org
}

test_a_team_without_a_limit_of_its_own_has_the_default if {
	limits.accelerators("speech") == 8 with data.org as _org
	limits.monthly_micros("speech") == null with data.org as _org
}

test_whoever_has_no_team_has_the_default if limits.accelerators(null) == 8 with data.org as _org

test_a_team_may_be_without_a_limit if limits.accelerators("research") == null with data.org as _org

test_limits_of_the_section_on_budgets_are_by_team_too if {
	org := {"budget": {"monthly_micros": {"default": 7, "teams": {"vision": null}}}}
	limits.budget("monthly_micros", "speech") == 7 with data.org as org
	limits.budget("monthly_micros", "vision") == null with data.org as org
	limits.budget("monthly_micros", null) == null with data.org as {}
}

test_some_team_may_take_fewer_than_what_is_above_the_lowest_limit if {
	limits.some_team_may_take_fewer_than(5) with data.org as _org
	not limits.some_team_may_take_fewer_than(4) with data.org as _org
	not limits.some_team_may_take_fewer_than(5) with data.org as {"limits": {}}
}

test_limits_are_in_the_currency_of_the_organisation if {
	limits.are_in("EUR") with data.org as _org
	limits.are_in("USD") == false with data.org as _org
	limits.are_in("USD") with data.org as {}
}
