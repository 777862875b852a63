package policies.rules.gpu.size_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.size

_org := {"limits": {"accelerators_per_resource": {"default": 8, "teams": {"vision": 16, "research": null, "trial": 1}}}}

_taking(total, changes) := object.union({"accelerators": [testing.accelerator(total)]}, changes)

_of(team) := {"ownership": {"team": team}}

_refused(asked, team, limit) := {{
	"code": "GPU-001",
	"resource": "Deployment prod/llama-70b",
	"facts": {"asked": asked, "team": team, "limit": limit},
}}

_undetermined(missing) := {{"code": "GPU-001", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_more_than_the_teams_limit_is_refused if {
	resource := testing.workload(_taking({"min": 1, "max": 17}, _of("vision")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _refused(17, "vision", 16)
}

test_as_many_as_the_limit_are_fine if {
	resource := testing.workload(_taking({"min": 16, "max": 16}, _of("vision")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == set()
}

test_without_a_team_the_default_holds if {
	resource := testing.workload(_taking({"min": 9, "max": 9}, {}))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _refused(9, "(none)", 8)
}

test_a_team_that_may_take_any_number_is_left_alone if {
	resource := testing.workload(_taking({"min": 900, "max": null}, _of("research")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == set()
}

test_capacity_is_held_to_the_limit_like_workloads if {
	resource := testing.capacity(_taking({"min": 0, "max": 64}, _of("vision")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == {{
		"code": "GPU-001",
		"resource": "aws_instance.gpu",
		"facts": {"asked": 64, "team": "vision", "limit": 16},
	}}
}

test_a_lower_bound_above_the_limit_is_refused_though_the_upper_one_is_unknown if {
	resource := testing.workload(_taking({"min": 17, "max": null}, _of("vision")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _refused(17, "vision", 16)
}

test_unknown_count_is_undetermined_rather_than_skipped if {
	resource := testing.workload(_taking({"min": 2, "max": null}, _of("vision")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _undetermined(["/accelerators/0/total"])
}

test_unknown_accelerators_are_undetermined_rather_than_none if {
	resource := testing.workload(object.union({"accelerators": null}, _of("vision")))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _undetermined(["/accelerators"])
}

test_an_update_that_lowers_or_keeps_the_count_is_left_alone if {
	every after in [32, 31] {
		before := testing.workload(_taking({"min": 32, "max": 32}, _of("vision")))
		changes := object.union(_of("vision"), {"change": "update", "before": before})
		resource := testing.workload(_taking({"min": 1, "max": after}, changes))
		found := size.deny with input as testing.request([resource]) with data.org as _org
		found == set()
	}
}

test_an_update_that_raises_the_count_is_refused if {
	before := testing.workload(_taking({"min": 32, "max": 32}, _of("vision")))
	changes := object.union(_of("vision"), {"change": "update", "before": before})
	resource := testing.workload(_taking({"min": 1, "max": 33}, changes))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _refused(33, "vision", 16)
}

test_an_update_from_an_unknown_count_is_refused_like_a_creation if {
	before := testing.workload(_taking({"min": null, "max": null}, _of("vision")))
	changes := object.union(_of("vision"), {"change": "update", "before": before})
	resource := testing.workload(_taking({"min": 1, "max": 17}, changes))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _refused(17, "vision", 16)
}

test_what_is_deleted_read_or_unchanged_is_left_alone if {
	every change in ["delete", "read", "no_op"] {
		gone := testing.workload(_taking({"min": 64, "max": 64}, {"change": change}))
		unknown := testing.workload({"accelerators": null, "change": change})
		found := size.deny with input as testing.request([gone, unknown]) with data.org as _org
		found == set()
	}
}

test_a_team_still_to_come_is_undetermined_where_some_team_may_not_take_as_many if {
	resource := testing.workload(_taking({"min": 2, "max": 2}, {"unknown": {"/ownership/team": "after_apply"}}))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == _undetermined(["/ownership/team"])
}

test_a_team_still_to_come_does_not_matter_where_every_team_may_take_as_many if {
	resource := testing.workload(_taking({"min": 1, "max": 1}, {"unknown": {"/ownership": "after_apply"}}))
	found := size.deny with input as testing.request([resource]) with data.org as _org
	found == set()
}

test_without_limits_nothing_is_refused if {
	resource := testing.workload(_taking({"min": 64, "max": null}, {"unknown": {"/ownership": "after_apply"}}))
	found := size.deny with input as testing.request([resource]) with data.org as {"limits": {}}
	found == set()
}
