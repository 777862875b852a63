# METADATA
# title: Hardware
# description: What the catalog says of each accelerator that a resource takes.
package policies.lib.hardware

# METADATA
# description: |
#   One column of the catalog for each kind of accelerator of a resource: its `value`, the `label` that
#   people know the accelerator by, and the `pointer` at what is not known where the value is null.
#   Total: accelerators that are not known are one entry without a value.
column(resource, name) := [row |
	some index, item in resource.accelerators
	row := {
		"model": item.model,
		"value": _value(item.model, name),
		"label": _label(item),
		"pointer": sprintf("/accelerators/%d/model", [index]),
	}
] if {
	resource.accelerators != null
} else := [{"model": null, "value": null, "label": "accelerators", "pointer": "/accelerators"}]

_value(model, name) := object.get(data.catalog, ["accelerators", model, name], null) if {
	model != null
} else := null

_label(item) := object.get(data.catalog, ["accelerators", item.model, "label"], item.model) if {
	item.model != null
} else := item.resource if {
	item.resource != null
} else := "accelerators"
