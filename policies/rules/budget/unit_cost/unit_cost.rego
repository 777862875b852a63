# METADATA
# title: Unit costs
# description: Compares what serving costs per request and per token with what the team aims at.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.unit_cost

import data.policies.lib.changes
import data.policies.lib.limits
import data.policies.lib.money
import data.policies.lib.owners
import data.policies.lib.unknowns

# METADATA
# title: Requests cost what they should
# description: |
#   The cost per hour at the largest size, divided by the declared requests and the declared
#   utilisation (100 % unless declared); the figure at 100 % is told as well, because it is what
#   benchmarks state and what no service reaches. May rest on an estimated price and says so.
#   What declares no load is not judged; a load of 0 counts as 1.
# custom:
#   code: BUD-006
#   severity: low
#   mode: warn
#   message: "1,000 requests to `{resource}` cost {cost} {currency} at {percent} % utilisation ({full} at 100 %) {basis}; team `{team}` aims at {target}"
#   remedy: Serve more with it, take less or cheaper accelerators, or lower the autoscaling maximum.
#   undetermined: "it cannot be told what a request to `{resource}` costs; not known: {missing}"
#   fields:
#     - change
#     - cost
#     - ownership.team
#     - throughput.requests_per_minute
#     - throughput.utilisation_percent
#   tables:
#     - catalog.prices
#     - org.budget.micros_per_thousand_requests
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-006", "resource": judged.resource.address, "facts": facts} if {
	some judged in _requests
	judged.micros > judged.target
	resource := judged.resource

	facts := {
		"cost": money.decimal(judged.micros),
		"full": money.decimal(judged.full_micros),
		"percent": judged.percent,
		"currency": resource.cost.currency,
		"basis": money.basis(resource.cost),
		"target": money.decimal(judged.target),
		"team": owners.shown(resource.ownership.team),
	}
}

deny contains {"code": "BUD-006", "resource": judged.resource.address, "undetermined": judged.missing} if {
	some judged in _requests
	judged.missing != []
	judged.micros <= judged.target
}

# METADATA
# title: Tokens cost what they should
# description: |
#   As BUD-006, per million tokens: the cost per hour divided by the declared tokens per second times
#   3,600 and the declared utilisation.
# custom:
#   code: BUD-007
#   severity: low
#   mode: warn
#   message: "a million tokens of `{resource}` cost {cost} {currency} at {percent} % utilisation ({full} at 100 %) {basis}; team `{team}` aims at {target}"
#   remedy: Serve more with it, take less or cheaper accelerators, or compare with an API that is charged by token.
#   undetermined: "it cannot be told what a token of `{resource}` costs; not known: {missing}"
#   fields:
#     - change
#     - cost
#     - ownership.team
#     - throughput.tokens_per_second
#     - throughput.utilisation_percent
#   tables:
#     - catalog.prices
#     - org.budget.micros_per_million_tokens
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-007", "resource": judged.resource.address, "facts": facts} if {
	some judged in _tokens
	judged.micros > judged.target
	resource := judged.resource

	facts := {
		"cost": money.decimal(judged.micros),
		"full": money.decimal(judged.full_micros),
		"percent": judged.percent,
		"currency": resource.cost.currency,
		"basis": money.basis(resource.cost),
		"target": money.decimal(judged.target),
		"team": owners.shown(resource.ownership.team),
	}
}

deny contains {"code": "BUD-007", "resource": judged.resource.address, "undetermined": judged.missing} if {
	some judged in _tokens
	judged.missing != []
	judged.micros <= judged.target
}

# An hour has 60 minutes: a thousand requests are 1000 / 60 of rate and percent, 5000 / 3 in
# hundredths. Six thousand million requests a minute keep the product below 2^53.
_requests := [_judgement(resource, target, load, {"factor": 5000, "per": 3, "most": 6000000000}) |
	some resource in input.resources
	declared := resource.throughput.requests_per_minute
	[declared, resource.unknown] != [null, {}]
	target := limits.budget("micros_per_thousand_requests", resource.ownership.team)
	target != null
	load := _load(resource, "/throughput/requests_per_minute", declared)
	changes.takes(resource)
]

# An hour has 3,600 seconds: a million tokens are 10^8 / 3600 = 250000 / 9 in hundredths.
_tokens := [_judgement(resource, target, load, {"factor": 250000, "per": 9, "most": 40000000}) |
	some resource in input.resources
	declared := resource.throughput.tokens_per_second
	[declared, resource.unknown] != [null, {}]
	target := limits.budget("micros_per_million_tokens", resource.ownership.team)
	target != null
	load := _load(resource, "/throughput/tokens_per_second", declared)
	changes.takes(resource)
]

# A load that will be declared and cannot be seen yet may be any: nothing is certain about it.
_load(resource, pointer, declared) := {"rate": declared, "missing": []} if {
	declared != null
} else := {"rate": null, "missing": [pointer]} if {
	# Loads are asked for with each resource: look the pointer up, and the one above it.
	some at in ["/throughput", pointer]
	resource.unknown[at]
}

_judgement(resource, target, load, unit) := {
	"resource": resource,
	"target": target,
	"percent": percent,
	"micros": _unit_micros(hourly.micros, load.rate, percent, unit),
	"full_micros": _unit_micros(hourly.micros, load.rate, 100, unit),
	"missing": array.concat(array.concat(load.missing, hourly.missing), unsure),
} if {
	hourly := money.per_hour(resource.cost)
	declared := resource.throughput.utilisation_percent
	percent := [share | some share in [declared, 100]; share != null][0]
	unsure := ["/throughput/utilisation_percent" |
		declared == null
		unknowns.holds(resource, "/throughput/utilisation_percent")
	]
}

_unit_micros(micros_per_hour, rate, percent, unit) := money.scaled(micros_per_hour, unit.factor, divisor) if {
	rate != null
	divisor := (unit.per * max([min([rate, unit.most]), 1])) * max([percent, 1])
} else := 0
