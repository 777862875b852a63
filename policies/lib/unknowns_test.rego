package policies.lib.unknowns_test

import data.policies.lib.unknowns

_resource := {"unknown": {"/model": "after_apply", "/accelerators/1/total": "elsewhere"}}

test_a_pointer_covers_itself_and_everything_below if {
	unknowns.reasons(_resource, "/model") == {"after_apply"}
	unknowns.reasons(_resource, "/model/params_m") == {"after_apply"}
	unknowns.holds(_resource, "/accelerators/1/total/max")
}

test_a_pointer_covers_no_neighbour_with_the_same_beginning if {
	unknowns.reasons(_resource, "/models") == set()
	not unknowns.holds(_resource, "/accelerators/10/total")
	not unknowns.holds(_resource, "/accelerators/1")
}

test_the_empty_pointer_covers_the_whole_resource if {
	unknowns.reasons({"unknown": {"": "sensitive"}}, "/region") == {"sensitive"}
}

test_nothing_is_unknown_where_the_map_is_empty if {
	not unknowns.holds({"unknown": {}}, "/region")
}
