# METADATA
# title: Run rate of a change
# description: Keeps what one request adds to the monthly bill within what its team may add at once.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.run_rate

import data.policies.lib.limits
import data.policies.lib.money
import data.policies.lib.owners

# METADATA
# title: Change stays within the team's monthly limit per request
# description: |
#   Judges what the whole request adds per month of 730 hours at its largest size, after minus
#   before, for each team, role and currency.
#   Only prices by contract and list prices of the region are firm enough to refuse; with
#   estimates, prices that are missing or another currency the rule says what it cannot tell.
#   A change that adds nothing is never refused.
# custom:
#   code: BUD-001
#   severity: high
#   message: "the request adds {monthly} {currency} a month of {role} for team `{team}`; one request may add {limit} {currency}"
#   remedy: Ask for less at once, choose a cheaper instance type or a lower autoscaling maximum, or ask for a larger limit.
#   undetermined: "it cannot be told whether the request stays within its team's monthly limit; no firm figure: {missing}"
#   reads:
#     - context.totals
#   fields:
#     - context.totals
#   tables:
#     - catalog.prices
#     - org.internal_rates
#     - org.limits.currency
#     - org.limits.monthly_micros_per_request
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-001", "resource": null, "facts": facts} if {
	some judged in _judged
	judged.above

	facts := {
		"team": owners.shown(judged.total.team),
		"role": judged.total.role,
		"monthly": money.monthly(judged.total.firm_micros_per_hour),
		"limit": money.units(judged.limit),
		"currency": judged.total.currency,
	}
}

deny contains {"code": "BUD-001", "resource": null, "undetermined": missing} if {
	some judged in _judged
	judged.above == false

	missing := [sprintf("/context/totals/%d/%s", [judged.index, leaf]) | some leaf, true in judged.unsure]
	count(missing) > 0
}

_judged := [_judgement(index, total, change, limit) |
	some index, total in input.context.totals
	change := total.firm_micros_per_hour + total.estimated_micros_per_hour
	[change > 0, total.unpriced != []] != [false, false]
	limit := limits.monthly_micros(total.team)
	limit != null
	not _is_surely_within(total, limit)
]

# A comparison that spares most the rest, of amounts that stay exact as those of a month.
_is_surely_within(total, limit) if {
	total.unpriced == []
	most := max([total.firm_micros_per_hour, total.firm_micros_per_hour + total.estimated_micros_per_hour])
	most < 10000000000000
	most * 730 <= limit
	limits.are_in(total.currency)
}

_judgement(index, total, change, limit) := {
	"index": index,
	"total": total,
	"limit": limit,
	"above": [comparable, change > 0, total.firm_micros_per_hour > hourly] == [true, true, true],
	"unsure": {
		"currency": [comparable, change > 0] == [false, true],
		"estimated_micros_per_hour": [comparable, change > hourly] == [true, true],
		"unpriced": total.unpriced != [],
	},
} if {
	comparable := limits.are_in(total.currency)
	hourly := money.hourly(limit)
}
