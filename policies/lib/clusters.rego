# METADATA
# title: Clusters
# description: What the organisation says of clusters, and of namespaces in them.
package policies.lib.clusters

# METADATA
# description: |
#   The facts about the cluster of a resource: its own scope's, or that of the whole request; an empty
#   object where the organisation states none.
facts(resource, scope) := object.get(data.org, ["hygiene", "clusters", resource.scope.cluster], {}) if {
	resource.scope != null
	resource.scope.cluster != null
} else := object.get(data.org, ["hygiene", "clusters", scope.cluster], {}) if {
	resource.scope == null
	scope.cluster != null
} else := {}

# METADATA
# description: |
#   True if a workload tolerates a taint by its key, or all taints that keep pods from being scheduled.
tolerates(resource, key) if {
	some tolerated in resource.placement.tolerations
	tolerated in {key, "*", "*:NoSchedule"}
}

# METADATA
# description: |
#   True if a resource is in a namespace of the platform's own agents: its own scope's, or that of the
#   whole request.
is_agent(resource, scope) if {
	_namespace(resource, scope) in object.get(data.org, ["hygiene", "agent_namespaces"], [])
}

_namespace(resource, scope) := resource.scope.namespace if {
	resource.scope != null
} else := scope.namespace
