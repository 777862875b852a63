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
	known := _row(table, item.model)
	row := {
		"model": item.model,
		"value": object.get(known, name, null),
		"label": object.get(known, "label", _name(item)),
		"pointer": sprintf("/accelerators/%d/model", [index]),
	}
] if {
	resource.accelerators != null
	table := object.get(data.catalog, "accelerators", {})
} else := [{"model": null, "value": null, "label": "accelerators", "pointer": "/accelerators"}]

_row(table, model) := object.get(table, model, {}) if model != null

else := {}

_name(item) := item.model if {
	item.model != null
} else := item.resource if {
	item.resource != null
} else := "accelerators"
