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
#   Without the toleration a pod stays pending. The organisation states by cluster and manufacturer
#   which taints pods have to tolerate themselves (`hygiene.clusters`); elsewhere the rule is silent.
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
#     - change
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
	taints := [key |
		some maker in _makers(resource)
		some key in object.get(cluster, ["taints", maker], [])
		not clusters.tolerates(resource, key)
	]
	taints != []

	facts := {"taints": concat(", ", taints)}
}

deny contains {"code": "HYG-008", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "facts": cluster} in _placed
	taints := {key |
		some maker, keys in object.get(cluster, "taints", {})
		_may_be_of(resource, maker)
		some key in keys
		not clusters.tolerates(resource, key)
	}
	taints != set()
	tolerations := ["/placement/tolerations" | _hides(resource, "/placement/tolerations")]
	missing := array.concat(tolerations, _unknown_makers(resource))
	missing != []
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
	facts != {}
]

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
