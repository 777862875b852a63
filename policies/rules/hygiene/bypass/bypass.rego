# METADATA
# title: Bypasses
# description: Has accelerators asked for where they are counted.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.bypass

import data.policies.lib.changes
import data.policies.lib.clusters
import data.policies.lib.unknowns

# METADATA
# title: Accelerators are asked of the scheduler
# description: |
#   A pod can reach the accelerators of its node without asking for any: by a variable that the
#   container runtime reads, by device files of the node, by a runtime class or a privilege on a node
#   that has some, or by a resource that is meant for monitoring. Quotas, budgets and the scheduler
#   count none of them, and whoever was given the same accelerator shares it unknowingly.
#   A container that asks for accelerators itself gets its own, whatever its variables say.
#   Agents that watch or prepare nodes need such ways; they live in `hygiene.agent_namespaces`.
# custom:
#   code: HYG-011
#   severity: high
#   message: "`{resource}` takes accelerators past the scheduler, by {ways}"
#   remedy: Ask for the accelerators in `resources.limits` or by a claim, and leave out the rest; agents of the platform belong into a namespace of their own.
#   undetermined: "it cannot be told whether `{resource}` takes accelerators past the scheduler; not known: {missing}"
#   fields:
#     - change
#     - placement.bypasses
#     - scope.namespace
#   tables:
#     - org.hygiene.agent_namespaces
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-011", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	resource.placement.bypasses != []
	changes.takes(resource)
	not _is_agent(resource)

	facts := {"ways": concat(", ", array.slice(resource.placement.bypasses, 0, 5))}
}

deny contains {"code": "HYG-011", "resource": resource.address, "undetermined": ["/placement/bypasses"]} if {
	some resource in input.resources
	resource.placement.bypasses == []
	unknowns.holds(resource, "/placement/bypasses")
	changes.takes(resource)
	not _is_agent(resource)
}

_is_agent(resource) if clusters.is_agent(resource, input.scope)
