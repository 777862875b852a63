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
	some {"resource": resource, "field": "team", "missing": []} in _lacking
}

deny contains {"code": "HYG-001", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "field": "team", "missing": missing} in _lacking
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
	some {"resource": resource, "field": "owner", "missing": []} in _lacking
}

deny contains {"code": "HYG-002", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "field": "owner", "missing": missing} in _lacking
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
	some {"resource": resource, "field": "cost_center", "missing": []} in _lacking
}

deny contains {"code": "HYG-003", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "field": "cost_center", "missing": missing} in _lacking
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
	some {"resource": resource, "field": "purpose", "missing": []} in _lacking
}

deny contains {"code": "HYG-004", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "field": "purpose", "missing": missing} in _lacking
	missing != []
}

_lacking := [{"resource": resource, "field": field, "missing": missing} |
	required := object.get(data.org, ["hygiene", "required"], {})
	some resource in input.resources
	resource.accelerators != []
	values := {
		"team": resource.ownership.team,
		"owner": resource.ownership.owner,
		"cost_center": resource.ownership.cost_center,
		"purpose": resource.purpose,
	}
	some field, null in values
	places := object.get(required, field, [])
	places != []
	[field == "purpose", resource.role == "workload"] != [true, false]
	changes.takes(resource)
	_may_be_required(resource, places)
	missing := _missing(resource, places, _pointers[field])
]

_pointers := {
	"team": "/ownership/team",
	"owner": "/ownership/owner",
	"cost_center": "/ownership/cost_center",
	"purpose": "/purpose",
}

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
