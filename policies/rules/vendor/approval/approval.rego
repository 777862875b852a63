# METADATA
# title: Vendors and regions that may be used
# description: Keeps requests with the vendors and regions that the organisation approved.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.vendor.approval

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.unknowns
import data.policies.lib.vendors

# METADATA
# title: Vendor is approved
# description: |
#   Where the organisation lists its vendors, nothing is taken from another one.
#   A vendor under evaluation is judged by VEN-008 and need not be listed.
# custom:
#   code: VEN-006
#   severity: high
#   message: "`{resource}` is with `{vendor}`, which is not approved; approved: {approved}"
#   remedy: Use an approved vendor, or have this one approved or its evaluation entered in the organisation's section `vendor`.
#   undetermined: "it cannot be told whether the vendor of `{resource}` is approved; not known: {missing}"
#   fields:
#     - change
#     - vendor
#   tables:
#     - org.vendor.approved
#     - org.vendor.evaluations
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-006", "resource": row.resource.address, "facts": facts} if {
	some row in _judged
	[row.is_approved, row.is_tried] == [false, false]
	row.approved != null
	row.vendor != null

	facts := {"vendor": row.vendor, "approved": vendors.shown(row.approved)}
}

deny contains {"code": "VEN-006", "resource": row.resource.address, "undetermined": ["/vendor"]} if {
	some row in _judged
	row.vendor == null
	row.approved != null
}

# METADATA
# title: Region is approved
# description: |
#   Where the organisation lists the regions of a vendor, nothing is put into another one, and no
#   copy is kept there. A workload without a region of its own is judged by the regions that it
#   requires.
# custom:
#   code: VEN-007
#   severity: high
#   message: "`{resource}` may be in {regions} of `{vendor}`, not approved; approved: {approved}"
#   remedy: Use one of the approved regions, or have the region approved.
#   undetermined: "it cannot be told whether `{resource}` is in an approved region; not known: {missing}"
#   fields:
#     - change
#     - region
#     - region_constraint.required
#     - replication
#     - vendor
#   tables:
#     - org.vendor.approved_regions
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-007", "resource": row.resource.address, "facts": facts} if {
	some row in _judged
	row.is_inside == false
	row.regions != null
	elsewhere := _outside(row.resource, row.regions)
	elsewhere != []

	facts := {
		"regions": vendors.shown(elsewhere),
		"vendor": row.vendor,
		"approved": vendors.shown(row.regions),
	}
}

deny contains {"code": "VEN-007", "resource": row.resource.address, "undetermined": missing} if {
	some row in _judged
	row.is_inside == false

	missing := _missing_place(row)
	missing != []
}

# METADATA
# title: Vendor under evaluation stays within its trial
# description: |
#   A vendor may be tried until a date, with so many accelerators in all: what the table `usage`
#   lists and what the request adds, of each role apart. After the date nothing more is taken from it,
#   unless it was approved.
# custom:
#   code: VEN-008
#   severity: high
#   message: "`{resource}` is with `{vendor}`, which is under evaluation: {reason}"
#   remedy: Use an approved vendor, stay within the trial, or have the evaluation extended or the vendor approved.
#   undetermined: "it cannot be told whether `{resource}` is within the evaluation of its vendor; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - role
#     - vendor
#   tables:
#     - org.vendor.approved
#     - org.vendor.evaluations
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-008", "resource": row.resource.address, "facts": facts} if {
	some row in _judged
	[row.is_approved, row.is_tried] == [false, true]
	reason := _reason(row.resource, row.evaluation)
	reason != ""

	facts := {"vendor": row.vendor, "reason": reason}
}

deny contains {"code": "VEN-008", "resource": row.resource.address, "undetermined": missing} if {
	some row in _judged
	[row.is_approved, row.is_tried] == [false, true]
	_reason(row.resource, row.evaluation) == ""

	times := ["/context/now" | input.context.now == null]
	missing := array.concat(times, _missing_counts(row.resource, row.evaluation))
	missing != []
}

deny contains {"code": "VEN-008", "resource": row.resource.address, "undetermined": ["/vendor"]} if {
	some row in _judged
	row.vendor == null
	row.lists.evaluations != {}
}

# Resources that take something, where the organisation lists anything at all, with what it says of
# their vendor. What is inside surely has its only place in an approved region.
_judged := [row |
	section := object.get(data.org, "vendor", {})
	approved := object.get(section, "approved", null)
	lists := {
		"regions": object.get(section, "approved_regions", {}),
		"evaluations": object.get(section, "evaluations", {}),
	}
	[approved, lists] != [null, {"regions": {}, "evaluations": {}}]
	some resource in input.resources
	regions := object.get(lists.regions, resource.vendor, null)
	evaluation := object.get(lists.evaluations, resource.vendor, null)
	is_approved := resource.vendor in approved
	is_inside := [resource.region in regions, resource.replication, resource.unknown] == [true, [], {}]
	[is_approved, is_inside, evaluation == null] != [true, true, true]
	changes.takes(resource)
	row := {
		"resource": resource,
		"vendor": resource.vendor,
		"lists": lists,
		"approved": approved,
		"is_approved": is_approved,
		"regions": regions,
		"is_inside": is_inside,
		"evaluation": evaluation,
		"is_tried": evaluation != null,
	}
]

# Where it may end up outside of what is approved.
_outside(resource, approved) := [region |
	some region in array.concat(_places(resource), resource.replication)
	is_approved := region in approved
	is_approved == false
]

_places(resource) := [resource.region] if {
	resource.region != null
} else := resource.region_constraint.required

_missing_place(row) := ["/vendor" | row.lists.regions != {}] if {
	row.vendor == null
} else := array.concat(regions, copies) if {
	row.regions != null
	_outside(row.resource, row.regions) == []
	regions := ["/region" | _places(row.resource) == []]
	copies := ["/replication" | unknowns.holds(row.resource, "/replication")]
} else := []

_reason(resource, evaluation) := sprintf("it ended on %s", [evaluation.until]) if {
	_has_ended(evaluation)
} else := reason if {
	evaluation.max_accelerators != null
	there := vendors.accelerators_at(input.context.by_vendor, resource.vendor, resource.role)
	there.added > 0
	taken := there.used + there.added
	taken > evaluation.max_accelerators
	reason := sprintf("%d accelerators may be taken there, with this request they are %d", [
		evaluation.max_accelerators,
		taken,
	])
} else := ""

# No time of the day is after hour 24, and every time of the next one is.
_has_ended(evaluation) if {
	input.context.now != null
	input.context.now > concat("", [evaluation.until, "T24"])
}

_missing_counts(resource, evaluation) := array.concat(own, there.missing) if {
	evaluation.max_accelerators != null
	own := accelerators.total(resource).missing
	there := vendors.accelerators_at(input.context.by_vendor, resource.vendor, resource.role)
} else := []
