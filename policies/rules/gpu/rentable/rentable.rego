# METADATA
# title: Accelerators that nobody rents out
# description: Keeps plans free of accelerators that their maker keeps or sells as an API only.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.rentable

import data.policies.lib.changes
import data.policies.lib.hardware

# METADATA
# title: Accelerators can be rented
# description: |
#   Reports accelerators that only their maker uses (MTIA, Maia) and those of which only the answers
#   are sold (Groq, Cerebras, SambaNova), by the catalog's `rentable`.
#   Whoever has them all the same lists them in `gpu.own_accelerators`.
# custom:
#   code: GPU-014
#   severity: medium
#   mode: warn
#   message: "`{resource}` takes {label}, which {why}"
#   remedy: Choose an accelerator that is rented out, or have it listed in `gpu.own_accelerators` if the organisation has it.
#   undetermined: "it cannot be told whether the accelerators of `{resource}` can be rented; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.model
#     - change
#   tables:
#     - catalog.accelerators
#     - org.gpu.own_accelerators
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-014", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "rows": rows} in _judged
	some row in rows
	row.value != null

	facts := {"label": row.label, "why": object.get(_reasons, row.value, "")}
}

deny contains {"code": "GPU-014", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "rows": rows} in _judged
	[row | some row in rows; row.value != null] == []

	missing := [row.pointer | some row in rows]
}

_judged := [{"resource": resource, "rows": rows} |
	some resource in input.resources
	resource.accelerators != []
	rows := [row |
		some row in hardware.marked(resource, "rentable", {"api-only", "first-party-only", null})
		_is_foreign(row.model)
	]
	rows != []
	changes.takes(resource)
]

_is_foreign(model) if {
	own := [model | some each in object.get(data.org, ["gpu", "own_accelerators"], []); each == model]
	own == []
}

_reasons := {
	"api-only": "its maker sells as an API only",
	"first-party-only": "only its maker uses",
}
