# METADATA
# title: Ladder of accelerator sets
# description: |
#   Finds the smallest set of accelerators that offers enough memory in `data.index.fit`, which the
#   build sorts by memory; a bisection, because reading the whole table takes longer than the rule.
package policies.lib.ladder

# METADATA
# description: |
#   Words for the smallest set with the MiB asked for, of which a server takes so many percent.
#   Total: where no set of the catalog is large enough, the words say so.
smallest(mib, percent) := _sets[index].label if {
	index := _position(mib * 100, percent)
	index < count(_sets)
}

smallest(mib, percent) := "more accelerators than any one machine of the catalog has" if {
	_position(mib * 100, percent) >= count(_sets)
}

_sets := object.get(data.index, "fit", [])

# How many sets are too small; each step halves what is left, enough for 1,023 sets.
_position(needed, percent) := at_1 if {
	at_512 := _advance(0, 512, needed, percent)
	at_256 := _advance(at_512, 256, needed, percent)
	at_128 := _advance(at_256, 128, needed, percent)
	at_64 := _advance(at_128, 64, needed, percent)
	at_32 := _advance(at_64, 32, needed, percent)
	at_16 := _advance(at_32, 16, needed, percent)
	at_8 := _advance(at_16, 8, needed, percent)
	at_4 := _advance(at_8, 4, needed, percent)
	at_2 := _advance(at_4, 2, needed, percent)
	at_1 := _advance(at_2, 1, needed, percent)
}

_advance(index, step, needed, percent) := index + step if _too_small(index, step, needed, percent)

_advance(index, step, needed, percent) := index if not _too_small(index, step, needed, percent)

_too_small(index, step, needed, percent) if {
	index + step <= count(_sets)
	_sets[(index + step) - 1].total_mib * percent < needed
}
