package policies.lib.ladder_test

import data.policies.lib.ladder

_index := {"fit": [
	{"label": "1 x NVIDIA-T4", "total_mib": 15360},
	{"label": "1 x NVIDIA-L4", "total_mib": 23034},
	{"label": "1 x NVIDIA-L40S", "total_mib": 46068},
]}

test_the_first_set_that_is_large_enough_is_named if {
	ladder.smallest("cuda", 15360, 100) == "1 x NVIDIA-T4" with data.index as _index
	ladder.smallest("cuda", 15361, 100) == "1 x NVIDIA-L4" with data.index as _index
	ladder.smallest("cuda", 46068, 100) == "1 x NVIDIA-L40S" with data.index as _index
	ladder.smallest("cuda", 0, 100) == "1 x NVIDIA-T4" with data.index as _index
}

test_only_the_share_that_a_server_takes_counts if {
	ladder.smallest("cuda", 15000, 90) == "1 x NVIDIA-L4" with data.index as _index
}

test_there_are_words_where_no_set_is_large_enough if {
	words := "more accelerators than any one machine of the catalog has"
	ladder.smallest("cuda", 46069, 100) == words with data.index as _index
	ladder.smallest("cuda", 1, 100) == words with data.index as {"fit": []}
	ladder.smallest("cuda", 1, 100) == words with data.index as {}
	ladder.smallest("cuda", 1, 0) == words with data.index as _index
}

test_every_step_of_a_long_ladder_is_found if {
	long := {"fit": [{"label": sprintf("%d", [n]), "total_mib": n * 10} | some n in numbers.range(1, 1000)]}
	every n in [1, 2, 3, 255, 256, 257, 511, 512, 513, 999, 1000] {
		ladder.smallest("cuda", n * 10, 100) == sprintf("%d", [n]) with data.index as long
		ladder.smallest("cuda", (n * 10) - 9, 100) == sprintf("%d", [n]) with data.index as long
	}
}

_mixed := {
	"fit": [{"label": "1 x aws-inferentia2", "total_mib": 32768}, {"label": "1 x NVIDIA-L40S", "total_mib": 46068}],
	"fit_by_stack": {"cuda": [{"label": "1 x NVIDIA-L40S", "total_mib": 46068}]},
}

test_only_sets_of_the_same_software_stack_are_named if {
	ladder.smallest("cuda", 20000, 100) == "1 x NVIDIA-L40S" with data.index as _mixed
}

test_all_sets_are_looked_at_where_the_stack_is_not_known if {
	ladder.smallest(null, 20000, 100) == "1 x aws-inferentia2" with data.index as _mixed
	ladder.smallest("tpu", 20000, 100) == "1 x aws-inferentia2" with data.index as _mixed
}

test_a_set_is_given_with_its_memory_or_not_at_all if {
	ladder.set_with("cuda", 20000, 100) == {"label": "1 x NVIDIA-L4", "total_mib": 23034} with data.index as _index
	ladder.set_with("cuda", 46069, 100) == null with data.index as _index
	ladder.set_with("cuda", 1, 100) == null with data.index as {}
}

_slices := {"slices": {"nvidia-h100-sxm": [
	{"label": "1g.10gb", "total_mib": 9984},
	{"label": "3g.40gb", "total_mib": 40325},
]}}

test_the_smallest_slice_that_is_large_enough_is_found if {
	ladder.slice_with("nvidia-h100-sxm", 9984, 100) == {"label": "1g.10gb", "total_mib": 9984} with data.index as _slices
	ladder.slice_with("nvidia-h100-sxm", 9984, 92) == {"label": "3g.40gb", "total_mib": 40325} with data.index as _slices
	ladder.slice_with("nvidia-h100-sxm", 40326, 100) == null with data.index as _slices
}

test_an_accelerator_without_slices_has_none if {
	ladder.slice_with("nvidia-l4", 1, 100) == null with data.index as _slices
	ladder.slice_with(null, 1, 100) == null with data.index as _slices
	ladder.slice_with("nvidia-l4", 1, 100) == null with data.index as {}
}
