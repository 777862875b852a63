package policies.rules.hygiene.admin_access_test

import data.policies.lib.testing_test as testing
import data.policies.rules.hygiene.admin_access

_org := {"hygiene": {"agent_namespaces": ["gpu-operator"]}}

_cluster(labelled) := {"namespace": {"name": "trial", "admin_access": labelled}}

_found(cluster, classes, changes) := found if {
	placement := object.union(testing.workload({}).placement, {"admin_access": classes})
	resource := testing.workload(object.union({"placement": placement}, changes))
	request := object.union(testing.request([resource]), {
		"scope": {"namespace": "trial"},
		"context": {"cluster": cluster},
	})
	found := admin_access.deny with input as request with data.org as _org
}

_refused(classes) := {{
	"code": "HYG-012",
	"resource": "Deployment prod/llama-70b",
	"facts": {"classes": classes, "namespace": "trial"},
}}

_undetermined(pointer) := {{
	"code": "HYG-012",
	"resource": "Deployment prod/llama-70b",
	"undetermined": [pointer],
}}

test_access_elsewhere_is_refused_and_names_the_classes if {
	_found(_cluster(false), ["gpu.nvidia.com"], {}) == _refused("gpu.nvidia.com")
	_found(_cluster(false), ["a", "b", "c", "d", "e", "f"], {}) == _refused("a, b, c, d, e")
}

test_a_namespace_that_is_labelled_may_have_it if {
	_found(_cluster(true), ["gpu.nvidia.com"], {}) == set()
}

test_ordinary_claims_and_deletions_are_fine if {
	_found(_cluster(false), [], {}) == set()
	_found(_cluster(false), ["gpu.nvidia.com"], {"change": "delete"}) == set()
	_found(null, ["gpu.nvidia.com"], {"change": "no_op"}) == set()
}

test_agents_of_the_platform_need_no_label if {
	agent := {"scope": {"namespace": "gpu-operator"}}
	_found(_cluster(false), ["gpu.nvidia.com"], agent) == set()
	_found(null, [], object.union(agent, {"unknown": {"/placement": "elsewhere"}})) == set()
}

test_a_namespace_that_is_not_known_is_undetermined if {
	_found(null, ["gpu.nvidia.com"], {}) == _undetermined("/context/cluster/namespace")
	_found({"namespace": null}, ["gpu.nvidia.com"], {}) == _undetermined("/context/cluster/namespace")
}

test_access_that_cannot_be_seen_is_undetermined if {
	hidden := {"unknown": {"/placement": "elsewhere"}}
	_found(_cluster(false), [], hidden) == _undetermined("/placement/admin_access")
	_found(_cluster(false), [], object.union(hidden, {"change": "delete"})) == set()
}
