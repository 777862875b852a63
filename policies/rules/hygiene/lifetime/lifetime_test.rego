package policies.rules.hygiene.lifetime_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.lifetime

_lifetime(changes) := {"lifetime": object.union({"minutes": null, "bounded": false, "idle_minutes": null}, changes)}

_taking(changes) := testing.workload(object.union(
	{"accelerators": [testing.accelerator({"min": 1, "max": 1})]},
	changes,
))

_found_within(changes, longest) := found if {
	found := lifetime.deny with input as testing.request([_taking(changes)])
		with data.org as {"hygiene": {"longest_idle_minutes": longest}}
}

_found(changes) := _found_within(changes, 240)

_hangs(what) := {{"code": "HYG-006", "resource": "Deployment prod/llama-70b", "facts": {"what": what}}}

_undetermined(code, missing) := {{"code": code, "resource": "Deployment prod/llama-70b", "undetermined": missing}}

_job(changes) := object.union(_lifetime({}), object.union({"purpose": "finetuning"}, changes))

_unsaid(changes) := object.union(_job({"purpose": null, "unknown": {"/purpose": "after_apply"}}), changes)

test_a_job_that_nothing_ends_is_reported if {
	_found(_job({})) == _hangs("finetuning")
	_found(_job(_lifetime({"minutes": 90}))) == _hangs("finetuning")
	_found(_job({"purpose": null, "kind": "Job"})) == _hangs("a job")
}

test_a_job_with_a_deadline_is_fine if _found(_job(_lifetime({"minutes": 90, "bounded": true}))) == set()

test_a_run_of_a_schedule_with_a_deadline_is_fine if {
	schedule := object.union(_job({"kind": "CronJob"}), _lifetime({"minutes": 90}))
	_found(schedule) == set()
	_found(object.union(schedule, {"provenance": {"/lifetime/minutes": "declared"}})) == _hangs("finetuning")
	_found(object.union(schedule, {"provenance": {"/lifetime/minutes": "namespace"}})) == _hangs("finetuning")
	_found(_job({"kind": "CronJob"})) == _hangs("finetuning")
}

test_what_serves_or_does_not_say_needs_no_deadline if {
	_found(_job({"purpose": "inference"})) == set()
	_found(_job({"purpose": null})) == set()
	_found(_job({"role": "capacity"})) == set()
	_found(_job({"accelerators": []})) == set()
	_found(_job({"change": "delete"})) == set()
	_found(_unsaid({"change": "delete"})) == set()
	_found(_unsaid({"accelerators": []})) == set()
}

test_what_is_not_known_of_a_job_is_pointed_at if {
	_found(_job(_lifetime({"bounded": null}))) == _undetermined("HYG-006", ["/lifetime/bounded"])
	_found(_job({"accelerators": null})) == _undetermined("HYG-006", ["/accelerators"])
	_found(_unsaid({})) == _undetermined("HYG-006", ["/purpose"]) | _undetermined("HYG-007", ["/purpose"])
	_found(_unsaid(_lifetime({"idle_minutes": 60}))) == _undetermined("HYG-006", ["/purpose"])
	_found(_unsaid({"kind": "Job"})) == _hangs("a job") | _undetermined("HYG-007", ["/purpose"])
}

_notebook(changes) := object.union({"purpose": "notebook"}, _lifetime(changes))

_idles(facts) := {{
	"code": "HYG-007",
	"resource": "Deployment prod/llama-70b",
	"facts": object.union({"purpose": "notebook", "limit": "has no idle limit", "longest": "240 idle minutes"}, facts),
}}

test_a_notebook_without_an_idle_limit_is_reported if {
	_found(_notebook({})) == _idles({})
	_found(object.union(_notebook({}), {"role": "capacity", "purpose": "development"})) == _idles({"purpose": "development"})
	_found_within(_notebook({}), null) == _idles({"longest": "some idle time"})
}

test_an_idle_limit_that_is_too_long_is_reported if {
	_found(_notebook({"idle_minutes": 600})) == _idles({"limit": "stops only after 600 idle minutes"})
	_found(_notebook({"bounded": true, "minutes": 600})) == _idles({})
}

test_a_notebook_that_stops_soon_is_fine if {
	_found(_notebook({"idle_minutes": 240})) == set()
	_found(_notebook({"bounded": true, "minutes": 240})) == set()
	_found_within(_notebook({"idle_minutes": 600}), null) == set()
}

test_what_is_not_known_of_a_notebook_is_pointed_at if {
	hidden := {"unknown": {"/lifetime": "after_apply"}}
	_found(object.union(_notebook({}), hidden)) == _undetermined("HYG-007", ["/lifetime/idle_minutes"])
	_found(object.union(_notebook({}), {"accelerators": null})) == _undetermined("HYG-007", ["/accelerators"])
}

test_other_purposes_and_deletion_need_no_idle_limit if {
	_found(object.union(_notebook({}), {"purpose": "inference"})) == set()
	_found(object.union(_notebook({}), {"accelerators": []})) == set()
	_found(object.union(_notebook({}), {"change": "delete"})) == set()
}
