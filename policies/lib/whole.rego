# METADATA
# title: Whole numbers
# description: |
#   Division without fractions: engines disagree about quotients that are not whole,
#   and agree about the remainder of whole numbers below 2^53.
package policies.lib.whole

# METADATA
# description: The quotient of two whole numbers rounded down; `number` is 0 or more, `divisor` above 0.
quotient(number, divisor) := floor((number - (number % divisor)) / divisor)

# METADATA
# description: The quotient of two whole numbers rounded up; `number` is 0 or more, `divisor` above 0.
ceiling(number, divisor) := quotient((number + divisor) - 1, divisor)
