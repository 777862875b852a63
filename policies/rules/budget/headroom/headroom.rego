# METADATA
# title: Headroom of budgets
# description: Keeps requests within the budgets that they count against.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.headroom

import data.policies.lib.money

# METADATA
# title: Budget has room for the request
# description: |
#   Compares what was billed, what allowed requests hold, and what this request adds until the end of
#   the period with the limit of every budget that it counts against, and names the first one from
#   the root of the tree that has no room for it.
#   What a request adds is its rate at its largest size, after minus before, times the time that is
#   left in the period, or in a bounded lifetime if that is shorter. Only prices by contract and list
#   prices of the region are firm enough to refuse. A change that adds nothing is never refused.
# custom:
#   code: BUD-010
#   severity: high
#   message: "the request adds {asked} {unit} to the budget `{budget}` until {until}; {left} of {limit} are left"
#   remedy: Ask for less or for a shorter time, give back something that is not needed, or ask for a larger budget.
#   undetermined: "it cannot be told whether the budgets of the request have room for it; no firm figure: {missing}"
#   reads:
#     - context.budgets
#   fields:
#     - context.budgets
#   tables:
#     - catalog.prices
#     - org.budgets
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-010", "resource": null, "facts": facts} if {
	some judged in _judged
	judged.certain == "limit"
	not _lies_below_another(judged)
	budget := judged.budget

	facts := {
		"budget": budget.path,
		"asked": _up(budget, budget.asked.firm),
		"left": _down(budget, judged.room.limit),
		"limit": _down(budget, budget.limit),
		"unit": _unit(budget),
		"until": budget.period_end,
	}
}

deny contains {"code": "BUD-010", "resource": null, "undetermined": missing} if {
	_judged != []
	missing := _missing("limit")
	missing != []
}

# METADATA
# title: Request stays below what needs an approval
# description: |
#   Reports a request that brings a budget above the amount from which on somebody has to agree, and
#   says who. Reckoned as BUD-010 does; above the limit of a budget only that is reported of it.
# custom:
#   code: BUD-011
#   severity: medium
#   mode: warn
#   message: "the request adds {asked} {unit} to the budget `{budget}` until {until}; {left} are left up to {threshold}, above which {approvers} has to agree"
#   remedy: Have {approvers} agree, or ask for less or for a shorter time.
#   undetermined: "it cannot be told whether somebody has to agree to the request; no firm figure: {missing}"
#   reads:
#     - context.budgets
#   fields:
#     - context.budgets
#   tables:
#     - catalog.prices
#     - org.budgets
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-011", "resource": null, "facts": facts} if {
	some judged in _judged
	judged.certain == "approval"
	not _lies_below_another(judged)
	budget := judged.budget

	facts := {
		"budget": budget.path,
		"approvers": concat(" or ", budget.approvers),
		"asked": _up(budget, budget.asked.firm),
		"left": _down(budget, judged.room.approval),
		"threshold": _down(budget, budget.approval),
		"unit": _unit(budget),
		"until": budget.period_end,
	}
}

deny contains {"code": "BUD-011", "resource": null, "undetermined": missing} if {
	_judged != []
	missing := _missing("approval")
	missing != []
}

# METADATA
# title: Request stays below the soft threshold of its budgets
# description: |
#   Tells people that a budget is nearly used up. Reckoned as BUD-010 does; above the limit, or above
#   what needs an approval, only that is reported of a budget.
# custom:
#   code: BUD-012
#   severity: low
#   mode: warn
#   message: "the request adds {asked} {unit} to the budget `{budget}` until {until}; {left} are left up to its soft threshold of {threshold}"
#   remedy: Look at what is still needed before the budget is used up.
#   undetermined: "it cannot be told whether the request nearly uses up a budget; no firm figure: {missing}"
#   reads:
#     - context.budgets
#   fields:
#     - context.budgets
#   tables:
#     - catalog.prices
#     - org.budgets
#     - org.internal_rates
#     - org.limits.currency
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-012", "resource": null, "facts": facts} if {
	some judged in _judged
	judged.certain == "soft"
	not _lies_below_another(judged)
	budget := judged.budget

	facts := {
		"budget": budget.path,
		"asked": _up(budget, budget.asked.firm),
		"left": _down(budget, judged.room.soft),
		"threshold": _down(budget, budget.soft),
		"unit": _unit(budget),
		"until": budget.period_end,
	}
}

deny contains {"code": "BUD-012", "resource": null, "undetermined": missing} if {
	_judged != []
	missing := _missing("soft")
	missing != []
}

# Of those that a request is certainly above at one level, the first one from the root is the one to
# speak of.
_lies_below_another(judged) if {
	some other in _judged
	other.certain == judged.certain
	other.budget.path in judged.budget.ancestors
}

_missing(level) := [sprintf("/context/budgets/%d/%s", [judged.index, leaf]) |
	some judged in _judged
	judged.possible == level
	judged.certain != level
	some leaf, true in judged.unsure
]

_judged := [_judgement(index, budget) |
	some index, budget in input.context.budgets
	_comes_near(budget)
]

# Most requests stay far below every threshold: judge the others only.
_comes_near(budget) if {
	budget.asked.uncounted != []
} else if {
	_adds(budget)
	taken := (budget.spent + budget.held) + budget.asked.firm
	most := max([taken, taken + budget.asked.estimated])
	some threshold in [budget.soft, budget.approval, budget.limit]
	threshold != null
	most > threshold
}

_adds(budget) := (budget.asked.firm + budget.asked.estimated) > 0

# `certain` is the strictest threshold that firm amounts pass, `possible` the one that all amounts
# may pass; a part that is not counted may be of any size.
_judgement(index, budget) := {
	"index": index,
	"budget": budget,
	"room": room,
	"certain": certain,
	"possible": _strictest([level | some level, left in room; _may_exceed(budget, left)]),
	"unsure": {
		"asked/estimated": [_adds(budget), budget.asked.estimated != 0] == [true, true],
		"asked/uncounted": budget.asked.uncounted != [],
		"period_end": budget.minutes_left == 0,
	},
} if {
	thresholds := {"limit": budget.limit, "approval": budget.approval, "soft": budget.soft}
	room := {level: left |
		some level, threshold in thresholds
		threshold != null
		left := max([(threshold - min([budget.spent, threshold])) - budget.held, 0])
	}
	certain := _strictest([level | some level, left in room; _exceeds(budget, left)])
}

_exceeds(budget, left) if {
	budget.asked.firm > left
	_adds(budget)
}

_may_exceed(budget, left) if {
	budget.asked.firm + budget.asked.estimated > left
} else if {
	budget.asked.uncounted != []
} else if {
	_exceeds(budget, left)
}

_strictest(levels) := "limit" if {
	"limit" in levels
} else := "approval" if {
	"approval" in levels
} else := "soft" if {
	"soft" in levels
} else := "none"

_unit(budget) := "accelerator hours" if {
	budget.unit == "accelerator_minutes"
} else := budget.currency

_up(budget, amount) := money.units_up(amount) if {
	budget.unit == "micros"
} else := money.scaled(amount, 1, 60)

_down(budget, amount) := money.units(amount) if {
	budget.unit == "micros"
} else := floor((amount - (amount % 60)) / 60)
