package policies.lib.accelerators_test

import data.policies.lib.accelerators
import data.policies.lib.testing_test as testing

_kinds(totals) := {"accelerators": [testing.accelerator(total) | some total in totals]}

test_all_kinds_are_added_up_at_their_largest if {
	resource := testing.workload(_kinds([{"min": 1, "max": 8}, {"min": 2, "max": 2}]))
	accelerators.total(resource) == {"known": 10, "missing": []}
}

test_a_count_without_an_upper_bound_counts_its_lower_one_and_is_missing if {
	resource := testing.workload(_kinds([{"min": 3, "max": null}, {"min": null, "max": null}]))
	accelerators.total(resource) == {"known": 3, "missing": ["/accelerators/0/total", "/accelerators/1/total"]}
}

test_accelerators_that_are_not_known_are_missing_as_a_whole if {
	accelerators.total(testing.workload({"accelerators": null})) == {"known": 0, "missing": ["/accelerators"]}
}

test_none_is_none if accelerators.total(testing.workload({})) == {"known": 0, "missing": []}

_update(before, after) := testing.workload(object.union(
	{"change": "update", "before": testing.workload(before)},
	after,
))

test_an_update_to_as_many_or_fewer_does_not_grow if {
	every after in [8, 7] {
		accelerators.does_not_grow(_update(_kinds([{"min": 8, "max": 8}]), _kinds([{"min": 1, "max": after}])))
	}
}

test_an_update_to_more_grows if {
	not accelerators.does_not_grow(_update(_kinds([{"min": 8, "max": 8}]), _kinds([{"min": 1, "max": 9}])))
}

test_an_update_with_a_count_that_is_not_known_may_grow if {
	not accelerators.does_not_grow(_update(_kinds([{"min": 8, "max": null}]), _kinds([{"min": 1, "max": 1}])))
	not accelerators.does_not_grow(_update(_kinds([{"min": 8, "max": 8}]), _kinds([{"min": 1, "max": null}])))
}

test_what_is_no_update_grows if {
	not accelerators.does_not_grow(testing.workload(_kinds([{"min": 1, "max": 1}])))
	not accelerators.does_not_grow(testing.workload({"change": "update"}))
}

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

test_the_label_is_the_makers if {
	accelerators.label(testing.workload(_kinds([{"min": 1, "max": 1}]))) == "NVIDIA-L4" with data.catalog as _catalog
}

test_the_label_is_what_was_asked_for_where_the_catalog_has_none if {
	accelerators.label(testing.workload(_kinds([{"min": 1, "max": 1}]))) == "nvidia.com/gpu" with data.catalog as {}
}

test_there_is_a_label_for_what_nobody_named if {
	unnamed := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": null, "resource": null})
	accelerators.label(testing.workload({"accelerators": [unnamed]})) == "accelerators" with data.catalog as _catalog
	accelerators.label(testing.workload({"accelerators": null})) == "accelerators" with data.catalog as _catalog
	accelerators.label(testing.workload({})) == "accelerators" with data.catalog as _catalog
}
