# METADATA
# title: Ladder of accelerator sets
# description: |
#   Finds the smallest set of accelerators, or the smallest slice of one, that offers enough memory in
#   `data.index`, which the build sorts by memory; a bisection, because reading a whole table takes
#   longer than the rule.
package policies.lib.ladder

# METADATA
# description: |
#   Words for the smallest set with the MiB asked for, of which a server takes so many percent, among
#   those that run the software stack; among all where none is known or the catalog lacks it.
#   Total: where no set of the catalog is large enough, the words say so.
smallest(stack, mib, percent) := found.label if {
	found := set_with(stack, mib, percent)
	found != null
} else := "more accelerators than any one machine of the catalog has"

# METADATA
# description: The same set as its `label` and its `total_mib`; null where no set is large enough.
set_with(stack, mib, percent) := _first(sets, {"needed": mib * 100, "percent": percent}) if {
	sets := object.get(data.index, ["fit_by_stack", stack], object.get(data.index, "fit", []))
}

# METADATA
# description: |
#   The smallest slice of an accelerator with the MiB asked for, of which a server takes so many
#   percent, as its `label` (the profile) and its `total_mib`; null where it has none.
slice_with(accelerator, mib, percent) := _first(slices, {"needed": mib * 100, "percent": percent}) if {
	slices := object.get(data.index, ["slices", accelerator], [])
}

_first(rungs, wanted) := {"label": rung.label, "total_mib": rung.total_mib} if {
	rung := rungs[_position(rungs, wanted)]
} else := null

# How many rungs are too small; each step halves what is left, enough for 1,023 rungs.
_position(rungs, wanted) := at_1 if {
	at_512 := _advance(rungs, 0, 512, wanted)
	at_256 := _advance(rungs, at_512, 256, wanted)
	at_128 := _advance(rungs, at_256, 128, wanted)
	at_64 := _advance(rungs, at_128, 64, wanted)
	at_32 := _advance(rungs, at_64, 32, wanted)
	at_16 := _advance(rungs, at_32, 16, wanted)
	at_8 := _advance(rungs, at_16, 8, wanted)
	at_4 := _advance(rungs, at_8, 4, wanted)
	at_2 := _advance(rungs, at_4, 2, wanted)
	at_1 := _advance(rungs, at_2, 1, wanted)
}

_advance(rungs, index, step, wanted) := index + step if {
	index + step <= count(rungs)
	rungs[(index + step) - 1].total_mib * wanted.percent < wanted.needed
} else := index
