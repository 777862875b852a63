package policies.rules.budget.unit_cost_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.unit_cost

_org := {
	"limits": {"currency": "USD"},
	"budget": {
		"micros_per_thousand_requests": {"default": 100000, "teams": {"vision": null}},
		"micros_per_million_tokens": {"default": 5000000, "teams": {}},
	},
}

# 3.60 USD an hour: 600 requests a minute are 36,000 an hour, 0.10 USD for a thousand;
# 200 tokens a second are 720,000 an hour, 5 USD for a million.
_served(changes) := testing.workload(object.union(
	{"cost": {"micros_per_hour": {"min": 1, "max": 3600000}, "currency": "USD", "basis": "list"}},
	changes,
))

_found(changes) := found if {
	found := unit_cost.deny with input as testing.request([_served(changes)]) with data.org as _org
}

_facts := {
	"cost": "0.1002",
	"full": "0.1002",
	"percent": 100,
	"currency": "USD",
	"basis": "at the list price",
	"target": "0.1000",
	"team": "(none)",
}

_refused(code, changes) := {{
	"code": code,
	"resource": "Deployment prod/llama-70b",
	"facts": object.union(_facts, changes),
}}

_undetermined(code, missing) := {{"code": code, "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_requests_that_cost_more_than_the_target_are_reported if {
	_found({"throughput": {"requests_per_minute": 599}}) == _refused("BUD-006", {})
	_found({"throughput": {"requests_per_minute": 600}}) == set()
}

test_tokens_that_cost_more_than_the_target_are_reported if {
	_found({"throughput": {"tokens_per_second": 199}}) == _refused("BUD-007", {
		"cost": "5.0252",
		"full": "5.0252",
		"target": "5.0000",
	})
	_found({"throughput": {"tokens_per_second": 200}}) == set()
}

test_a_declared_utilisation_makes_each_one_dearer if {
	half := {"requests_per_minute": 600, "utilisation_percent": 50}
	_found({"throughput": half}) == _refused("BUD-006", {"cost": "0.2000", "full": "0.1000", "percent": 50})
}

test_none_at_all_counts_as_one if {
	_found({"throughput": {"requests_per_minute": 0}}) == _refused("BUD-006", {"cost": "60.0000", "full": "60.0000"})
	none := {"tokens_per_second": 200, "utilisation_percent": 0}
	_found({"throughput": none}) == _refused("BUD-007", {
		"cost": "500.0000",
		"full": "5.0000",
		"percent": 0,
		"target": "5.0000",
	})
}

test_who_declares_no_load_or_has_no_target_is_left_alone if {
	_found({}) == set()
	_found({"unknown": {"/region": "after_apply"}}) == set()
	_found({"ownership": {"team": "vision"}, "throughput": {"requests_per_minute": 1}}) == set()
	_found({"change": "delete", "throughput": {"requests_per_minute": 1, "tokens_per_second": 1}}) == set()
}

test_a_load_that_is_not_known_is_pointed_at if {
	_found({"unknown": {"/throughput/requests_per_minute": "after_apply"}}) == _undetermined(
		"BUD-006",
		["/throughput/requests_per_minute"],
	)
	_found({"unknown": {"/throughput/tokens_per_second": "after_apply"}}) == _undetermined(
		"BUD-007",
		["/throughput/tokens_per_second"],
	)
}

test_a_utilisation_that_is_not_known_may_only_be_lower if {
	later := {"/throughput/utilisation_percent": "after_apply"}
	_found({"unknown": later, "throughput": {"requests_per_minute": 599}}) == _refused("BUD-006", {})
	_found({"unknown": later, "throughput": {"requests_per_minute": 600}}) == _undetermined(
		"BUD-006",
		["/throughput/utilisation_percent"],
	)
}

test_a_cost_that_is_not_known_is_pointed_at if {
	costs := {"micros_per_hour": {"max": null}}
	_found({"cost": costs, "throughput": {"tokens_per_second": 200}}) == _undetermined(
		"BUD-007",
		["/cost/micros_per_hour/max"],
	)
	_found({"cost": {"currency": "EUR"}, "throughput": {"requests_per_minute": 1}}) == _undetermined(
		"BUD-006",
		["/cost/currency"],
	)
}

test_the_largest_figures_stay_exact if {
	most := {"requests_per_minute": 9007199254740991, "tokens_per_second": 9007199254740991}
	_found({"throughput": most}) == set()
	dear := {"micros_per_hour": {"max": 9007199254740991}}
	_found({"cost": dear, "throughput": {"requests_per_minute": 1}}) == _refused("BUD-006", {
		"cost": "9007199254.7410",
		"full": "9007199254.7410",
	})
}
