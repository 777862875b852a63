# METADATA
# title: Needs of nodes
# description: Has pods state what the nodes of their cluster need before accelerators can be used.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.nodes

import data.policies.lib.changes
import data.policies.lib.clusters
import data.policies.lib.unknowns

# METADATA
# title: Pods tolerate the taints of their accelerators' nodes
# description: |
#   Without the toleration a pod stays pending. Where the nodes of the cluster are watched, each of
#   those with its accelerators has to have a taint that is not tolerated, unless Karpenter may add
#   others; a queue of Kueue adds the tolerations of its flavors. A taint with the name of the resource that is asked for is held
#   against a Pod only, because many clusters tolerate it for what they make of a template.
#   For such taints, and where nobody watches, the organisation states by cluster and manufacturer
#   which ones pods have to tolerate themselves (`hygiene.clusters`); elsewhere the rule is silent.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#extendedresourcetoleration
# custom:
#   code: HYG-008
#   severity: low
#   mode: warn
#   message: "`{resource}` does not tolerate {taints}, and nodes with its accelerators carry it: it would stay pending"
#   remedy: "Add to the pod's tolerations for each key: operator Exists, and the effect of the taint."
#   undetermined: "it cannot be told whether `{resource}` tolerates the taints of its nodes; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.manufacturer
#     - accelerators.model
#     - accelerators.resource
#     - change
#     - context.cluster.grows
#     - context.cluster.nodes
#     - context.cluster.queue
#     - kind
#     - placement.tolerations
#     - role
#     - scope.cluster
#   tables:
#     - org.hygiene.clusters
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-008", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "facts": cluster} in _placed
	not _hides(resource, "/placement/tolerations")
	taints := _taints(resource, cluster, _makers_without_nodes(resource))
	taints != []

	facts := {"taints": concat(", ", array.slice(taints, 0, 5))}
}

deny contains {"code": "HYG-008", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "facts": cluster} in _placed
	_may_be_kept_off(resource, cluster)
	tolerations := ["/placement/tolerations" | _hides(resource, "/placement/tolerations")]
	missing := array.concat(tolerations, array.concat(_unknown_makers(resource), _unknown_names(resource)))
	missing != []
}

_may_be_kept_off(resource, cluster) if {
	may_be := {maker |
		some maker, _ in object.get(cluster, "taints", {})
		_may_be_of(resource, maker)
	}
	_taints(resource, cluster, may_be) != []
}

# Whatever it is that is asked for: no node lets it in.
_may_be_kept_off(resource, cluster) if {
	_is_unnamed(resource)
	item := {"resource": null, "manufacturer": null, "model": null}
	blocked := [_blocking(resource, cluster, item, group) | some group in _nodes]
	blocked != []
	not _lets_in(blocked)
}

_is_unnamed(resource) if resource.accelerators == null

_is_unnamed(resource) if _unknown_names(resource) != []

_unknown_names(resource) := [pointer |
	some index, item in _items(resource)
	item.resource == null
	item.manufacturer != null
	_nodes != []
	pointer := sprintf("/accelerators/%d/resource", [index])
]

# Taints that are not tolerated: those stated for the makers, then those of nodes that are known.
_taints(resource, cluster, makers) := array.concat(stated, sort(found)) if {
	stated := [key |
		some maker in makers
		some key in object.get(cluster, ["taints", maker], [])
		taint := {"key": key, "effect": "NoSchedule"}
		not _tolerates(resource, taint)
	]
	found := {key |
		some item in _items(resource)
		blocked := [_blocking(resource, cluster, item, group) | some group in _nodes_of(item)]
		not _lets_in(blocked)
		some keys in blocked
		some key in keys
	}
}

# True if a group of nodes has no taint that is not tolerated.
_lets_in(blocked) if set() in blocked

_blocking(resource, cluster, item, group) := {taint.key |
	some taint in group.taints
	_is_its_own_matter(resource, cluster, item, taint)
	not _tolerates(resource, taint)
}

# A cluster may tolerate a taint with the name of a resource for pods that ask for it, when it makes
# them of a template (admission plugin ExtendedResourceToleration).
_is_its_own_matter(_, _, item, taint) if taint.key != item.resource

