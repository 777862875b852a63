# METADATA
# title: Ladder of accelerator sets
# description: |
#   Finds the smallest set of accelerators that offers enough memory in `data.index.fit`, which the
#   build sorts by memory; a bisection, because reading the whole table takes longer than the rule.
package policies.lib.ladder

# METADATA
# description: |
#   Words for the smallest set with the MiB asked for, of which a server takes so many percent, among
#   those that run the software stack; among all where none is known or the catalog lacks it.
#   Total: where no set of the catalog is large enough, the words say so.
smallest(stack, mib, percent) := _words(sets, _position(sets, {"needed": mib * 100, "percent": percent})) if {
	sets := object.get(data.index, ["fit_by_stack", stack], object.get(data.index, "fit", []))
}

_words(sets, index) := sets[index].label if index < count(sets)

_words(sets, index) := "more accelerators than any one machine of the catalog has" if index >= count(sets)

# How many sets are too small; each step halves what is left, enough for 1,023 sets.
_position(sets, wanted) := at_1 if {
	at_512 := _advance(sets, 0, 512, wanted)
	at_256 := _advance(sets, at_512, 256, wanted)
	at_128 := _advance(sets, at_256, 128, wanted)
	at_64 := _advance(sets, at_128, 64, wanted)
	at_32 := _advance(sets, at_64, 32, wanted)
	at_16 := _advance(sets, at_32, 16, wanted)
	at_8 := _advance(sets, at_16, 8, wanted)
	at_4 := _advance(sets, at_8, 4, wanted)
	at_2 := _advance(sets, at_4, 2, wanted)
	at_1 := _advance(sets, at_2, 1, wanted)
}

_advance(sets, index, step, wanted) := index + step if {
	index + step <= count(sets)
	sets[(index + step) - 1].total_mib * wanted.percent < wanted.needed
} else := index
