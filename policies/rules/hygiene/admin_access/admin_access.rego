# METADATA
# title: Administrative access
# description: Keeps access to everybody's accelerators to the namespaces that are meant for it.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.admin_access

import data.policies.lib.changes
import data.policies.lib.clusters
import data.policies.lib.unknowns

# METADATA
# title: Administrative access is for namespaces that are labelled for it
# description: |
#   A claim with `adminAccess` reaches every device of its class, those that others use included,
#   without taking any of them. Kubernetes lets namespaces have such claims that are labelled
#   `resource.kubernetes.io/admin-access: "true"`, and only since v1.34 in every cluster with claims.
#   Reports what has such access elsewhere, also through a claim that it names. The namespaces of the
#   platform's agents (`hygiene.agent_namespaces`) need no label here.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access
# custom:
#   code: HYG-012
#   severity: high
#   message: "`{resource}` has administrative access to every device of {classes}, and its namespace `{namespace}` is not labelled for that"
#   remedy: "Leave `adminAccess` out of the claim, or have the namespace labelled `resource.kubernetes.io/admin-access: \"true\"` by whoever runs the cluster."
#   undetermined: "it cannot be told whether `{resource}` may have administrative access to devices in its namespace; not known: {missing}"
#   fields:
#     - change
#     - context.cluster.namespace
#     - placement.admin_access
#     - scope.namespace
#   tables:
#     - org.hygiene.agent_namespaces
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-012", "resource": resource.address, "facts": facts} if {
	some resource in _with_access
	_namespace != null
	_namespace.admin_access == false

	facts := {
		"classes": concat(", ", array.slice(resource.placement.admin_access, 0, 5)),
		"namespace": _namespace.name,
	}
}

deny contains {"code": "HYG-012", "resource": resource.address, "undetermined": ["/context/cluster/namespace"]} if {
	some resource in _with_access
	_namespace == null
}

deny contains {"code": "HYG-012", "resource": resource.address, "undetermined": ["/placement/admin_access"]} if {
	some resource in input.resources
	resource.placement.admin_access == []
	unknowns.holds(resource, "/placement/admin_access")
	changes.takes(resource)
	not _is_agent(resource)
}

_with_access := [resource |
	some resource in input.resources
	resource.placement.admin_access != []
	changes.takes(resource)
	not _is_agent(resource)
]

_namespace := input.context.cluster.namespace if {
	input.context.cluster != null
} else := null

_is_agent(resource) if clusters.is_agent(resource, input.scope)
