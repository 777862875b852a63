package policies.rules.vendor.concentration_test

import data.policies.lib.testing_test as testing
import data.policies.rules.vendor.concentration

_none := {"organisation": null, "default": null, "teams": {}}

_org := {
	"limits": {"currency": "USD"},
	"vendor": {"concentration": {
		"accelerators": {"organisation": 70, "default": null, "teams": {"vision": 50}},
		"spend": _none,
		"minimum_accelerators": 64,
		"minimum_micros_per_hour": 100000000,
	}},
}

_spending := object.union(_org, {"vendor": {"concentration": {
	"accelerators": {"organisation": null, "teams": {"vision": null}},
	"spend": {"organisation": 70},
}}})

_row(changes) := object.union(
	{
		"holder": "organisation",
		"team": null,
		"vendor": "aws",
		"role": "capacity",
		"currency": "USD",
		"accelerators": 0,
		"micros_per_hour": 0,
		"used_accelerators": 0,
		"used_micros_per_hour": 0,
		"uncounted": [],
		"unpriced": [],
	},
	changes,
)

_aws(changes) := _row(object.union({"accelerators": 8, "used_accelerators": 64}, changes))

_gcp(changes) := _row(object.union({"vendor": "gcp", "used_accelerators": 28}, changes))

_spent(vendor, used, added) := _row({
	"vendor": vendor,
	"used_micros_per_hour": used,
	"micros_per_hour": added,
})

_judged(rows, org) := found if {
	found := concentration.deny with input as testing.context({"by_vendor": rows}) with data.org as org
}

_found(rows) := _judged(rows, _org)

_refused(code, facts) := {{"code": code, "resource": null, "facts": object.union({"role": "capacity"}, facts)}}

_undetermined(code, missing) := {{"code": code, "resource": null, "undetermined": missing}}

test_a_share_of_the_accelerators_above_the_limit_is_named if {
	_found([_aws({}), _gcp({})]) == _refused("VEN-001", {
		"vendor": "aws",
		"share": 72,
		"taken": 72,
		"total": 100,
		"limit": 70,
		"holder": "the organisation",
	})
}

test_a_share_at_the_limit_is_fine if _found([_aws({"used_accelerators": 62}), _gcp({"used_accelerators": 30})]) == set()

test_accelerators_in_two_currencies_are_one_share if {
	rows := [_aws({"used_accelerators": 40}), _aws({"currency": "EUR", "accelerators": 0, "used_accelerators": 24}), _gcp({})]
	_found(rows) == _refused("VEN-001", {
		"vendor": "aws",
		"share": 72,
		"taken": 72,
		"total": 100,
		"limit": 70,
		"holder": "the organisation",
	})
}

test_a_team_has_its_own_limit_and_others_the_default if {
	rows := [_aws({"holder": "team", "team": "vision", "used_accelerators": 56}), _gcp({
		"holder": "team",
		"team": "vision",
		"used_accelerators": 36,
	})]
	_found(rows) == _refused("VEN-001", {
		"vendor": "aws",
		"share": 64,
		"taken": 64,
		"total": 100,
		"limit": 50,
		"holder": "team `vision`",
	})
	_found([object.union(row, {"team": "language"}) | some row in rows]) == set()
	_found([object.union(row, {"team": null}) | some row in rows]) == set()
}

test_roles_are_never_added_up if {
	_found([_aws({}), _gcp({"role": "workload"})]) == _refused("VEN-001", {
		"vendor": "aws",
		"share": 100,
		"taken": 72,
		"total": 72,
		"limit": 70,
		"holder": "the organisation",
	})
}

test_little_is_with_one_vendor_for_good_reasons if _found([_aws({"used_accelerators": 55})]) == set()

test_without_figures_of_usage_nothing_is_judged if {
	_found([_aws({"used_accelerators": 0, "accelerators": 512})]) == set()
	_found([]) == set()
}

test_a_request_that_lowers_the_share_is_not_held_to_it if {
	_found([_aws({"used_accelerators": 990}), _gcp({"accelerators": 100})]) == set()
	_found([_aws({"accelerators": -8}), _gcp({"used_accelerators": 8, "accelerators": 8})]) == set()
}

test_more_given_back_than_the_figures_say_is_no_share if {
	_found([_aws({}), _gcp({"accelerators": -500})]) == set()
	zero := {"vendor": {"concentration": {"minimum_accelerators": -1000}}}
	_judged([_aws({}), _gcp({"accelerators": -500})], object.union(_org, zero)) == set()
}

test_what_a_share_needs_and_is_not_known_is_pointed_at if {
	_found([_aws({"uncounted": ["aws_instance.gpu"]}), _gcp({})]) == _undetermined(
		"VEN-001",
		["/context/by_vendor/0/uncounted"],
	)
	_found([_aws({}), _gcp({"used_accelerators": null})]) == _undetermined(
		"VEN-001",
		["/context/by_vendor/1/used_accelerators"],
	)
	_found([_aws({"vendor": null}), _gcp({})]) == _undetermined("VEN-001", ["/context/by_vendor/0/vendor"])
}

test_what_nobody_rents_out_counts_in_the_whole if {
	_found([_aws({}), _row({"vendor": null, "used_accelerators": 100})]) == set()
}

test_a_share_of_the_spend_above_the_limit_is_named if {
	_judged([_spent("aws", 640000000, 80000999), _spent("gcp", 280000000, 0)], _spending) == _refused("VEN-002", {
		"vendor": "aws",
		"share": 72,
		"taken": 720,
		"total": 1000,
		"limit": 70,
		"holder": "the organisation",
		"currency": "USD",
	})
}

test_a_share_of_the_spend_within_the_limit_is_fine if {
	_judged([_spent("aws", 600000000, 80000000), _spent("gcp", 400000000, 0)], _spending) == set()
	_judged([_spent("aws", 640000000, 80000000), _spent("gcp", 280000000, -1)], _spending) != set()
	_judged([_spent("aws", 60000000, 8000000)], _spending) == set()
}

test_the_largest_spend_stays_exact if {
	largest := 9007199254740991
	_judged([_spent("aws", largest, 1000)], _spending) == _refused("VEN-002", {
		"vendor": "aws",
		"share": 100,
		"taken": 9007199254,
		"total": 9007199254,
		"limit": 70,
		"holder": "the organisation",
		"currency": "USD",
	})
}

test_spend_that_is_not_known_or_not_comparable_is_pointed_at if {
	aws := _spent("aws", 640000000, 80000000)
	every leaf, change in {
		"unpriced": {"unpriced": ["aws_instance.gpu"]},
		"used_micros_per_hour": {"used_micros_per_hour": null},
		"currency": {"currency": "EUR"},
		"vendor": {"vendor": null},
	} {
		_judged([object.union(aws, change), _spent("gcp", 280000000, 0)], _spending) == _undetermined(
			"VEN-002",
			[sprintf("/context/by_vendor/0/%s", [leaf])],
		)
	}
}

test_another_currency_without_amounts_needs_no_mention if {
	rows := [_spent("aws", 600000000, 80000000), _spent("gcp", 400000000, 0), _row({"currency": "EUR"})]
	_judged(rows, _spending) == set()
}

test_without_limits_nothing_is_judged if {
	_judged([_aws({"uncounted": ["aws_instance.gpu"]}), _gcp({})], {}) == set()
	_judged([_aws({}), _gcp({})], {"vendor": {"concentration": {"accelerators": _none, "spend": _none}}}) == set()
}
