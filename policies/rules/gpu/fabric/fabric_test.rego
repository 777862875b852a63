package policies.rules.gpu.fabric_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.fabric

# Two workers with eight accelerators each.
_gang(changes) := testing.workload(object.union(
	{
		"purpose": "pretraining",
		"workers_per_copy": 2,
		"accelerators": [testing.accelerator({"min": 16, "max": 16})],
		"software_stack": "cuda",
		"placement": {"host_network": false},
		"fit": {"accelerators_per_copy": 16, "scale_up_domain": 8},
	},
	changes,
))

_pool(changes) := testing.capacity(object.union(
	{
		"purpose": "pretraining",
		"instance_type": "g2-standard-96",
		"nodes": {"min": 0, "max": 4},
		"accelerators": [testing.accelerator({"min": 0, "max": 32})],
		"fit": {"fabric": "none", "accelerators_per_node": 8},
	},
	changes,
))

_found(resource) := found if {
	found := fabric.deny with input as testing.request([resource])
}

_undetermined(address, missing) := {{"code": "GPU-008", "resource": address, "undetermined": missing}}

_facts(found) := [finding.facts | some finding in found]

test_a_gang_that_asks_for_no_network_is_reported_with_what_its_vendor_has if {
	asks := "asks for no network for that"
	every vendor, device in {
		"aws": "vpc.amazonaws.com/efa",
		"coreweave": "rdma/ib",
		"gcp": "further networks by the annotation networking.gke.io/interfaces",
		"nebius": "an RDMA device such as rdma/ib",
	} {
		_found(_gang({"vendor": vendor})) == {{
			"code": "GPU-008",
			"resource": "Deployment prod/llama-70b",
			"facts": {"reason": asks, "device": device},
		}}
	}
}

test_a_gang_with_a_way_to_a_network_is_fine if {
	_found(_gang({"placement": {"fabric": "rdma/ib"}})) == set()
	_found(_gang({"placement": {"host_network": true}})) == set()
	_found(_gang({"software_stack": "gaudi"})) == set()
}

test_a_gang_within_one_node_or_one_link_needs_no_network if {
	_found(_gang({"workers_per_copy": 1})) == set()
	_found(_gang({"fit": {"accelerators_per_copy": 8}})) == set()
	_found(_gang({"fit": {"accelerators_per_node": 16}})) == set()
	_found(_gang({"fit": {"scale_up_domain": 72}})) == set()
}

test_a_type_without_a_network_is_reported_whatever_is_asked_for if {
	type := {"instance_type": "g2-standard-96", "fit": {"fabric": "none"}, "placement": {"fabric": "rdma/ib"}}
	_facts(_found(_gang(type))) == [{
		"reason": "g2-standard-96 has no network for that",
		"device": "an RDMA device such as rdma/ib",
	}]
	nameless := object.union(type, {"instance_type": null})
	_facts(_found(_gang(nameless)))[0].reason == "its instance type has no network for that"
}

test_a_pool_that_may_grow_beyond_one_node_needs_a_type_with_a_network if {
	_facts(_found(_pool({})))[0].reason == "g2-standard-96 has no network for that"
	_found(_pool({"fit": {"fabric": "efa"}})) == set()
	_found(_pool({"nodes": {"max": 1}})) == set()
}

test_what_does_not_train_is_left_alone if {
	_found(_gang({"purpose": "inference"})) == set()
	_found(_gang({"purpose": null})) == set()
	_found(_gang({"accelerators": []})) == set()
	_found(_gang({"change": "delete"})) == set()
}

test_what_runs_as_no_pod_asks_for_nothing if {
	_found(_gang({"placement": {"host_network": null}})) == set()
}

test_each_missing_value_is_pointed_at_rather_than_skipped if {
	every pointer in [
		"/purpose",
		"/fit/accelerators_per_copy",
		"/fit/accelerators_per_node",
		"/fit/scale_up_domain",
		"/placement/fabric",
		"/placement/host_network",
	] {
		hidden := _gang(object.union(_without(pointer), {"unknown": {pointer: "after_apply"}}))
		_found(hidden) == _undetermined("Deployment prod/llama-70b", [pointer])
	}
}

_without(pointer) := {"purpose": null} if pointer == "/purpose"

_without(pointer) := {"fit": {"accelerators_per_copy": null}} if pointer == "/fit/accelerators_per_copy"

_without(pointer) := {"fit": {"scale_up_domain": null}} if pointer == "/fit/scale_up_domain"

_without(pointer) := {"placement": {"host_network": null}} if pointer == "/placement/host_network"

_without(pointer) := {} if pointer in {"/fit/accelerators_per_node", "/placement/fabric"}

test_a_gang_of_which_the_size_is_still_to_come_is_pointed_at if {
	later := _gang({
		"workers_per_copy": null,
		"fit": {"accelerators_per_copy": null},
		"unknown": {"/workers_per_copy": "elsewhere"},
	})
	_found(later) == _undetermined("Deployment prod/llama-70b", ["/fit/accelerators_per_copy"])
	_found(object.union(later, {"unknown": {"/workers_per_copy": "elsewhere", "/model": "elsewhere"}})) != set()
	_found(_gang({"workers_per_copy": null, "fit": {"accelerators_per_copy": null}})) == set()
}

test_a_pool_of_which_size_or_type_is_not_known_is_pointed_at if {
	size := _pool({"nodes": {"max": null}})
	_found(size) == _undetermined("aws_instance.gpu", ["/nodes/max"])
	type := _pool({"fit": {"fabric": null}})
	_found(type) == _undetermined("aws_instance.gpu", ["/fit/fabric"])
}