_is_its_own_matter(resource, _, _, _) if resource.kind == "Pod"

_is_its_own_matter(_, cluster, item, taint) if taint.key in object.get(cluster, ["taints", item.manufacturer], [])

_tolerates(resource, taint) if {
	some tolerated in resource.placement.tolerations
	_matches(tolerated, taint)
}

_tolerates(_, taint) if {
	input.context.cluster != null
	input.context.cluster.queue != null
	some flavor in input.context.cluster.queue.flavors
	some tolerated in flavor.tolerations
	_matches(tolerated, taint)
}

_matches(tolerated, taint) if tolerated in {taint.key, "*", concat("", ["*:", taint.effect])}

# Where nodes may be added for a pod, those that are there say nothing about whether it has to wait.
_nodes := input.context.cluster.nodes if {
	input.context.cluster != null
	input.context.cluster.nodes != null
	input.context.cluster.grows == false
} else := []

# Nodes that may have the accelerators: by the name they are asked for, or by the maker where a claim
# names a class of devices.
_nodes_of(item) := [group |
	some group in _nodes
	_may_have(group, item)
	not _differs(group, item)
]

_may_have(group, item) if {
	item.resource != null
	group.resource == item.resource
} else if {
	item.resource != null
	is_extended := contains(item.resource, "/")
	is_extended == false
	item.manufacturer != null
	group.manufacturer == item.manufacturer
}

_differs(group, item) if {
	group.model != null
	item.model != null
	group.model != item.model
}

_makers_without_nodes(resource) := {item.manufacturer |
	some item in _items(resource)
	item.manufacturer != null
	_nodes_of(item) == []
}

# METADATA
# title: Pods name the runtime class that their accelerators need
# description: |
#   Where the nodes' default runtime does not hand devices to containers, a pod without the runtime
#   class starts and finds no accelerator. The organisation states by cluster and manufacturer where
#   that is so (`hygiene.clusters`); elsewhere the rule is silent, and any class that is named is
#   taken for a choice.
# custom:
#   code: HYG-009
#   severity: low
#   mode: warn
#   message: "`{resource}` names no runtime class, and its cluster needs {runtime_class} for its accelerators"
#   remedy: Set `runtimeClassName` of the pod to {runtime_class}.
#   undetermined: "it cannot be told whether `{resource}` has the runtime class that its accelerators need; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.manufacturer
#     - change
#     - placement.runtime_class
#     - role
#     - scope.cluster
#   tables:
#     - org.hygiene.clusters
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-009", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "facts": cluster} in _placed
	resource.placement.runtime_class == null
	not _hides(resource, "/placement/runtime_class")
	classes := [name |
		some maker in _makers(resource)
		name := object.get(cluster, ["runtime_class", maker], "")
		name != ""
	]
	classes != []

	facts := {"runtime_class": concat(" or ", classes)}
}

deny contains {"code": "HYG-009", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "facts": cluster} in _placed
	resource.placement.runtime_class == null
	needed := {maker |
		some maker, _ in object.get(cluster, "runtime_class", {})
		_may_be_of(resource, maker)
	}
	needed != set()
	classes := ["/placement/runtime_class" | _hides(resource, "/placement/runtime_class")]
	missing := array.concat(classes, _unknown_makers(resource))
	missing != []
}

_placed := [{"resource": resource, "facts": facts} |
	some resource in input.resources
	resource.role == "workload"
	resource.accelerators != []
	changes.takes(resource)
	facts := clusters.facts(resource, input.scope)
	_is_known(facts)
]

_is_known(facts) if facts != {}

_is_known(_) if _nodes != []

_hides(resource, pointer) if unknowns.holds(resource, pointer)

_items(resource) := resource.accelerators if resource.accelerators != null

else := []

_makers(resource) := {item.manufacturer |
	some item in _items(resource)
	item.manufacturer != null
}

_may_be_of(resource, maker) if {
	maker in _makers(resource)
} else if {
	_unknown_makers(resource) != []
}

_unknown_makers(resource) := [pointer |
	some index, item in _items(resource)
	item.manufacturer == null
	pointer := sprintf("/accelerators/%d/manufacturer", [index])
] if {
	resource.accelerators != null
} else := ["/accelerators"]
