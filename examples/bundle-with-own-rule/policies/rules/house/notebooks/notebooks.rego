# METADATA
# title: Notebooks
# description: Keeps what one person explores with small.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.house.notebooks

import data.policies.lib.accelerators
import data.policies.lib.changes

_limit := object.get(data.org, ["own", "notebook_accelerators"], null)

# METADATA
# title: Notebook stays small
# description: |
#   A notebook waits for its author most of the time, so that its accelerators are idle for longer
#   than those of a job. Without a limit in `own.notebook_accelerators` nothing is judged.
# custom:
#   code: HOUSE-001
#   severity: medium
#   message: "`{resource}` is a notebook with {asked} accelerators; one may have {limit}"
#   remedy: Try it with {limit} and run the large version as a job, or ask the platform team.
#   undetermined: "it cannot be told how many accelerators the notebook `{resource}` takes; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - purpose
#   tables:
#     - org.own
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "HOUSE-001", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "asked": asked} in _notebooks
	asked.known > _limit

	facts := {"asked": asked.known, "limit": _limit}
}

deny contains {"code": "HOUSE-001", "resource": resource.address, "undetermined": asked.missing} if {
	some {"resource": resource, "asked": asked} in _notebooks
	asked.known <= _limit
	asked.missing != []
}

# The conditions that rule out most resources come first: a rule runs for every request.
_notebooks := [{"resource": resource, "asked": accelerators.total(resource)} |
	_limit != null
	some resource in input.resources
	resource.purpose == "notebook"
	changes.takes(resource)
]
