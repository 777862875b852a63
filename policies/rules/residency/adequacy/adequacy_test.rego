package policies.rules.residency.adequacy_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.adequacy

_proof(operator, day) := {
	"operator": operator,
	"country": "US",
	"jurisdiction": "adequate",
	"valid_until": day,
}

_org(proofs) := {
	"data_classes": {
		"support": {"jurisdictions": ["eu", "adequate"]},
		"health": {"jurisdictions": ["eu"]},
	},
	"residency": {"certified": proofs},
}

_virginia := {
	"region": "us-east-1",
	"kind": "physical",
	"use": "region",
	"country": "US",
	"jurisdictions": [],
	"conditional": ["adequate"],
}

_holding(name, changes) := testing.capacity(object.union(
	{"data": [{"class": name, "asset": null}], "operator": "acme", "places": [_virginia]},
	changes,
))

_at(now, resource, proofs) := found if {
	request := object.union(testing.request([resource]), {"context": {"now": now}})
	found := adequacy.deny with input as request with data.org as _org(proofs)
}

_found(resource, proofs) := _at("2026-11-02T09:00:00.000Z", resource, proofs)

_refused(ended) := {{"code": "RES-008", "resource": "aws_instance.gpu", "facts": {
	"data_class": "support",
	"region": "us-east-1",
	"country": "US",
	"jurisdiction": "adequate",
	"operator": "acme",
	"ended": ended,
}}}

_undetermined(missing) := {{"code": "RES-008", "resource": "aws_instance.gpu", "undetermined": missing}}

test_a_proof_that_has_ended_is_reported if {
	_found(_holding("support", {}), [_proof("acme", "2026-11-01")]) == _refused("2026-11-01")
}

test_the_last_day_of_a_proof_still_counts if {
	_found(_holding("support", {}), [_proof("acme", "2026-11-02")]) == set()
	_at("2026-11-02T23:59:59.999Z", _holding("support", {}), [_proof("acme", "2026-11-02")]) == set()
}

test_a_later_proof_takes_the_place_of_one_that_has_ended if {
	_found(_holding("support", {}), [_proof("acme", "2026-11-01"), _proof("acme", "2027-11-01")]) == set()
	ended := [_proof("acme", "2026-10-31"), _proof("acme", "2025-11-01")]
	_found(_holding("support", {}), ended) == _refused("2026-10-31")
}

test_an_operator_without_a_proof_is_left_to_others if {
	_found(_holding("support", {}), []) == set()
	_found(_holding("support", {}), [_proof("other", "2026-11-01")]) == set()
}

test_a_class_that_may_not_be_there_at_all_is_left_to_others if {
	_found(_holding("health", {}), [_proof("acme", "2026-11-01")]) == set()
}

test_a_place_without_a_condition_needs_no_proof if {
	place := object.union(_virginia, {"jurisdictions": ["eu"], "conditional": []})
	_found(_holding("support", {"places": [place]}), [_proof("acme", "2026-11-01")]) == set()
	_found(_holding("support", {"places": null}), [_proof("acme", "2026-11-01")]) == set()
}

test_an_operator_that_is_not_known_is_undetermined if {
	_found(_holding("support", {"operator": null}), [_proof("acme", "2027-11-01")]) == _undetermined(["/operator"])
}

test_a_moment_that_is_not_known_is_undetermined if {
	_at(null, _holding("support", {}), [_proof("acme", "2027-11-01")]) == _undetermined(["/context/now"])
}

test_what_is_deleted_is_left_alone if {
	_found(_holding("support", {"change": "delete"}), [_proof("acme", "2026-11-01")]) == set()
}
