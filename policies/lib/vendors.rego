# METADATA
# title: Vendors
# description: |
#   What the organisation says about vendors, and what it and a request take of one of them.
#   Lists and tables of the section `vendor` are complete with their defaults.
package policies.lib.vendors

import data.policies.lib.owners
import data.policies.lib.whole

# METADATA
# description: What the organisation states in a field of its section `vendor`; the default where it has none.
stated(field, default_value) := object.get(data.org, ["vendor", field], default_value)

# METADATA
# description: |
#   The names in the list as a message shows them; an empty list is "none".
shown(names) := concat(", ", sort(names)) if count(names) > 0

else := "none"

# METADATA
# description: |
#   The accelerators of one role that the organisation has with a vendor: `used` is what it takes
#   already, `added` what the request adds less what it gives back, `missing` points at rows that do
#   not say how many are used, and at what is added with a vendor that is not known.
accelerators_at(by_vendor, vendor, role) := {"used": used, "added": added, "missing": missing} if {
	rows := {index: row |
		some index, row in by_vendor
		[row.holder, row.vendor, row.role] == ["organisation", vendor, role]
	}
	used := sum([row.used_accelerators | some row in rows; row.used_accelerators != null])
	added := sum([row.accelerators | some row in rows])
	unstated := [sprintf("/context/by_vendor/%d/used_accelerators", [index]) |
		some index, row in rows
		row.used_accelerators == null
	]
	missing := array.concat(unstated, [sprintf("/context/by_vendor/%d/vendor", [index]) |
		some index, row in by_vendor
		[row.holder, row.vendor, row.role] == ["organisation", null, role]
		row.accelerators > 0
	])
}

# METADATA
# description: |
#   The largest share of one vendor in percent, of `accelerators` or `spend`, in the parameters of
#   concentration; null is none. A group is a holder, a team and a role.
share_limit(parameters, of, group) := limit if {
	group[0] == "organisation"
	limit := object.get(parameters, [of, "organisation"], null)
} else := object.get(parameters, [of, "teams", group[1]], object.get(parameters, [of, "default"], null))

# METADATA
# description: |
#   The group with its rows, its limit and what of it is not known; empty where there is nothing to
#   judge: where nothing is added, nothing is used yet, or all of it is known and below the minimum.
judged(group, rows, bounds) := [found |
	[row | some row in rows; row.used != 0] != []
	[row | some row in rows; _adds(row)] != []
	used := sum([row.used | some row in rows; row.used != null])
	total := used + sum([row.added | some row in rows])
	missing := [pointer | some row in rows; some pointer in row.missing]
	[missing != [], total >= bounds.minimum] != [false, false]
	found := {"group": group, "rows": rows, "limit": bounds.limit, "total": total, "missing": missing}
]

# METADATA
# description: |
#   The vendors of a judged group whose share is above the limit, where what the request adds is more
#   concentrated than that too: a request that lowers a share is not held to it.
above(found) := [facts |
	found.total > 0
	change := sum([row.added | some row in found.rows])
	some vendor in {row.vendor | some row in found.rows}
	vendor != null
	own := [row | some row in found.rows; row.vendor == vendor]
	added := sum([row.added | some row in own])
	added > 0
	added * 100 > found.limit * change
	taken := added + sum([row.used | some row in own])
	taken * 100 > found.limit * found.total
	facts := {
		"vendor": vendor,
		"share": whole.quotient(taken * 100, found.total),
		"taken": taken,
		"total": found.total,
		"limit": found.limit,
		"role": found.group[2],
		"holder": _holder(found.group),
	}
]

_adds(row) if row.added > 0

_adds(row) if row.missing != []

_holder(group) := "the organisation" if {
	group[0] == "organisation"
} else := sprintf("team `%s`", [owners.shown(group[1])])
