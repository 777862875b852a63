# METADATA
# title: Limits
# description: |
#   What the organisation lets a team take; null is no limit.
#   A team without a limit of its own, and whoever has no team, has the organisation's default.
#   Libraries offer functions only: an engine may evaluate a whole package for one of its values.
package policies.lib.limits

# METADATA
# description: The most accelerators that one resource of the team may take.
accelerators(team) := object.get(table, ["teams", team], object.get(table, "default", null)) if {
	table := object.get(data.org, ["limits", "accelerators_per_resource"], {})
}

# METADATA
# description: True if the organisation's default, or the limit of any team, is below the count.
some_team_may_take_fewer_than(asked) if {
	table := object.get(data.org, ["limits", "accelerators_per_resource"], {})
	teams := [limit | some limit in object.get(table, "teams", {})]
	some limit in array.concat([object.get(table, "default", null)], teams)
	limit != null
	asked > limit
}

# METADATA
# description: The most that one request of the team may add per month of 730 hours, in millionths of the currency.
monthly_micros(team) := object.get(table, ["teams", team], object.get(table, "default", null)) if {
	table := object.get(data.org, ["limits", "monthly_micros_per_request"], {})
}

# METADATA
# description: The limit of a team in that field of the section on budgets.
budget(field, team) := object.get(table, ["teams", team], object.get(table, "default", null)) if {
	table := object.get(data.org, ["budget", field], {})
}

# METADATA
# description: Whether limits in money are in that currency, as a value.
are_in(currency) := currency == object.get(data.org, ["limits", "currency"], "USD")
