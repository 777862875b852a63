package policies.rules.vendor.placement_test

import data.policies.lib.testing_test as testing
import data.policies.rules.vendor.placement

_org := {"vendor": {"training_vendors": ["nebius", "coreweave"], "latency_vendors": ["gcp"]}}

_found(changes) := found if {
	found := placement.deny with input as testing.request([testing.workload(changes)]) with data.org as _org
}

_refused(code, facts) := {{"code": code, "resource": "Deployment prod/llama-70b", "facts": facts}}

_undetermined(code, missing) := {{"code": code, "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_training_with_another_vendor_is_refused if {
	every purpose in ["pretraining", "finetuning"] {
		_found({"purpose": purpose, "vendor": "aws"}) == _refused("VEN-003", {
			"purpose": purpose,
			"vendor": "aws",
			"allowed": "coreweave, nebius",
		})
	}
}

test_training_where_the_organisation_trains_is_fine if _found({"purpose": "pretraining", "vendor": "nebius"}) == set()

test_serving_people_who_wait_with_another_vendor_is_refused if {
	every purpose in [null, "inference"] {
		_found({"purpose": purpose, "latency_critical": true, "vendor": "aws"}) == _refused("VEN-004", {
			"vendor": "aws",
			"allowed": "gcp",
		})
	}
}

test_serving_where_the_organisation_serves_is_fine if {
	_found({"purpose": "inference", "latency_critical": true, "vendor": "gcp"}) == set()
}

test_what_declares_neither_is_not_judged if {
	_found({"vendor": "aws"}) == set()
	_found({"purpose": "inference", "vendor": "aws"}) == set()
	_found({"purpose": "inference", "latency_critical": false, "vendor": "aws"}) == set()
	_found({"purpose": "batch", "latency_critical": true, "vendor": "aws"}) == set()
	_found({}) == set()
}

test_what_takes_nothing_may_be_anywhere if {
	every change in ["delete", "no_op", "read"] {
		_found({"purpose": "pretraining", "vendor": "aws", "change": change}) == set()
		_found({"latency_critical": true, "vendor": "aws", "change": change}) == set()
		_found({"purpose": "pretraining", "change": change}) == set()
		_found({"latency_critical": true, "change": change}) == set()
	}
}

test_a_vendor_that_is_not_known_is_pointed_at if {
	_found({"purpose": "pretraining"}) == _undetermined("VEN-003", ["/vendor"])
	_found({"purpose": "inference", "latency_critical": true}) == _undetermined("VEN-004", ["/vendor"])
}

test_a_purpose_and_a_wait_that_are_still_to_come_are_pointed_at if {
	_found({"vendor": "aws", "unknown": {"/purpose": "after_apply"}}) == _undetermined("VEN-003", ["/purpose"])
	later := {"vendor": "aws", "purpose": "inference", "unknown": {"/latency_critical": "after_apply"}}
	_found(later) == _undetermined("VEN-004", ["/latency_critical"])
	_found({"vendor": "nebius", "unknown": {"/purpose": "after_apply"}}) == set()
	_found({"vendor": "gcp", "purpose": "inference", "unknown": {"/latency_critical": "after_apply"}}) == set()
}

test_without_lists_nothing_is_judged_or_needed if {
	request := testing.request([testing.workload({"purpose": "pretraining", "latency_critical": true})])
	found := placement.deny with input as request with data.org as {"vendor": {}}
	found == set()
}
