# METADATA
# title: Accelerators of a resource
# description: Counts that are total for every dense document; what is not known is pointed at, never counted as none in silence.
package policies.lib.accelerators

# METADATA
# description: |
#   The accelerators, or slices of them, that a resource takes at its largest.
#   `known` is a lower bound of the whole, `missing` points at what it leaves out.
total(resource) := {"known": known, "missing": missing} if {
	resource.accelerators != null
	most := [item.total.max | some item in resource.accelerators; item.total.max != null]
	least := [item.total.min | some item in resource.accelerators; item.total.max == null; item.total.min != null]
	known := sum(array.concat(most, least))
	missing := [pointer |
		some index, item in resource.accelerators
		item.total.max == null
		pointer := sprintf("/accelerators/%d/total", [index])
	]
} else := {"known": 0, "missing": ["/accelerators"]}

# METADATA
# description: True if an update takes no more accelerators than the resource had, all of them known.
does_not_grow(resource) if {
	resource.change == "update"
	resource.before != null
	before := total(resource.before)
	after := total(resource)
	count(before.missing) + count(after.missing) == 0
	after.known <= before.known
}

# METADATA
# description: |
#   The name of the first kind of accelerator as its maker prints it, else as it was asked for.
#   Total: a resource whose accelerators are not known has "accelerators".
label(resource) := object.get(data.catalog, ["accelerators", first.model, "label"], asked_for) if {
	kinds := [kind | resource.accelerators != null; some kind in resource.accelerators]
	with_last := array.concat(kinds, [{"model": null, "resource": null}])
	first := with_last[0]
	asked_for := _name(first.resource)
}

_name(asked_for) := asked_for if asked_for != null

else := "accelerators"
