package policies.lib.money_test

import data.policies.lib.money

_largest := 9007199254740991

test_a_month_has_730_hours_and_is_rounded_up if {
	money.monthly(27400000) == 20002
	money.monthly(27390000) == 19995
	money.monthly(0) == 0
	money.monthly(_largest) == 6575255455961
	money.hourly(730) == 1
	money.hourly(729) == 0
}

test_units_are_rounded_either_way if {
	money.units(1999999) == 1
	money.units_up(1000001) == 2
	money.units_up(1000000) == 1
	money.units_up(_largest) == 9007199255
}

test_small_amounts_have_four_decimals if {
	money.decimal(0) == "0.0000"
	money.decimal(1) == "0.0001"
	money.decimal(4200) == "0.0042"
	money.decimal(11234567) == "11.2346"
	money.decimal(1000000) == "1.0000"
	money.decimal(999999) == "1.0000"
}

test_what_is_too_large_is_the_largest_number if {
	money.sum_of(_largest, 1) == _largest
	money.sum_of(1, 2) == 3
	money.scaled(_largest, 3, 2) == _largest
	money.scaled(_largest, 0, 2) == 0
}

test_scaling_rounds_up if {
	money.scaled(10, 3, 4) == 8
	money.scaled(8, 3, 4) == 6
	money.scaled(_largest, 1, 2) == 4503599627370496
}

test_a_basis_has_words if {
	money.basis({"basis": "list"}) == "at the list price"
	money.basis({"basis": "unknown"}) == "at a price of unknown origin"
}

_cost(least, most, currency) := {"micros_per_hour": {"min": least, "max": most}, "currency": currency}

_org := {"limits": {"currency": "USD"}}

test_a_cost_is_that_of_the_largest_size if {
	money.per_hour(_cost(1, 2, "USD")) == {"micros": 2, "missing": []} with data.org as _org
}

test_what_is_known_of_a_cost_is_a_lower_bound if {
	money.per_hour(_cost(1, null, "USD")) == {
		"micros": 1,
		"missing": ["/cost/micros_per_hour/max"],
	} with data.org as _org
	money.per_hour(_cost(null, null, null)) == {
		"micros": 0,
		"missing": ["/cost/micros_per_hour/max"],
	} with data.org as _org
}

test_a_cost_in_another_currency_is_not_compared if {
	money.per_hour(_cost(1, 2, "EUR")) == {"micros": 0, "missing": ["/cost/currency"]} with data.org as _org
	money.per_hour(_cost(1, null, "EUR")) == {
		"micros": 0,
		"missing": ["/cost/micros_per_hour/max"],
	} with data.org as _org
}
