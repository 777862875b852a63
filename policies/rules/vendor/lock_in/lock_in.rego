# METADATA
# title: Lock-in
# description: Says where work becomes bound to the hardware of one vendor.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.vendor.lock_in

import data.policies.lib.changes
import data.policies.lib.vendors

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
	some resource in input.resources
	resource.accelerators != []
	resource.accelerators != null
	some item in resource.accelerators
	item.model != null
	accelerator := object.get(data.catalog, ["accelerators", item.model], {})
	object.get(accelerator, "proprietary", null) == true
	not _is_accepted(item)
	changes.takes(resource)

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
	changes.takes(resource)

	missing := _missing(resource)
	missing != []
}

_is_accepted(item) if item.model in vendors.stated("accepted_proprietary", [])

_missing(resource) := [sprintf("/accelerators/%d/model", [index]) |
	some index, item in resource.accelerators
	_may_be_proprietary(item)
] if {
	resource.accelerators != null
} else := ["/accelerators"]

# What the catalog does not say, of the model or, without one, of everything its maker makes.
_may_be_proprietary(item) if {
	item.model != null
	object.get(data.catalog, ["accelerators", item.model, "proprietary"], null) == null
	not _is_accepted(item)
}

_may_be_proprietary(item) if {
	item.model == null
	object.get(data.index, ["proprietary_makers", item.manufacturer], true) == true
}

_alternative(item) := words if {
	found := object.get(data.index, ["portable_alternatives", item.model], null)
	found != null
	words := sprintf("%s (%d GB of memory, %d vendors)", [found.label, found.memory_gb, found.vendors])
} else := "accelerators that several vendors rent out"
