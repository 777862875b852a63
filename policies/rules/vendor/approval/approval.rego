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

_approved := vendors.stated("approved", null)

_regions := vendors.stated("approved_regions", {})

_evaluations := vendors.stated("evaluations", {})

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
deny contains {"code": "VEN-006", "resource": resource.address, "facts": facts} if {
	_approved != null
	some resource in input.resources
	vendor := resource.vendor
	vendor != null
	not _may_be_used(vendor)
	changes.takes(resource)

	facts := {"vendor": vendor, "approved": vendors.shown(_approved)}
}

deny contains {"code": "VEN-006", "resource": resource.address, "undetermined": ["/vendor"]} if {
	_approved != null
	some resource in input.resources
	resource.vendor == null
	changes.takes(resource)
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
deny contains {"code": "VEN-007", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "approved": approved} in _in_listed_vendors
	elsewhere := _outside(resource, approved)
	elsewhere != []

	facts := {
		"regions": vendors.shown(elsewhere),
		"vendor": resource.vendor,
		"approved": vendors.shown(approved),
	}
}

deny contains {"code": "VEN-007", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "approved": approved} in _in_listed_vendors
	_outside(resource, approved) == []

	missing := array.concat(_missing_region(resource), _missing_copies(resource))
	missing != []
}

deny contains {"code": "VEN-007", "resource": resource.address, "undetermined": ["/vendor"]} if {
	_regions != {}
	some resource in input.resources
	resource.vendor == null
	changes.takes(resource)
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
deny contains {"code": "VEN-008", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "evaluation": evaluation} in _on_trial
	reason := _reason(resource, evaluation)
	reason != ""

	facts := {"vendor": resource.vendor, "reason": reason}
}

deny contains {"code": "VEN-008", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "evaluation": evaluation} in _on_trial
	_reason(resource, evaluation) == ""

	missing := array.concat(
		["/context/now" | input.context.now == null],
		_missing_counts(resource, evaluation),
	)
	missing != []
}

deny contains {"code": "VEN-008", "resource": resource.address, "undetermined": ["/vendor"]} if {
	_evaluations != {}
	some resource in input.resources
	resource.vendor == null
	changes.takes(resource)
}

_may_be_used(vendor) if vendor in _approved

_may_be_used(vendor) if object.get(_evaluations, vendor, null) != null

_in_listed_vendors := [{"resource": resource, "approved": approved} |
	_regions != {}
	some resource in input.resources
	resource.vendor != null
	approved := object.get(_regions, resource.vendor, null)
	approved != null
	changes.takes(resource)
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

_missing_region(resource) := ["/region" | _places(resource) == []]

_missing_copies(resource) := ["/replication" | unknowns.holds(resource, "/replication")]

_on_trial := [{"resource": resource, "evaluation": evaluation} |
	_evaluations != {}
	some resource in input.resources
	resource.vendor != null
	evaluation := object.get(_evaluations, resource.vendor, null)
	evaluation != null
	_is_listed(resource) == false
	changes.takes(resource)
]

# Whoever is approved is no longer on trial.
_is_listed(resource) := resource.vendor in _approved if {
	_approved != null
} else := false

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
