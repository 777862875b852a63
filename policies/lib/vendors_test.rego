package policies.lib.vendors_test

import data.policies.lib.vendors

_row(changes) := object.union(
	{
		"holder": "organisation",
		"team": null,
		"vendor": "coreweave",
		"role": "capacity",
		"currency": "USD",
		"accelerators": 8,
		"micros_per_hour": 0,
		"used_accelerators": 16,
		"used_micros_per_hour": 0,
		"uncounted": [],
		"unpriced": [],
	},
	changes,
)

test_what_is_stated_goes_before_the_default if {
	vendors.stated("approved", null) == ["aws"] with data.org as {"vendor": {"approved": ["aws"]}}
	vendors.stated("approved", null) == null with data.org as {}
}

test_names_are_shown_in_order_and_none_as_a_word if {
	vendors.shown(["gcp", "aws"]) == "aws, gcp"
	vendors.shown([]) == "none"
}

test_accelerators_with_a_vendor_are_those_of_the_organisation_in_all_currencies if {
	rows := [
		_row({}),
		_row({"currency": "EUR", "accelerators": -2, "used_accelerators": 4}),
		_row({"holder": "team", "team": "vision"}),
		_row({"vendor": "aws"}),
		_row({"role": "workload"}),
	]
	vendors.accelerators_at(rows, "coreweave", "capacity") == {"used": 20, "added": 6, "missing": []}
	vendors.accelerators_at([], "coreweave", "capacity") == {"used": 0, "added": 0, "missing": []}
}

test_a_row_that_does_not_say_how_many_is_pointed_at if {
	found := vendors.accelerators_at([_row({}), _row({"used_accelerators": null})], "coreweave", "capacity")
	found == {"used": 16, "added": 16, "missing": ["/context/by_vendor/1/used_accelerators"]}
}

test_what_is_added_with_a_vendor_that_is_not_known_is_pointed_at if {
	rows := [_row({}), _row({"vendor": null}), _row({"vendor": null, "accelerators": 0})]
	found := vendors.accelerators_at(rows, "coreweave", "capacity")
	found == {"used": 16, "added": 8, "missing": ["/context/by_vendor/1/vendor"]}
}
