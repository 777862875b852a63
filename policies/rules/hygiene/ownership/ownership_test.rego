package policies.rules.hygiene.ownership_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.ownership

_required := {
	"team": ["*"],
	"owner": ["development", "research"],
	"cost_center": ["*"],
	"purpose": ["development"],
}

_named := {
	"org": null,
	"team": "vision",
	"project": null,
	"cost_center": "CC-1",
	"owner": "ops@example",
	"environment": "development",
}

_taking(named, changes) := testing.workload(object.union(
	{
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"ownership": object.union(_named, named),
		"purpose": "batch",
	},
	changes,
))

_found(resource) := _found_with(resource, {"hygiene": {"required": _required}})

_found_with(resource, org) := found if {
	found := ownership.deny with input as testing.request([resource]) with data.org as org
}

_refused(code) := {{"code": code, "resource": "Deployment prod/llama-70b", "facts": {}}}

_undetermined(code, missing) := {{
	"code": code,
	"resource": "Deployment prod/llama-70b",
	"undetermined": missing,
}}

test_what_names_everything_is_fine if _found(_taking({}, {})) == set()

test_each_field_that_is_required_and_missing_is_reported if {
	_found(_taking({"team": null}, {})) == _refused("HYG-001")
	_found(_taking({"owner": null}, {})) == _refused("HYG-002")
	_found(_taking({"cost_center": null}, {})) == _refused("HYG-003")
	_found(_taking({}, {"purpose": null})) == _refused("HYG-004")
}

test_a_field_is_required_in_the_environments_that_are_listed if {
	elsewhere := {"environment": "production", "owner": null}
	_found(_taking(elsewhere, {"purpose": null})) == set()
	_found(_taking({"environment": null, "owner": null}, {"purpose": null})) == set()
	_found(_taking({"environment": null, "team": null}, {})) == _refused("HYG-001")
}

test_nothing_is_required_unless_stated if {
	_found_with(_taking({"team": null, "owner": null, "cost_center": null}, {"purpose": null}), {}) == set()
}

test_a_name_that_is_still_to_come_is_undetermined if {
	some pointer in ["/ownership/team", "/ownership"]
	_found(_taking({"team": null}, {"unknown": {pointer: "after_apply"}})) == _undetermined("HYG-001", ["/ownership/team"])
}

test_each_field_that_is_still_to_come_is_undetermined if {
	every name, code in {"owner": "HYG-002", "cost_center": "HYG-003"} {
		pointer := sprintf("/ownership/%s", [name])
		_found(_taking({name: null}, {"unknown": {pointer: "after_apply"}})) == _undetermined(code, [pointer])
	}
	_found(_taking({}, {"purpose": null, "unknown": {"/purpose": "after_apply"}})) == _undetermined("HYG-004", ["/purpose"])
}

test_an_environment_that_is_still_to_come_may_require_it if {
	changes := {"unknown": {"/ownership/environment": "after_apply"}}
	_found(_taking({"environment": null, "owner": null}, changes)) == _undetermined("HYG-002", ["/ownership/environment"])
	_found(_taking({"environment": null, "team": null}, changes)) == _refused("HYG-001")
}

test_accelerators_that_are_not_known_may_be_none if {
	_found(_taking({"team": null}, {"accelerators": null})) == _undetermined("HYG-001", ["/accelerators"])
}

test_what_takes_nothing_is_left_alone if {
	_found(_taking({"team": null}, {"accelerators": []})) == set()
	_found(_taking({"team": null}, {"change": "delete"})) == set()
	_found(_taking({}, {"purpose": null, "change": "delete"})) == set()
}

test_capacity_has_an_owner_and_no_purpose if {
	_found(_taking({"owner": null}, {"role": "capacity", "purpose": null})) == _refused("HYG-002")
}
