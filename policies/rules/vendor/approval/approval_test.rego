package policies.rules.vendor.approval_test

import data.policies.lib.testing_test as testing
import data.policies.rules.vendor.approval

_vendor := {
	"approved": ["aws", "gcp"],
	"approved_regions": {"gcp": ["europe-west4", "europe-west1"]},
	"evaluations": {"nebius": {"until": "2026-11-30", "max_accelerators": 16}},
}

_now := "2026-11-30T23:59:59.999Z"

_nodes(changes) := testing.capacity(object.union(
	{"vendor": "nebius", "region": "eu-north1", "accelerators": [testing.accelerator({"min": 8, "max": 8})]},
	changes,
))

_row(changes) := object.union(
	{
		"holder": "organisation",
		"team": null,
		"vendor": "nebius",
		"role": "capacity",
		"currency": "USD",
		"accelerators": 8,
		"micros_per_hour": 0,
		"used_accelerators": 8,
		"used_micros_per_hour": 0,
		"uncounted": [],
		"unpriced": [],
	},
	changes,
)

_request(resource, context) := object.union(testing.request([resource]), {"context": context})

_at(resource, context) := found if {
	found := approval.deny with input as _request(resource, context) with data.org as {"vendor": _vendor}
}

_found(changes) := _at(_nodes(changes), {"now": _now})

_with(vendor, changes) := found if {
	found := approval.deny with input as _request(_nodes(changes), {"now": _now}) with data.org as {"vendor": vendor}
}

_refused(code, facts) := {"code": code, "resource": "aws_instance.gpu", "facts": facts}

_undetermined(code, missing) := {"code": code, "resource": "aws_instance.gpu", "undetermined": missing}

test_a_vendor_that_is_not_listed_is_refused if {
	_found({"vendor": "lambda"}) == {_refused("VEN-006", {"vendor": "lambda", "approved": "aws, gcp"})}
	_with({"approved": []}, {}) == {_refused("VEN-006", {"vendor": "nebius", "approved": "none"})}
}

test_a_listed_vendor_and_one_on_trial_are_fine if {
	_found({"vendor": "aws"}) == set()
	_found({}) == set()
}

test_without_a_list_every_vendor_is_fine_and_none_need_be_known if {
	_with({}, {"vendor": "lambda"}) == set()
	_with({}, {"vendor": null}) == set()
}

test_a_vendor_that_is_not_known_is_undetermined_for_each_list if {
	_found({"vendor": null}) == {
		_undetermined("VEN-006", ["/vendor"]),
		_undetermined("VEN-007", ["/vendor"]),
		_undetermined("VEN-008", ["/vendor"]),
	}
	_with({"approved": ["aws"]}, {"vendor": null}) == {_undetermined("VEN-006", ["/vendor"])}
}

test_what_takes_nothing_may_be_anywhere if {
	every change in ["delete", "no_op", "read"] {
		_found({"vendor": "lambda", "change": change}) == set()
		_found({"vendor": null, "change": change}) == set()
		_found({"vendor": "gcp", "region": "us-east1", "change": change}) == set()
		_at(_nodes({"change": change}), {"now": "2027-01-01T00:00:00.000Z"}) == set()
	}
}

test_a_region_that_is_not_listed_is_refused if {
	_found({"vendor": "gcp", "region": "us-east1"}) == {_refused("VEN-007", {
		"regions": "us-east1",
		"vendor": "gcp",
		"approved": "europe-west1, europe-west4",
	})}
}

test_a_copy_in_a_region_that_is_not_listed_is_refused if {
	found := _found({"vendor": "gcp", "region": "europe-west4", "replication": ["us-east1", "europe-west1"]})
	found == {_refused("VEN-007", {
		"regions": "us-east1",
		"vendor": "gcp",
		"approved": "europe-west1, europe-west4",
	})}
}

