package policies.rules.hygiene.images_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.images

_running(environment, names, changes) := testing.workload(object.union(
	{
		"accelerators": [testing.accelerator({"min": 1, "max": 1})],
		"images": names,
		"ownership": {"environment": environment},
	},
	changes,
))

_found(resource) := found if {
	found := images.deny with input as testing.request([resource])
		with data.org as {"hygiene": {"pinned_environments": ["production"]}}
}

_undetermined(missing) := {{"code": "HYG-010", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

_tags := ["a@sha256:00", "b:1", "c"]

test_images_without_a_digest_are_reported_in_production if {
	_found(_running("production", _tags, {})) == {{
		"code": "HYG-010",
		"resource": "Deployment prod/llama-70b",
		"facts": {"environment": "production", "count": 2, "image": "b:1"},
	}}
}

test_digests_and_other_environments_are_fine if {
	_found(_running("production", ["a@sha256:00"], {})) == set()
	_found(_running("production", [], {})) == set()
	_found(_running("development", _tags, {})) == set()
	_found(_running(null, _tags, {})) == set()
}

test_what_is_not_known_is_pointed_at if {
	environment := {"unknown": {"/ownership": "after_apply"}}
	_found(_running(null, _tags, environment)) == _undetermined(["/ownership/environment"])
	_found(_running(null, ["a@sha256:00"], environment)) == set()
	_found(_running("production", [], {"unknown": {"/images": "elsewhere"}})) == _undetermined(["/images"])
	_found(_running("production", _tags, {"accelerators": null})) == _undetermined(["/accelerators"])
}

test_what_takes_nothing_is_left_alone if {
	_found(_running("production", _tags, {"accelerators": []})) == set()
	_found(_running("production", _tags, {"change": "delete"})) == set()
	_found(_running("production", _tags, {"role": "capacity"})) == set()
}
