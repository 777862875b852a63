package policies.rules.house.notebooks_test

import data.policies.lib.testing_test as testing
import data.policies.rules.house.notebooks

_notebook(most, changes) := testing.workload(object.union(
	{"purpose": "notebook", "accelerators": [testing.accelerator({"min": 1, "max": most})]},
	changes,
))

_found(resource) := found if {
	org := {"own": {"notebook_accelerators": 1}}
	found := notebooks.deny with input as testing.request([resource]) with data.org as org
}

_reported(what) := {object.union({"code": "HOUSE-001", "resource": "Deployment prod/llama-70b"}, what)}

test_a_notebook_with_too_many_accelerators_is_refused if {
	_found(_notebook(8, {})) == _reported({"facts": {"asked": 8, "limit": 1}})
}

test_a_small_notebook_is_fine if _found(_notebook(1, {})) == set()

test_a_job_may_be_larger if _found(_notebook(8, {"purpose": "batch"})) == set()

test_a_notebook_that_ends_takes_nothing if _found(_notebook(8, {"change": "delete"})) == set()

test_a_count_that_is_not_known_is_pointed_at_rather_than_skipped if {
	_found(_notebook(null, {})) == _reported({"undetermined": ["/accelerators/0/total"]})
	_found(_notebook(1, {"accelerators": null})) == _reported({"undetermined": ["/accelerators"]})
}

test_without_a_limit_nothing_is_judged if {
	found := notebooks.deny with input as testing.request([_notebook(8, {})]) with data.org as {}
	found == set()
}
