# METADATA
# title: Hardware
# description: What the catalog says of each accelerator that a resource takes.
package policies.lib.hardware

# METADATA
# description: |
#   One column of the catalog for each kind of accelerator of a resource: its `value`, the `label` that
#   people know the accelerator by, and the `pointer` at what is not known where the value is null.
#   Total: accelerators that are not known are one entry without a value.
column(resource, name) := [_row(index, item, known, name) |
	table := object.get(data.catalog, "accelerators", {})
	some index, item in resource.accelerators
	known := object.get(table, item.model, {})
] if {
	resource.accelerators != null
} else := [_unknown]

# METADATA
# description: The rows of a column with one of these values.
marked(resource, name, values) := [_row(index, item, known, name) |
	table := object.get(data.catalog, "accelerators", {})
	some index, item in resource.accelerators
	known := object.get(table, item.model, {})
	object.get(known, name, null) in values
] if {
	resource.accelerators != null
} else := [_unknown | null in values]

_row(index, item, known, name) := {
	"model": item.model,
	"value": object.get(known, name, null),
	"label": object.get(known, "label", called),
	"pointer": sprintf("/accelerators/%d/model", [index]),
} if {
	called := [part | some part in [item.model, item.resource, "accelerators"]; part != null][0]
}

_unknown := {"model": null, "value": null, "label": "accelerators", "pointer": "/accelerators"}
