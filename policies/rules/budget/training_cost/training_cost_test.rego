package policies.rules.budget.training_cost_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.training_cost

_org := {
	"limits": {"currency": "USD"},
	"budget": {
		"mfu_percent": 40,
		"micros_per_training_run": {"default": 1000000000, "teams": {"research": null}},
	},
}

_catalog := {"accelerators": {"nvidia-l4": {"bf16_tflops": 1000}, "old": {"bf16_tflops": null}}}

# 6 x 7 x 10^9 x 10 x 10^9 operations at 40 % of 10^15 are 1,050,000 s of one accelerator, 17,500
# minutes; eight of them at 32 USD an hour are 4 USD each and hour: 1,166.67 USD.
_run(changes) := testing.workload(object.union(
	{
		"purpose": "pretraining",
		"accelerators": [testing.accelerator({"min": 8, "max": 8})],
		"model": {"params_m": 7000, "training_tokens_m": 10000},
		"cost": {"micros_per_hour": {"min": 1, "max": 32000000}, "currency": "USD", "basis": "list"},
	},
	changes,
))

_found(changes) := found if {
	request := testing.request([_run(changes)])
	found := training_cost.deny with input as request with data.org as _org with data.catalog as _catalog
}

_by_tokens := "7000 million parameters and 10000 million tokens at 40 % of the peak"

_refused(changes) := {{"code": "BUD-008", "resource": "Deployment prod/llama-70b", "facts": object.union(
	{
		"cost": 1167,
		"currency": "USD",
		"basis": "at the list price",
		"how": _by_tokens,
		"target": 1000,
		"team": "(none)",
	},
	changes,
)}}

_undetermined(missing) := {{
	"code": "BUD-008",
	"resource": "Deployment prod/llama-70b",
	"undetermined": missing,
}}

test_a_run_that_costs_more_than_the_target_is_reported if _found({}) == _refused({})

test_a_shorter_run_is_fine if _found({"model": {"training_tokens_m": 8000}}) == set()

test_an_adapter_needs_two_thirds_of_it if _found({"model": {"adapter_params_m": 20}}) == set()

test_of_experts_only_the_active_ones_count if {
	_found({"model": {"params_m": 100000}, "fit": {"params_active_m": 6000}}) == set()
}

test_a_declared_duration_is_another_figure_and_the_lower_one_is_judged if {
	_found({"lifetime": {"minutes": 3000}}) == _refused({})
	_found({"lifetime": {"minutes": 1800}}) == set()
	_found({"lifetime": {"minutes": 2000}, "model": {"training_tokens_m": null}}) == _refused({"cost": 1067, "how": "its 2000 minutes"})
}

test_who_says_neither_tokens_nor_a_duration_is_left_alone if {
	_found({"model": {"training_tokens_m": null}}) == set()
	_found({"purpose": "inference"}) == set()
	_found({"accelerators": []}) == set()
	_found({"change": "delete"}) == set()
	_found({"ownership": {"team": "research"}}) == set()
}

test_what_is_missing_is_pointed_at if {
	_found({"model": {"params_m": null}}) == _undetermined(["/lifetime/minutes", "/model/params_m"])
	_found({"accelerators": [object.union(testing.accelerator({"min": 8, "max": 8}), {"model": "old"})]}) == _undetermined([
		"/lifetime/minutes",
		"/accelerators",
	])
	later := {"/model/training_tokens_m": "after_apply"}
	_found({"model": {"training_tokens_m": null}, "unknown": later}) == _undetermined([
		"/lifetime/minutes",
		"/model/training_tokens_m",
	])
	_found({"cost": {"micros_per_hour": {"max": null}}}) == _undetermined(["/cost/micros_per_hour/max"])
}

test_a_purpose_that_is_not_known_is_pointed_at if {
	_found({"purpose": null, "unknown": {"/purpose": "after_apply"}}) == _undetermined(["/purpose"])
	_found({"purpose": null, "unknown": {"/region": "after_apply"}}) == set()
	_found({"purpose": null}) == set()
}

test_accelerators_that_are_not_known_are_pointed_at if {
	_found({"accelerators": null}) == _undetermined(["/lifetime/minutes", "/accelerators"])
}

test_the_largest_figures_stay_exact if {
	most := 9007199254740991
	huge := {
		"model": {"params_m": most, "training_tokens_m": most},
		"cost": {"micros_per_hour": {"max": most}},
	}
	_found(huge) == _refused({
		"cost": 9007000000,
		"how": "9007199254740991 million parameters and 9007199254740991 million tokens at 40 % of the peak",
	})
}
