# METADATA
# title: Retired accelerators
# description: Keeps new work off accelerators that their vendor no longer supports.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.retired

import data.policies.lib.changes
import data.policies.lib.hardware

# METADATA
# title: Accelerators are supported by their vendor
# description: |
#   Reports accelerators whose vendor has ended their support in current software, or has taken them
#   out of sale, by the catalog's `status`.
#   An accelerator of the previous generation is no finding.
# custom:
#   code: GPU-010
#   severity: medium
#   mode: warn
#   message: "`{resource}` takes {retired}, which its vendor has retired"
#   remedy: Choose an accelerator of a current generation, and keep old images and drivers only as long as the move takes.
#   undetermined: "it cannot be told whether the accelerators of `{resource}` are retired by their vendor; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.model
#     - change
#   tables:
#     - catalog.accelerators
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-010", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "retired": retired, "missing": _} in _judged
	retired != []

	facts := {"retired": concat(", ", retired)}
}

deny contains {"code": "GPU-010", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "retired": [], "missing": missing} in _judged
	missing != []
}

_judged := [{"resource": resource, "retired": retired, "missing": missing} |
	some resource in input.resources
	resource.accelerators != []
	rows := hardware.marked(resource, "status", {"retired", null})
	rows != []
	changes.takes(resource)
	retired := [row.label | some row in rows; row.value == "retired"]
	missing := [row.pointer | some row in rows; row.value == null]
]
