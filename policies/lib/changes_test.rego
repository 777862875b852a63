package policies.lib.changes_test

import data.policies.lib.changes

test_what_exists_afterwards_in_a_new_form_takes_something if {
	every change in ["create", "update", "replace", "import"] {
		changes.takes({"change": change})
	}
}

test_what_is_gone_read_or_unchanged_takes_nothing if {
	every change in ["delete", "no_op", "read"] {
		not changes.takes({"change": change})
	}
}

test_a_change_that_nobody_thought_of_takes_something if {
	changes.takes({"change": "teleport"})
	changes.takes({"change": null})
}
