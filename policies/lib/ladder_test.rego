package policies.lib.ladder_test

import data.policies.lib.ladder

_index := {"fit": [
	{"label": "1 x NVIDIA-T4", "total_mib": 15360},
	{"label": "1 x NVIDIA-L4", "total_mib": 23034},
	{"label": "1 x NVIDIA-L40S", "total_mib": 46068},
]}

test_the_first_set_that_is_large_enough_is_named if {
	ladder.smallest(15360, 100) == "1 x NVIDIA-T4" with data.index as _index
	ladder.smallest(15361, 100) == "1 x NVIDIA-L4" with data.index as _index
	ladder.smallest(46068, 100) == "1 x NVIDIA-L40S" with data.index as _index
	ladder.smallest(0, 100) == "1 x NVIDIA-T4" with data.index as _index
}

test_only_the_share_that_a_server_takes_counts if {
	ladder.smallest(15000, 90) == "1 x NVIDIA-L4" with data.index as _index
}

test_there_are_words_where_no_set_is_large_enough if {
	words := "more accelerators than any one machine of the catalog has"
	ladder.smallest(46069, 100) == words with data.index as _index
	ladder.smallest(1, 100) == words with data.index as {"fit": []}
	ladder.smallest(1, 100) == words with data.index as {}
	ladder.smallest(1, 0) == words with data.index as _index
}

test_every_step_of_a_long_ladder_is_found if {
	long := {"fit": [{"label": sprintf("%d", [n]), "total_mib": n * 10} | some n in numbers.range(1, 1000)]}
	every n in [1, 2, 3, 255, 256, 257, 511, 512, 513, 999, 1000] {
		ladder.smallest(n * 10, 100) == sprintf("%d", [n]) with data.index as long
		ladder.smallest((n * 10) - 9, 100) == sprintf("%d", [n]) with data.index as long
	}
}
