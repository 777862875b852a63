package policies.rules.hygiene.contradiction_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.contradiction

_found(changes) := found if {
	found := contradiction.deny with input as testing.request([testing.workload(changes)])
}

_team := {"field": "/ownership/team", "declared": "rivals", "stated": "vision"}

_cost_center := {"field": "/ownership/cost_center", "declared": "CC-9", "stated": "CC-1"}

_refused(field, declared, stated) := {
	"code": "HYG-005",
	"resource": "Deployment prod/llama-70b",
	"facts": {"field": field, "declared": declared, "stated": stated},
}

test_each_contradiction_is_refused if {
	_found({"contradictions": [_team, _cost_center]}) == {
		_refused("team", "rivals", "vision"),
		_refused("cost center", "CC-9", "CC-1"),
	}
}

test_a_declaration_that_cannot_be_seen_yet_is_undetermined if {
	_found({"unknown": {"/contradictions": "after_apply"}}) == {{
		"code": "HYG-005",
		"resource": "Deployment prod/llama-70b",
		"undetermined": ["/contradictions"],
	}}
}

test_agreement_and_deletion_are_fine if {
	_found({}) == set()
	_found({"contradictions": [_team], "change": "delete"}) == set()
	_found({"unknown": {"/contradictions": "after_apply"}, "change": "delete"}) == set()
}
