# METADATA
# title: Cost of a training run
# description: Compares what a whole run costs with what the team aims at.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.training_cost

import data.policies.lib.changes
import data.policies.lib.limits
import data.policies.lib.money
import data.policies.lib.owners
import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# title: Training run costs what it should
# description: |
#   A run of declared parameters and tokens takes 6 x parameters x tokens operations: 2 forward, 2 for
#   the gradients of activations, 2 for those of weights, which an adapter leaves out. Divided by the
#   accelerator's peak in bfloat16 and the share of it that a run uses (`mfu_percent`) that is its
#   time. A declared duration gives another figure; the lower of the two is judged.
#   Of a mixture of experts the active parameters count. May rest on an estimated price and says so.
# related_resources:
#   - ref: https://github.com/stas00/ml-engineering/tree/master/training/performance
# custom:
#   code: BUD-008
#   severity: medium
#   mode: warn
#   message: "a run of `{resource}` costs {cost} {currency} {basis}, by {how}; team `{team}` aims at {target}"
#   remedy: Train on fewer tokens or a smaller model, tune an adapter, or take capacity that costs less for the same arithmetic.
#   undetermined: "it cannot be told what a run of `{resource}` costs; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - cost
#     - fit.params_active_m
#     - lifetime.minutes
#     - model.adapter_params_m
#     - model.params_m
#     - model.training_tokens_m
#     - ownership.team
#     - purpose
#   tables:
#     - catalog.accelerators
#     - catalog.prices
#     - org.budget.mfu_percent
#     - org.budget.micros_per_training_run
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-008", "resource": judged.resource.address, "facts": facts} if {
	some judged in _runs
	judged.micros > judged.target
	resource := judged.resource
	resource.purpose != null

	facts := {
		"cost": money.units_up(judged.micros),
		"currency": resource.cost.currency,
		"basis": money.basis(resource.cost),
		"how": judged.how,
		"target": money.units(judged.target),
		"team": owners.shown(resource.ownership.team),
	}
}

deny contains {"code": "BUD-008", "resource": judged.resource.address, "undetermined": judged.missing} if {
	some judged in _runs
	judged.missing != []
	[judged.micros > judged.target, judged.resource.purpose != null] != [true, true]
}

_runs := [_judgement(resource, target) |
	some resource in input.resources
	resource.purpose in {"pretraining", "finetuning", null}
	resource.accelerators != []
	[resource.purpose, resource.unknown] != [null, {}]
	_may_train(resource)
	_says_how_long(resource)
	target := limits.budget("micros_per_training_run", resource.ownership.team)
	target != null
	changes.takes(resource)
]

_may_train(resource) if {
	resource.purpose != null
} else if {
	unknowns.holds(resource, "/purpose")
}

_says_how_long(resource) if {
	[resource.lifetime.minutes, resource.model.training_tokens_m] != [null, null]
} else if {
	some pointer in ["/lifetime/minutes", "/model/training_tokens_m"]
	unknowns.holds(resource, pointer)
}

_judgement(resource, target) := {
	"resource": resource,
	"target": target,
	"micros": least,
	"how": concat(" or ", {figure.how | some figure in figures; figure.micros == least}),
	"missing": array.concat(["/purpose" | resource.purpose == null], array.concat(hourly.missing, _missing(resource, figures))),
} if {
	hourly := money.per_hour(resource.cost)
	figures := array.concat(_by_duration(resource, hourly.micros), _by_tokens(resource, hourly.micros))
	least := min(array.concat([figure.micros | some figure in figures], [0 | figures == []]))
}

# A thousand million minutes are 1,900 years, and keep the product below 2^53.
_by_duration(resource, hourly) := [{"how": sprintf("its %d minutes", [minutes]), "micros": micros} |
	minutes := resource.lifetime.minutes
	minutes != null
	micros := money.scaled(hourly, min([minutes, 1000000000]), 60)
]

# 6 x P x 10^6 x T x 10^6 operations / (peak x 10^12 x share / 100) are 600 x P x T / (peak x share)
# seconds of one accelerator, or 30 x P x T / (3 x peak x share) minutes. What a tenant states is cut
# above anything that exists (5 x 10^13 parameters, 1.8 x 10^14 tokens), so that every product stays
# below 2^53.
_by_tokens(resource, hourly) := [{"how": how, "micros": micros} |
	tokens := resource.model.training_tokens_m
	params := _params(resource)
	tokens != null
	params.m != null
	some {"peak": peak, "count": count} in _accelerators(resource)
	share := object.get(data.org, ["budget", "mfu_percent"], 40)
	work := min([params.m, 50000000]) * min([tokens, 180000000])
	minutes := money.scaled(work, params.operations * 5, (3 * peak) * share)
	each := min([whole.quotient(hourly, count) + min([hourly % count, 1]), 1000000000000])
	micros := money.scaled(minutes, each, 60)
	how := sprintf("%d million parameters and %d million tokens at %d %% of the peak", [params.m, tokens, share])
]

_params(resource) := {"m": resource.fit.params_active_m, "operations": _operations(resource)} if {
	resource.fit.params_active_m != null
} else := {"m": resource.model.params_m, "operations": _operations(resource)}

_operations(resource) := 6 if {
	resource.model.adapter_params_m in {null, 0}
} else := 4

# One kind of whole accelerators with a known number and a known peak, or nothing.
_accelerators(resource) := [{"peak": peak, "count": item.total.max} |
	resource.accelerators != null
	count(resource.accelerators) == 1
	some item in resource.accelerators
	item.slice == null
	item.total.max != null
	item.total.max > 0
	peak := object.get(data.catalog, ["accelerators", item.model, "bf16_tflops"], null)
	peak != null
	peak > 0
]

_missing(resource, figures) := [] if {
	figures != []
} else := [pointer |
	some {"at": pointer, "known": false} in [
		{"at": "/lifetime/minutes", "known": resource.lifetime.minutes != null},
		{"at": "/model/training_tokens_m", "known": resource.model.training_tokens_m != null},
		{"at": "/model/params_m", "known": _params(resource).m != null},
		{"at": "/accelerators", "known": _accelerators(resource) != []},
	]
]
