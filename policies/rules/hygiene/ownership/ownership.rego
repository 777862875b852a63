# METADATA
# title: Ownership
# description: Has whatever takes accelerators say whose it is and what it is for.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.ownership

import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# title: Team is named
# description: |
#   What takes accelerators names its team, by the organisation's scopes or a label, in the
#   environments that `hygiene.required.team` lists.
# custom:
#   code: HYG-001
#   severity: medium
#   mode: warn
#   message: "`{resource}` takes accelerators and names no team"
#   remedy: Set the label `portreeve.dev/team` (tag `portreeve:team`), or have the place's team stated in the organisation's scopes.
#   undetermined: "it cannot be told whether `{resource}` names its team; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - ownership.environment
#     - ownership.team
#   tables:
#     - org.hygiene.required
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "HYG-001", "resource": resource.address, "facts": {}} if {
	some {"resource": resource, "missing": []} in _without("team")
}

deny contains {"code": "HYG-001", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "missing": missing} in _without("team")
	missing != []
}

# METADATA
# title: Owner is named
# description: |
#   What takes accelerators names a person or a list to ask, in the environments that
#   `hygiene.required.owner` lists; none unless stated.
# custom:
#   code: HYG-002
#   severity: low
#   mode: warn
#   message: "`{resource}` takes accelerators and names no owner"
#   remedy: Set the annotation or label `portreeve.dev/owner` (tag `portreeve:owner`) to whom to ask.
#   undetermined: "it cannot be told whether `{resource}` names its owner; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - ownership.environment
#     - ownership.owner
#   tables:
#     - org.hygiene.required
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "HYG-002", "resource": resource.address, "facts": {}} if {
	some {"resource": resource, "missing": []} in _without("owner")
}

deny contains {"code": "HYG-002", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "missing": missing} in _without("owner")
	missing != []
}

# METADATA
# title: Cost center is named
# description: |
#   What takes accelerators names who pays, by the organisation's scopes or a label, in the
#   environments that `hygiene.required.cost_center` lists; none unless stated.
# custom:
#   code: HYG-003
#   severity: medium
#   mode: warn
#   message: "`{resource}` takes accelerators and names no cost center"
#   remedy: Set the label `portreeve.dev/cost-center` (tag `portreeve:cost-center`), or have the place's cost center stated in the organisation's scopes.
#   undetermined: "it cannot be told whether `{resource}` names its cost center; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - ownership.cost_center
#     - ownership.environment
#   tables:
#     - org.hygiene.required
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "HYG-003", "resource": resource.address, "facts": {}} if {
	some {"resource": resource, "missing": []} in _without("cost_center")
}

deny contains {"code": "HYG-003", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "missing": missing} in _without("cost_center")
	missing != []
}

# METADATA
# title: Purpose is named
# description: |
#   A workload on accelerators says what it is for (pretraining, finetuning, inference, batch,
#   notebook, development), in the environments that `hygiene.required.purpose` lists; none unless
#   stated. A model server that is recognised says it by itself.
# custom:
#   code: HYG-004
#   severity: low
#   mode: warn
#   message: "`{resource}` takes accelerators and does not say what for"
#   remedy: Set the label `portreeve.dev/purpose` to pretraining, finetuning, inference, batch, notebook or development.
#   undetermined: "it cannot be told whether `{resource}` says what it is for; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - ownership.environment
#     - purpose
#     - role
#   tables:
#     - org.hygiene.required
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-004", "resource": resource.address, "facts": {}} if {
	some {"resource": resource, "missing": []} in _without_purpose
}

deny contains {"code": "HYG-004", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "missing": missing} in _without_purpose
	missing != []
}

_without(field) := [{"resource": resource, "missing": missing} |
	places := object.get(data.org, ["hygiene", "required", field], [])
	places != []
	some resource in input.resources
	resource.accelerators != []
	resource.ownership[field] == null
	_may_be_required(resource, places)
	changes.takes(resource)
	missing := _missing(resource, places, sprintf("/ownership/%s", [field]))
]

_without_purpose := [{"resource": resource, "missing": missing} |
	places := object.get(data.org, ["hygiene", "required", "purpose"], [])
	places != []
	some resource in input.resources
	resource.accelerators != []
	resource.purpose == null
	resource.role == "workload"
	_may_be_required(resource, places)
	changes.takes(resource)
	missing := _missing(resource, places, "/purpose")
]

_may_be_required(resource, places) if {
	_is_required(resource, places)
} else if {
	resource.ownership.environment == null
	unknowns.holds(resource, "/ownership/environment")
}

_is_required(resource, places) if {
	some place in places
	place in {"*", resource.ownership.environment}
}

_missing(resource, places, pointer) := [at |
	some {"at": at, "applies": true} in [
		{"at": "/accelerators", "applies": resource.accelerators == null},
		{"at": pointer, "applies": _holds(resource, pointer)},
		{"at": "/ownership/environment", "applies": _depends(resource, places)},
	]
]

_holds(resource, pointer) if {
	unknowns.holds(resource, pointer)
} else := false

_depends(resource, places) := false if {
	_is_required(resource, places)
} else := true
