package policies.lib.topology_test

import data.policies.lib.testing_test as testing
import data.policies.lib.topology

_fit(changes) := testing.workload({"fit": changes})

test_heads_are_divided_by_the_degree if {
	topology.uneven({"attention_heads": 28, "attention": "gqa", "kv_heads": 4}, 8) == "28 attention heads"
	topology.uneven({"attention_heads": 28, "attention": "gqa", "kv_heads": 4}, 4) == ""
	topology.uneven({"attention_heads": 28, "attention": "gqa", "kv_heads": 4}, 7) == "4 key-value heads"
	topology.uneven({"attention_heads": null, "attention": "gqa", "kv_heads": 10}, 4) == "10 key-value heads"
	topology.uneven({"attention_heads": 128, "attention": "mla", "kv_heads": 3}, 8) == ""
	topology.uneven({"attention_heads": 8, "attention": "gqa", "kv_heads": 0}, 8) == ""
	topology.uneven({"attention_heads": 8, "attention": "gqa", "kv_heads": null}, 8) == ""
}

test_what_is_not_known_of_heads_is_pointed_at if {
	topology.missing_heads({"attention_heads": null, "attention": null, "kv_heads": null}) == [
		"/fit/attention_heads",
		"/fit/attention",
	]
	topology.missing_heads({"attention_heads": 8, "attention": "mha", "kv_heads": null}) == ["/fit/kv_heads"]
	topology.missing_heads({"attention_heads": 8, "attention": "mla", "kv_heads": null}) == []
}

test_a_node_or_a_link_that_nobody_states_is_the_usual_one if {
	topology.reach(_fit({})) == 8
	topology.reach(_fit({"accelerators_per_node": 16, "scale_up_domain": 1})) == 16
	topology.reach(_fit({"accelerators_per_node": 4, "scale_up_domain": 72})) == 72
}

test_only_what_somebody_would_have_to_say_is_hidden if {
	resource := testing.workload({"unknown": {"/placement/fabric": "elsewhere"}})
	topology.is_hidden(resource, null, "/placement/fabric")
	not topology.is_hidden(resource, null, "/placement/shm_mib")
}
