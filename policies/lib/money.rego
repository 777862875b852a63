# METADATA
# title: Money
# description: |
#   Amounts in millionths of a currency, as whole numbers below 2^53; a month has 730 hours.
#   What would be larger is cut to nearly that, far above every limit.
package policies.lib.money

import data.policies.lib.limits
import data.policies.lib.whole

# METADATA
# description: Whole units of the currency per month, rounded up, of so many millionths per hour.
monthly(micros_per_hour) := (hundredths * 73) + whole.ceiling((micros_per_hour % 100000) * 73, 100000) if {
	# 730 hours in millionths are 73 in 100,000ths.
	hundredths := whole.quotient(micros_per_hour, 100000)
}

# METADATA
# description: |
#   The millionths per hour of so many per month, rounded down. A month's amount may be above 2^53,
#   an hour's share of a limit is not: compare that.
hourly(micros_per_month) := whole.quotient(micros_per_month, 730)

# METADATA
# description: Whole units of the currency, rounded down.
units(micros) := whole.quotient(micros, 1000000)

# METADATA
# description: Whole units of the currency, rounded up.
units_up(micros) := whole.quotient(micros, 1000000) + min([micros % 1000000, 1])

# METADATA
# description: The amount with four decimals, rounded up, as text.
decimal(micros) := sprintf("%d.%s", [
	whole.quotient(steps, 10000),
	trim_prefix(sprintf("%d", [10000 + (steps % 10000)]), "1"),
]) if {
	steps := whole.quotient(micros, 100) + min([micros % 100, 1])
}

# METADATA
# description: The sum of two amounts of 0 or more.
sum_of(first, second) := min([first, _largest - second]) + second

# METADATA
# description: |
#   `number` x `factor` / `divisor`, rounded up; all are whole and 0 or more, and
#   (`factor` + 1) x `divisor` is above 0 and below 2^53.
scaled(number, factor, divisor) := sum_of(_product(whole.quotient(number, divisor), factor), rest) if {
	rest := whole.ceiling((number % divisor) * factor, divisor)
}

# METADATA
# description: What the figure rests on, in words.
basis(cost) := object.get(
	{
		"contract": "at the price of the contract",
		"list": "at the list price",
		"list_unconfirmed": "at an unconfirmed list price",
		"list_other_region": "at the list price of another region",
		"internal_rate": "at the internal rate",
	},
	cost.basis,
	"at a price of unknown origin",
)

# METADATA
# description: |
#   What a resource certainly costs per hour in the currency of limits: at its largest size, else at
#   its smallest, 0 where nothing is known or the currency is another one.
#   `missing` points at what keeps the whole from being known.
per_hour(cost) := {"micros": cost.micros_per_hour.max, "missing": []} if {
	cost.micros_per_hour.max != null
	limits.are_in(cost.currency)
} else := {"micros": 0, "missing": ["/cost/currency"]} if {
	cost.micros_per_hour.max != null
} else := {"micros": cost.micros_per_hour.min, "missing": ["/cost/micros_per_hour/max"]} if {
	cost.micros_per_hour.min != null
	limits.are_in(cost.currency)
} else := {"micros": 0, "missing": ["/cost/micros_per_hour/max"]}

_product(first, second) := min([first, whole.quotient(_largest, max([second, 1]))]) * second

_largest := 9007199254740991
