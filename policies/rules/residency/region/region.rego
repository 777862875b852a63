# METADATA
# title: Region of workloads
# description: |
#   Keeps workloads with restricted data where the organisation can say where they run.
#   Each workload has one finding: RES-006 or RES-007 where it states regions that bind nobody, which
#   explains what is wrong with them, and RES-002 where it states none.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.region

import data.policies.lib.changes
import data.policies.lib.residency
import data.policies.lib.unknowns

# METADATA
# title: Workload with restricted data is kept in a region
# description: |
#   A workload whose data may only be in some places needs a region: of the cluster by the
#   organisation's scopes, or one that the workload requires.
# custom:
#   code: RES-002
#   severity: high
#   message: "`{resource}` has `{data_class}` data and nothing keeps it in a region"
#   remedy: Require the region, on Kubernetes by a node selector or a required node affinity on `topology.kubernetes.io/region`, or have the cluster's region stated in the organisation's scopes.
#   undetermined: "it cannot be told whether `{resource}` has to be kept in a region, or is; not known: {missing}"
#   fields:
#     - change
#     - data
#     - region
#     - region_constraint.excluded
#     - region_constraint.preferred
#     - region_constraint.required
#     - role
#   tables:
#     - org.data_classes
#   adapters:
#     - kubernetes
deny contains {"code": "RES-002", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "stated": "nothing"} in _unplaced
	data_classes := _adrift(resource)
	data_classes != ""

	facts := {"data_class": data_classes}
}

deny contains {"code": "RES-002", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "stated": "nothing"} in _unplaced
	missing := _missing(resource)
	missing != []
}

# METADATA
# title: Preferred region is not taken for a required one
# description: |
#   A preference is followed while there is room: a workload that only prefers a region runs
#   elsewhere on the day that the region is full. Takes the place of RES-002.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
#     description: Kubernetes documentation, node affinity
# custom:
#   code: RES-006
#   severity: high
#   message: "`{resource}` has `{data_class}` data and only prefers {preferred}: it runs elsewhere where that is full"
#   remedy: Move the region from the preferred to the required node affinity, or have the cluster's region stated in the organisation's scopes.
#   undetermined: "it cannot be told whether `{resource}` has to be kept in the region it prefers, or is; not known: {missing}"
#   fields:
#     - change
#     - data
#     - region
#     - region_constraint.preferred
#     - region_constraint.required
#     - role
#   tables:
#     - org.data_classes
#   adapters:
#     - kubernetes
deny contains {"code": "RES-006", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "stated": "preferred"} in _unplaced
	data_classes := _adrift(resource)
	data_classes != ""

	facts := {"data_class": data_classes, "preferred": resource.region_constraint.preferred}
}

deny contains {"code": "RES-006", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "stated": "preferred"} in _unplaced
	missing := _missing(resource)
	missing != []
}

# METADATA
# title: Excluded regions are not taken for a required one
# description: |
#   A list of regions to stay out of lets every other one in, and every one that the vendor opens
#   later. Takes the place of RES-002.
# custom:
#   code: RES-007
#   severity: high
#   message: "`{resource}` has `{data_class}` data and only stays out of {excluded}: every other region, and every new one, is open to it"
#   remedy: Name the regions where it may run, on Kubernetes with the operator `In` instead of `NotIn`, or have the cluster's region stated in the organisation's scopes.
#   undetermined: "it cannot be told whether `{resource}` has to be kept in a region, or is; not known: {missing}"
#   fields:
#     - change
#     - data
#     - region
#     - region_constraint.excluded
#     - region_constraint.preferred
#     - region_constraint.required
#     - role
#   tables:
#     - org.data_classes
#   adapters:
#     - kubernetes
deny contains {"code": "RES-007", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "stated": "excluded"} in _unplaced
	data_classes := _adrift(resource)
	data_classes != ""

	facts := {"data_class": data_classes, "excluded": resource.region_constraint.excluded}
}

deny contains {"code": "RES-007", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "stated": "excluded"} in _unplaced
	missing := _missing(resource)
	missing != []
}

_unplaced := [{"resource": resource, "stated": _stated(resource.region_constraint)} |
	some resource in input.resources
	resource.region == null
	resource.role == "workload"
	resource.region_constraint.required == []
	_may_hold_data(resource)
	changes.takes(resource)
]

_may_hold_data(resource) if resource.data != []

else if resource.unknown["/data"]

_stated(constraint) := "preferred" if {
	constraint.preferred != []
} else := "excluded" if {
	constraint.excluded != []
} else := "nothing"

_adrift(resource) := concat(", ", sort(classes)) if {
	classes := residency.restricted(resource)
	not _decided_later(resource)
} else := ""

_decided_later(resource) if {
	some pointer in ["/region", "/region_constraint", "/region_constraint/required"]
	some reason in unknowns.reasons(resource, pointer)
	reason in {"after_apply", "sensitive"}
}

_missing(resource) := array.concat(residency.missing_classes(resource), _missing_region(resource))

_missing_region(resource) := ["/region" |
	residency.restricted(resource) != set()
	_decided_later(resource)
]