test_without_a_region_the_required_ones_are_judged if {
	required := ["europe-west4", "us-east1"]
	constraint := {"required": required, "preferred": [], "excluded": []}
	_found({"vendor": "gcp", "region": null, "region_constraint": constraint}) == {_refused("VEN-007", {
		"regions": "us-east1",
		"vendor": "gcp",
		"approved": "europe-west1, europe-west4",
	})}
	_found({
		"vendor": "gcp",
		"region": "europe-west4",
		"region_constraint": constraint,
	}) == set()
}

test_a_listed_region_and_any_region_of_other_vendors_are_fine if {
	_found({"vendor": "gcp", "region": "europe-west4"}) == set()
	_found({"vendor": "aws", "region": "us-east-1"}) == set()
	_found({"vendor": "aws", "region": null}) == set()
}

test_a_region_or_a_copy_that_is_not_known_is_pointed_at if {
	_found({"vendor": "gcp", "region": null}) == {_undetermined("VEN-007", ["/region"])}
	_found({"vendor": "gcp", "region": "europe-west4", "unknown": {"/replication": "after_apply"}}) == {_undetermined(
		"VEN-007",
		["/replication"],
	)}
	_found({"vendor": "gcp", "region": null, "replication": ["us-east1"]}) == {_refused("VEN-007", {
		"regions": "us-east1",
		"vendor": "gcp",
		"approved": "europe-west1, europe-west4",
	})}
}

test_a_trial_lasts_to_the_end_of_its_last_day if {
	_at(_nodes({}), {"now": "2026-11-30T23:59:59.999Z"}) == set()
	_at(_nodes({}), {"now": "2026-12-01T00:00:00.000Z"}) == {_refused("VEN-008", {
		"vendor": "nebius",
		"reason": "it ended on 2026-11-30",
	})}
}

test_a_trial_that_ended_does_not_bind_an_approved_vendor if {
	vendor := object.union(_vendor, {"approved": ["nebius"]})
	_request_later := _request(_nodes({}), {"now": "2026-12-01T00:00:00.000Z"})
	found := approval.deny with input as _request_later with data.org as {"vendor": vendor}
	found == set()
}

test_a_trial_binds_where_every_vendor_is_approved if {
	vendor := object.union(_vendor, {"approved": null})
	later := _request(_nodes({}), {"now": "2026-12-01T00:00:00.000Z"})
	found := approval.deny with input as later with data.org as {"vendor": vendor}
	found == {_refused("VEN-008", {"vendor": "nebius", "reason": "it ended on 2026-11-30"})}
}

test_a_trial_counts_what_is_taken_and_what_is_added if {
	_at(_nodes({}), {"now": _now, "by_vendor": [_row({})]}) == set()
	_at(_nodes({}), {"now": _now, "by_vendor": [_row({"used_accelerators": 9})]}) == {_refused("VEN-008", {
		"vendor": "nebius",
		"reason": "16 accelerators may be taken there, with this request they are 17",
	})}
	_at(_nodes({}), {"now": _now, "by_vendor": [_row({"accelerators": 0, "used_accelerators": 99})]}) == set()
}

test_a_trial_without_a_number_is_bound_by_its_date_only if {
	vendor := {"evaluations": {"nebius": {"until": "2026-11-30", "max_accelerators": null}}}
	request := _request(_nodes({"accelerators": null}), {"now": _now, "by_vendor": [_row({"used_accelerators": 99})]})
	found := approval.deny with input as request with data.org as {"vendor": vendor}
	found == set()
}

test_what_a_trial_needs_and_is_not_known_is_pointed_at if {
	_at(_nodes({}), {"now": null}) == {_undetermined("VEN-008", ["/context/now"])}
	_at(_nodes({"accelerators": null}), {"now": _now, "by_vendor": [_row({"used_accelerators": null})]}) == {_undetermined(
		"VEN-008",
		["/accelerators", "/context/by_vendor/0/used_accelerators"],
	)}
}
