# METADATA
# title: Region of workloads
# description: Keeps workloads with restricted data where the organisation can say where they run.
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
#   A preferred region is no guarantee, and a list of excluded ones lets every new region in.
# custom:
#   code: RES-002
#   severity: high
#   message: "`{resource}` has `{data_class}` data and nothing keeps it in a region{unbinding}"
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
	some resource in _unplaced
	data_classes := [restriction.data_class | some restriction in residency.restrictions(resource)]
	data_classes != []
	not _decided_later(resource)

	facts := {
		"data_class": concat(", ", sort(data_classes)),
		"unbinding": _unbinding(resource.region_constraint),
		"preferred": resource.region_constraint.preferred,
		"excluded": resource.region_constraint.excluded,
	}
}

deny contains {"code": "RES-002", "resource": resource.address, "undetermined": missing} if {
	some resource in _unplaced

	missing := array.concat(residency.missing_classes(resource), _missing_region(resource))
	missing != []
}

_unplaced := [resource |
	some resource in input.resources
	resource.region == null
	resource.role == "workload"
	resource.region_constraint.required == []
	changes.takes(resource)
]

# A value that will be there and cannot be seen yet; unlike one that nobody stated.
_decided_later(resource) if {
	some pointer in ["/region", "/region_constraint", "/region_constraint/required"]
	some reason in unknowns.reasons(resource, pointer)
	reason in {"after_apply", "sensitive"}
}

_missing_region(resource) := ["/region" |
	residency.restrictions(resource) != set()
	_decided_later(resource)
]

_unbinding(constraint) := " (a preferred one is no guarantee)" if {
	constraint.preferred != []
} else := " (excluding others lets every new one in)" if {
	constraint.excluded != []
} else := ""
