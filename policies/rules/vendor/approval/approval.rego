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
deny contains {"code": "VEN-006", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "lists": lists} in _listed
	lists.approved != null
	vendor := resource.vendor
	vendor != null
	not _may_be_used(vendor, lists)

	facts := {"vendor": vendor, "approved": vendors.shown(lists.approved)}
}

deny contains {"code": "VEN-006", "resource": resource.address, "undetermined": ["/vendor"]} if {
	some {"resource": resource, "lists": lists} in _listed
	resource.vendor == null
	lists.approved != null
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
	some {"resource": resource, "lists": lists} in _listed
	resource.vendor != null
	approved := object.get(lists.regions, resource.vendor, null)
	approved != null
	elsewhere := _outside(resource, approved)
	elsewhere != []

	facts := {
		"regions": vendors.shown(elsewhere),
		"vendor": resource.vendor,
		"approved": vendors.shown(approved),
	}
}

deny contains {"code": "VEN-007", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "lists": lists} in _listed

	missing := _missing_place(resource, lists)
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
deny contains {"code": "VEN-008", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "lists": lists} in _listed
	evaluation := _evaluation(resource, lists)
	evaluation != null
	reason := _reason(resource, evaluation)
	reason != ""

	facts := {"vendor": resource.vendor, "reason": reason}
}

deny contains {"code": "VEN-008", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "lists": lists} in _listed

	missing := _missing_for_trial(resource, lists)
	missing != []
}

# Resources that take something, where the organisation lists anything at all.
_listed := [{"resource": resource, "lists": lists} |
	some lists in _lists
	some resource in input.resources
	changes.takes(resource)
]

_lists := [lists |
	section := object.get(data.org, "vendor", {})
	lists := {
		"approved": object.get(section, "approved", null),
		"regions": object.get(section, "approved_regions", {}),
		"evaluations": object.get(section, "evaluations", {}),
	}
	lists != {"approved": null, "regions": {}, "evaluations": {}}
]

_may_be_used(vendor, lists) if vendor in lists.approved

_may_be_used(vendor, lists) if object.get(lists.evaluations, vendor, null) != null

# Where it may end up outside of what is approved.
_outside(resource, approved) := [region |
	some region in array.concat(_places(resource), resource.replication)
	is_approved := region in approved
	is_approved == false
]

_places(resource) := [resource.region] if {
	resource.region != null
} else := resource.region_constraint.required

_missing_place(resource, lists) := ["/vendor"] if {
	resource.vendor == null
	lists.regions != {}
} else := array.concat(regions, copies) if {
	resource.vendor != null
	approved := object.get(lists.regions, resource.vendor, null)
	approved != null
	_outside(resource, approved) == []
	regions := ["/region" | _places(resource) == []]
	copies := ["/replication" | unknowns.holds(resource, "/replication")]
} else := []

_missing_for_trial(resource, lists) := ["/vendor"] if {
	resource.vendor == null
	lists.evaluations != {}
} else := array.concat(["/context/now" | input.context.now == null], _missing_counts(resource, evaluation)) if {
	evaluation := _evaluation(resource, lists)
	evaluation != null
	_reason(resource, evaluation) == ""
} else := []

# The trial of its vendor; null where there is none. Whoever is approved is no longer on trial.
_evaluation(resource, lists) := object.get(lists.evaluations, resource.vendor, null) if {
	resource.vendor != null
	_is_approved(resource, lists) == false
} else := null

_is_approved(resource, lists) := resource.vendor in lists.approved if {
	lists.approved != null
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
