# METADATA
# title: Concentration
# description: Says where too much of what is taken would be with one vendor.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.vendor.concentration

import data.policies.lib.limits
import data.policies.lib.vendors
import data.policies.lib.whole

# METADATA
# title: Accelerators are not concentrated with one vendor
# description: |
#   Adds what the request takes to what the table `usage` lists, of the organisation and of each
#   team, of each role apart. Where one vendor's share of the accelerators is then above the limit,
#   and the request adds to it, its price, its capacity and its outages are everybody's.
#   Nothing is judged without a limit, without figures in `usage`, or below the minimum.
# custom:
#   code: VEN-001
#   severity: low
#   mode: warn
#   message: "`{vendor}` would have {share} % of the {role} accelerators of {holder}, {taken} of {total}; the limit is {limit} %"
#   remedy: Take them from another vendor, or have the limit of the organisation raised.
#   undetermined: "it cannot be told what share of the accelerators one vendor would have; not known: {missing}"
#   reads:
#     - context.by_vendor
#   fields:
#     - context.by_vendor
#   tables:
#     - org.usage
#     - org.vendor.concentration
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-001", "resource": null, "facts": facts} if {
	some judged in _by_accelerators
	judged.missing == []
	some facts in vendors.above(judged)
}

deny contains {"code": "VEN-001", "resource": null, "undetermined": judged.missing} if {
	some judged in _by_accelerators
	judged.missing != []
}

# METADATA
# title: Spend is not concentrated with one vendor
# description: |
#   As VEN-001, of money per hour in the currency of the organisation's limits. Estimates count as
#   prices do: a share needs no cent.
# custom:
#   code: VEN-002
#   severity: low
#   mode: warn
#   message: "`{vendor}` would have {share} % of what {holder} spends on {role}, {taken} of {total} {currency} an hour; the limit is {limit} %"
#   remedy: Spend it with another vendor, or have the limit of the organisation raised.
#   undetermined: "it cannot be told what share of the spend one vendor would have; not known: {missing}"
#   reads:
#     - context.by_vendor
#   fields:
#     - context.by_vendor
#   tables:
#     - org.limits.currency
#     - org.usage
#     - org.vendor.concentration
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-002", "resource": null, "facts": facts} if {
	some judged in _by_spend
	judged.missing == []
	some above in vendors.above(judged)

	facts := object.union(above, {
		"taken": whole.quotient(above.taken, 1000),
		"total": whole.quotient(above.total, 1000),
		"currency": object.get(data.org, ["limits", "currency"], "USD"),
	})
}

deny contains {"code": "VEN-002", "resource": null, "undetermined": judged.missing} if {
	some judged in _by_spend
	judged.missing != []
}

_by_accelerators := [judged |
	some {"group": group, "parameters": parameters} in _groups
	limit := vendors.share_limit(parameters, "accelerators", group)
	limit != null
	rows := [{
		"vendor": row.vendor,
		"used": row.used_accelerators,
		"added": row.accelerators,
		"missing": _missing_count(index, row),
	} |
		some index, row in input.context.by_vendor
		[row.holder, row.team, row.role] == group
	]
	minimum := object.get(parameters, "minimum_accelerators", 0)
	some judged in vendors.judged(group, rows, {"limit": limit, "minimum": minimum})
]

# In thousandths of the currency, so that a hundred times the largest amount stays exact.
_by_spend := [judged |
	some {"group": group, "parameters": parameters} in _groups
	limit := vendors.share_limit(parameters, "spend", group)
	limit != null
	rows := [{
		"vendor": row.vendor,
		"used": _thousandths(row.used_micros_per_hour),
		"added": _thousandths(row.micros_per_hour),
		"missing": _missing_amount(index, row),
	} |
		some index, row in input.context.by_vendor
		[row.holder, row.team, row.role] == group
	]
	minimum := whole.quotient(object.get(parameters, "minimum_micros_per_hour", 0), 1000)
	some judged in vendors.judged(group, rows, {"limit": limit, "minimum": minimum})
]

# Most requests touch no team and role of which figures are stated.
_groups := [{"group": group, "parameters": parameters} |
	some group in {[row.holder, row.team, row.role] |
		some row in input.context.by_vendor
		[row.used_accelerators, row.used_micros_per_hour] != [0, 0]
	}
	parameters := object.get(data.org, ["vendor", "concentration"], {})
]

_missing_count(index, row) := [] if {
	row.vendor != null
	row.used_accelerators != null
	row.uncounted == []
} else := [sprintf("/context/by_vendor/%d/%s", [index, leaf]) |
	some leaf, true in {
		"uncounted": row.uncounted != [],
		"used_accelerators": row.used_accelerators == null,
		"vendor": [row.vendor == null, row.accelerators > 0] == [true, true],
	}
]

_missing_amount(index, row) := [] if {
	row.vendor != null
	row.used_micros_per_hour != null
	row.unpriced == []
	limits.are_in(row.currency) == true
} else := [sprintf("/context/by_vendor/%d/%s", [index, leaf]) |
	some leaf, true in {
		"currency": [_has_amounts(row), limits.are_in(row.currency)] == [true, false],
		"unpriced": row.unpriced != [],
		"used_micros_per_hour": row.used_micros_per_hour == null,
		"vendor": [row.vendor == null, row.micros_per_hour > 0] == [true, true],
	}
]

_has_amounts(row) := [row.used_micros_per_hour, row.micros_per_hour] != [0, 0]

_thousandths(micros) := micros if {
	micros in {null, 0}
} else := whole.quotient(micros, 1000) if {
	micros >= 0
} else := 0 - whole.quotient(0 - micros, 1000)
