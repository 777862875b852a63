# METADATA
# title: Lock-in
# description: Says where work becomes bound to the hardware of one vendor.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.vendor.lock_in

import data.policies.lib.changes

# METADATA
# title: Accelerators can be had from more than one vendor
# description: |
#   A proprietary accelerator is rented out by its maker only, and programs for it are built with a
#   compiler for nothing else: the price and the capacity are those of one vendor, and leaving means
#   to build and to tune again. The rule names the accelerator that several vendors rent out whose
#   memory and throughput come nearest. An organisation that has decided so lists it as accepted.
# custom:
#   code: VEN-005
#   severity: low
#   mode: warn
#   message: "`{resource}` takes {label}, which only `{maker}` rents out and whose {stack} programs run nowhere else"
#   remedy: "Consider {alternative}, or have the accelerator entered in `accepted_proprietary` of the organisation."
#   undetermined: "it cannot be told whether the accelerators of `{resource}` can be had from more than one vendor; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#   tables:
#     - catalog.accelerators
#     - index.portable_alternatives
#     - index.proprietary_makers
#     - org.vendor.accepted_proprietary
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-005", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "index": _, "item": item, "is_proprietary": is_proprietary} in _not_portable
	is_proprietary == true
	accelerator := object.get(data.catalog, ["accelerators", item.model], {})

	facts := {
		"label": object.get(accelerator, "label", item.model),
		"maker": object.get(accelerator, "manufacturer", "its maker"),
		"stack": object.get(accelerator, "software_stack", "own"),
		"alternative": _alternative(item),
	}
}

deny contains {"code": "VEN-005", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	resource.accelerators != []
	[resource.accelerators == null, _not_portable] != [false, []]

	missing := _missing(resource)
	missing != []
	changes.takes(resource)
}

_not_portable := [{"resource": resource, "index": index, "item": item, "is_proprietary": is_proprietary} |
	some resource in input.resources
	resource.accelerators != []
	resource.accelerators != null
	some index, item in resource.accelerators
	is_proprietary := _is_proprietary(item)
	is_proprietary != false
	not _is_accepted(item)
	changes.takes(resource)
]

# Null where the catalog does not say, of the model or, without one, of everything its maker makes.
_is_proprietary(item) := object.get(data.catalog, ["accelerators", item.model, "proprietary"], null) if {
	item.model != null
} else := false if {
	object.get(data.index, ["proprietary_makers", item.manufacturer], true) == false
} else := null

_is_accepted(item) if item.model in object.get(data.org, ["vendor", "accepted_proprietary"], [])

_missing(resource) := ["/accelerators"] if {
	resource.accelerators == null
} else := [pointer | some pointer in _unknown_models(resource)]

# A set: a request may hold the same resource twice.
_unknown_models(resource) := {sprintf("/accelerators/%d/model", [each.index]) |
	some each in _not_portable
	each.is_proprietary == null
	each.resource == resource
}

_alternative(item) := words if {
	found := object.get(data.index, ["portable_alternatives", item.model], null)
	found != null
	words := sprintf("%s (%d GB of memory, %d vendors)", [found.label, found.memory_gb, found.vendors])
} else := "accelerators that several vendors rent out"
