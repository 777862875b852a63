package policies.lib.whole_test

import data.policies.lib.whole

test_a_quotient_is_rounded_down if {
	whole.quotient(7, 2) == 3
	whole.quotient(8, 2) == 4
	whole.quotient(0, 730) == 0
}

test_a_ceiling_is_rounded_up if {
	whole.ceiling(7, 2) == 4
	whole.ceiling(8, 2) == 4
	whole.ceiling(0, 730) == 0
}

test_the_largest_exact_number_is_divided_exactly if {
	whole.quotient(9007199254740991, 730) == 12338629116083
	whole.quotient(9007199254740991, 8388608) == 1073741823
	whole.quotient(9007199254740991, 9007199254740991) == 1
}
