# METADATA
# title: Limits
# description: |
#   What the organisation lets a team take; null is no limit.
#   A team without a limit of its own, and whoever has no team, has the organisation's default.
package policies.lib.limits

# METADATA
# description: The most accelerators that one resource of the team may take.
accelerators(team) := _of("accelerators_per_resource", team)

# METADATA
# description: The least that any team may take in one resource, null if nobody has a limit.
fewest_accelerators := _lowest(_stated("accelerators_per_resource"))

# METADATA
# description: The most that one request of the team may add per month of 730 hours, in millionths of the currency.
monthly_micros(team) := _of("monthly_micros_per_request", team)

# METADATA
# description: The currency of all limits in money.
currency := object.get(data.org, ["limits", "currency"], "USD")

_of(name, team) := object.get(_teams(name), team, _default(name))

_teams(name) := object.get(data.org, ["limits", name, "teams"], {})

_default(name) := object.get(data.org, ["limits", name, "default"], null)

_stated(name) := [limit |
	some limit in array.concat([_default(name)], [each | some each in _teams(name)])
	limit != null
]

_lowest(limits) := null if count(limits) == 0

_lowest(limits) := min(limits) if count(limits) > 0
