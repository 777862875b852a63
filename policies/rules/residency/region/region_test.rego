package policies.rules.residency.region_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.region

_org := {"data_classes": {
	"health": {"jurisdictions": ["eu"], "countries": []},
	"payments": {"jurisdictions": ["eu"], "countries": []},
	"public": {"jurisdictions": [], "countries": []},
}}

_holding(names, changes) := testing.workload(object.union(
	{"data": [{"class": name, "asset": null} | some name in names]},
	changes,
))

_found(resource) := found if {
	found := region.deny with input as testing.request([resource]) with data.org as _org
}

_reported(code, facts) := {{"code": code, "resource": "Deployment prod/llama-70b", "facts": facts}}

_refused := _reported("RES-002", {"data_class": "health"})

_undetermined(missing) := {{"code": "RES-002", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_restricted_data_without_any_region_is_refused if _found(_holding(["health"], {})) == _refused

test_all_restricted_classes_are_named_once if {
	_found(_holding(["public", "payments", "health"], {})) == _reported("RES-002", {"data_class": "health, payments"})
}

test_a_preferred_region_is_no_guarantee if {
	constraint := {"preferred": ["eu-central-1"], "excluded": ["us-east-1"]}
	_found(_holding(["health"], {"region_constraint": constraint})) == _reported("RES-006", {
		"data_class": "health",
		"preferred": ["eu-central-1"],
	})
}

test_a_list_of_excluded_regions_lets_new_ones_in if {
	constraint := {"excluded": ["us-east-1"]}
	_found(_holding(["health"], {"region_constraint": constraint})) == _reported("RES-007", {
		"data_class": "health",
		"excluded": ["us-east-1"],
	})
}

test_what_is_not_known_is_reported_once_by_the_code_that_would_refuse if {
	every code, constraint in {
		"RES-006": {"preferred": ["eu-central-1"]},
		"RES-007": {"excluded": ["us-east-1"]},
	} {
		later := {"region_constraint": constraint, "unknown": {"/region": "after_apply"}}
		_found(_holding(["health"], later)) == {{
			"code": code,
			"resource": "Deployment prod/llama-70b",
			"undetermined": ["/region"],
		}}
	}
}

test_a_region_or_a_required_one_is_fine if {
	_found(_holding(["health"], {"region": "eu-central-1"})) == set()
	_found(_holding(["health"], {"region_constraint": {"required": ["eu-central-1"]}})) == set()
}

test_a_region_that_nobody_stated_is_refused_though_it_exists if {
	_found(_holding(["health"], {"unknown": {"/region": "undeclared"}})) == _refused
	_found(_holding(["health"], {"unknown": {"/region": "elsewhere"}})) == _refused
}

test_a_region_that_is_still_to_come_is_undetermined if {
	every pointer in ["/region", "/region_constraint", "/region_constraint/required"] {
		_found(_holding(["health"], {"unknown": {pointer: "after_apply"}})) == _undetermined(["/region"])
	}
}

test_a_class_that_the_organisation_does_not_list_is_undetermined if {
	_found(_holding(["genome"], {})) == _undetermined(["/data/0/class"])
}

test_data_that_is_not_known_is_undetermined if {
	_found(testing.workload({"unknown": {"/data": "elsewhere"}})) == _undetermined(["/data"])
}

test_unrestricted_data_may_go_anywhere if {
	_found(_holding(["public"], {})) == set()
	_found(_holding(["public"], {"unknown": {"/region": "after_apply"}})) == set()
}

test_capacity_and_what_is_deleted_are_left_alone if {
	_found(_holding(["health", "genome"], {"role": "capacity"})) == set()
	_found(_holding(["health", "genome"], {"change": "delete"})) == set()
}
