# METADATA
# title: Accelerators of a resource
# description: Counts that are total for every dense document; what is not known is pointed at, never counted as none in silence.
package policies.lib.accelerators

# METADATA
# description: |
#   The accelerators, or slices of them, that a resource takes at its largest.
#   `known` is a lower bound of the whole, `missing` points at what it leaves out.
total(resource) := {"known": 0, "missing": ["/accelerators"]} if resource.accelerators == null

total(resource) := {"known": known, "missing": missing} if {
	resource.accelerators != null
	known := sum([_least(item.total) | some item in resource.accelerators])
	missing := [pointer |
		some index, item in resource.accelerators
		item.total.max == null
		pointer := sprintf("/accelerators/%d/total", [index])
	]
}

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
# description: True if the resource takes accelerators, or if it is not known whether it does.
may_take(resource) if resource.accelerators == null

may_take(resource) if count(resource.accelerators) > 0

# METADATA
# description: |
#   The name of the first kind of accelerator as its maker prints it, else as it was asked for.
#   Total: a resource whose accelerators are not known has "accelerators".
label(resource) := object.get(data.catalog, ["accelerators", first.model, "label"], _asked_for(first)) if {
	first := array.concat(_kinds(resource), [{"model": null, "resource": null}])[0]
}

_asked_for(kind) := kind.resource if kind.resource != null

_asked_for(kind) := "accelerators" if kind.resource == null

_kinds(resource) := resource.accelerators if resource.accelerators != null

_kinds(resource) := [] if resource.accelerators == null

_least(range) := range.max if range.max != null

_least(range) := range.min if {
	range.max == null
	range.min != null
}

_least(range) := 0 if {
	range.max == null
	range.min == null
}
