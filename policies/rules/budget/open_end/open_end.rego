# METADATA
# title: Open-ended cost
# description: Says what a month costs of something that should end and does not say when.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.open_end

import data.policies.lib.changes
import data.policies.lib.money
import data.policies.lib.unknowns

# METADATA
# title: What ends by nature says when
# description: |
#   Training runs, batch jobs, notebooks and development machines are meant to end. One that costs
#   more per month than the organisation lets pass, and that neither a deadline, nor a time of
#   idleness, nor a declared duration ends, is reported with what a month of it costs.
#   The figure may rest on an estimate and says so.
# custom:
#   code: BUD-005
#   severity: medium
#   mode: warn
#   message: "nothing says when `{resource}` ({purpose}) ends; a month of it costs {monthly} {currency} {basis}"
#   remedy: Set `activeDeadlineSeconds` on a job, a time of idleness on a notebook or machine, or declare `portreeve.dev/max-minutes`.
#   undetermined: "it cannot be told what `{resource}` costs until it ends; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - cost
#     - lifetime
#     - purpose
#   tables:
#     - catalog.prices
#     - org.budget.open_ended_monthly_micros
#     - org.budget.open_ended_purposes
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-005", "resource": judged.resource.address, "facts": facts} if {
	some judged in _open_ended
	judged.above
	judged.unknown == []
	cost := judged.resource.cost

	facts := {
		"purpose": judged.resource.purpose,
		"monthly": money.monthly(judged.micros),
		"currency": cost.currency,
		"basis": money.basis(cost),
	}
}

deny contains {"code": "BUD-005", "resource": judged.resource.address, "undetermined": missing} if {
	some judged in _open_ended
	missing := _missing(judged)
	missing != []
}

# What is cheap at its largest size may stay, whenever it ends.
_missing(judged) := judged.unknown if {
	judged.above
} else := array.concat(judged.unknown, judged.unpriced) if {
	judged.unpriced != []
} else := []

_open_ended := [judged |
	some resource in input.resources
	[resource.purpose, resource.unknown] != [null, {}]
	resource.lifetime.bounded in {false, null}
	[resource.lifetime.minutes, resource.lifetime.idle_minutes] == [null, null]
	resource.accelerators != []
	_may_have_to_end(resource)
	changes.takes(resource)
	threshold := object.get(data.org, ["budget", "open_ended_monthly_micros"], null)
	threshold != null
	hourly := money.per_hour(resource.cost)
	judged := {
		"resource": resource,
		"micros": hourly.micros,
		"unpriced": hourly.missing,
		"above": hourly.micros > money.hourly(threshold),
		"unknown": [pointer |
			some pointer in ["/purpose", "/lifetime/bounded", "/lifetime/minutes", "/lifetime/idle_minutes"]
			unknowns.holds(resource, pointer)
		],
	}
]

_may_have_to_end(resource) if {
	resource.purpose in object.get(data.org, ["budget", "open_ended_purposes"], [])
} else if {
	resource.purpose == null
	unknowns.holds(resource, "/purpose")
}
