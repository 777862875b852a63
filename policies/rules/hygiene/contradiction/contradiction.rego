# METADATA
# title: Contradictions
# description: Has labels agree with what the organisation states of a place.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.contradiction

import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# title: Labels agree with the scope
# description: |
#   A label, an annotation or a tag may say what the organisation's scopes leave open. Where they
#   state a team, a cost center, a project or an environment, that holds, and somebody who declares
#   another one is mistaken about where the work is or who pays for it.
#   Capital letters are no difference, and common tags such as `Env` declare nothing.
# custom:
#   code: HYG-005
#   severity: medium
#   message: "`{resource}` declares the {field} `{declared}`, and the organisation states `{stated}` for the place it is in"
#   remedy: Drop the label or correct it, or move the work to where it belongs.
#   undetermined: "it cannot be told whether the labels of `{resource}` agree with the organisation's scopes; not known: {missing}"
#   fields:
#     - change
#     - contradictions
#   tables:
#     - org.scopes
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "HYG-005", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	resource.contradictions != []
	changes.takes(resource)
	some contradiction in resource.contradictions

	facts := {
		"field": replace(trim_prefix(contradiction.field, "/ownership/"), "_", " "),
		"declared": contradiction.declared,
		"stated": contradiction.stated,
	}
}

deny contains {"code": "HYG-005", "resource": resource.address, "undetermined": ["/contradictions"]} if {
	some resource in input.resources
	resource.contradictions == []
	unknowns.holds(resource, "/contradictions")
	changes.takes(resource)
}
