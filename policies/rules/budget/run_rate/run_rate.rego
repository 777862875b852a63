# METADATA
# title: Run rate of a change
# description: Keeps what one request adds to the monthly bill within what its team may add at once.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.run_rate

import data.policies.lib.limits
import data.policies.lib.owners
import data.policies.lib.whole

_hours_per_month := 730

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
#   undetermined: "it is not known whether the request stays within the monthly limit of its team: {missing} is no firm figure"
#   reads:
#     - context.totals
#   fields:
#     - context.totals
#   tables:
#     - org.limits.currency
#     - org.limits.monthly_micros_per_request
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-001", "resource": null, "facts": facts} if {
	some total in input.context.totals
	_above_limit(total)

	facts := {
		"team": owners.shown(total.team),
		"role": total.role,
		"monthly": _monthly_units(total.firm_micros_per_hour),
		"limit": whole.quotient(limits.monthly_micros(total.team), 1000000),
		"currency": total.currency,
	}
}

deny contains {"code": "BUD-001", "resource": null, "undetermined": missing} if {
	some index, total in input.context.totals
	not _above_limit(total)

	missing := [sprintf("/context/totals/%d/%s", [index, leaf]) | some leaf in _unsure(total)]
	count(missing) > 0
}

_above_limit(total) if {
	limit := limits.monthly_micros(total.team)
	limit != null
	total.currency == limits.currency
	_change(total) > 0
	_exceeds(total.firm_micros_per_hour, limit)
}

_change(total) := total.firm_micros_per_hour + total.estimated_micros_per_hour

# A month's amount may be above 2^53, an hour's share of the limit is not.
_exceeds(micros_per_hour, limit) if micros_per_hour > whole.quotient(limit, _hours_per_month)

_unsure(total) := [] if limits.monthly_micros(total.team) == null

_unsure(total) := array.concat(_unsure_amount(total), _unsure_prices(total)) if limits.monthly_micros(total.team) != null

_unsure_amount(total) := ["currency" |
	total.currency != limits.currency
	_change(total) > 0
] if total.currency != limits.currency

_unsure_amount(total) := ["estimated_micros_per_hour" |
	_exceeds(_change(total), limits.monthly_micros(total.team))
] if total.currency == limits.currency

_unsure_prices(total) := ["unpriced" | count(total.unpriced) > 0]

# Whole units of the currency per month, rounded up: 730 hours in millionths are 73 in 100,000ths.
_monthly_units(micros_per_hour) := (units * 73) + whole.ceiling((micros_per_hour % 100000) * 73, 100000) if {
	units := whole.quotient(micros_per_hour, 100000)
}
