# METADATA
# title: Run rate of a team
# description: Keeps all that a team takes within what it may take per month.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.team_rate

import data.policies.lib.limits
import data.policies.lib.money
import data.policies.lib.owners

# METADATA
# title: Team stays within its monthly run rate
# description: |
#   Adds what the organisation says the team takes today, from all vendors in one role, and what the
#   whole request adds at its largest size, and compares the sum with the team's limit per month of
#   730 hours. Capacity and workloads are judged apart.
#   Only prices by contract and list prices of the region are firm enough to refuse. A change that
#   adds nothing is never refused.
# custom:
#   code: BUD-003
#   severity: high
#   message: "team `{team}` takes {today} {currency} a month of {role} and the request adds {added} {currency}; it may take {limit} {currency}"
#   remedy: Give back something that is not needed, ask for less, or ask for a larger limit.
#   undetermined: "it cannot be told whether the request keeps its team within its monthly run rate; no firm figure: {missing}"
#   reads:
#     - context.totals
#     - context.usage
#   fields:
#     - context.totals
#     - context.usage
#   tables:
#     - catalog.prices
#     - org.budget.monthly_micros
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#     - org.usage
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-003", "resource": null, "facts": facts} if {
	some judged in _judged
	judged.above

	facts := {
		"team": owners.shown(judged.total.team),
		"role": judged.total.role,
		"today": money.monthly(judged.today),
		"added": money.monthly(max([judged.total.firm_micros_per_hour, 0])),
		"limit": money.units(judged.limit),
		"currency": judged.total.currency,
	}
}

deny contains {"code": "BUD-003", "resource": null, "undetermined": missing} if {
	some judged in _judged
	judged.above == false

	leaves := [sprintf("/context/totals/%d/%s", [judged.index, leaf]) | some leaf, true in judged.unsure]
	missing := array.concat(leaves, judged.missing)
	missing != []
}

_judged := [_judgement(index, total, change, limit) |
	some index, total in input.context.totals
	change := total.firm_micros_per_hour + total.estimated_micros_per_hour
	[change > 0, total.unpriced != []] != [false, false]
	limit := limits.budget("monthly_micros", total.team)
	limit != null
]

_judgement(index, total, change, limit) := {
	"index": index,
	"total": total,
	"limit": limit,
	"today": today,
	"above": [comparable, change > 0, total.firm_micros_per_hour > room] == [true, true, true],
	"unsure": {
		"currency": [comparable, change > 0] == [false, true],
		"estimated_micros_per_hour": [comparable, change > room] == [true, true],
		"unpriced": total.unpriced != [],
	},
	"missing": _missing(rows, total.currency),
} if {
	comparable := limits.are_in(total.currency)
	rows := [object.union(row, {"index": at}) |
		some at, row in input.context.usage
		[row.team, row.role] == [total.team, total.role]
	]

	# No team takes 9 million an hour, and a thousand rows of them are still exact.
	today := sum([min([row.micros_per_hour, 9000000000000]) |
		some row in rows
		row.currency == total.currency
		row.micros_per_hour != null
	])

	# Where the team is above its limit already, whatever adds something is refused.
	room := max([money.hourly(limit) - today, 0])
}

_missing(rows, currency) := array.concat(nobody_says, not_comparable) if {
	nobody_says := ["/context/usage" | rows == []]
	not_comparable := [sprintf("/context/usage/%d/%s", [row.index, leaf]) |
		some row in rows
		some leaf, true in {
			"currency": row.currency != currency,
			"micros_per_hour": row.micros_per_hour == null,
		}
	]
}
