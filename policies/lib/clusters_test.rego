package policies.lib.clusters_test

import data.policies.lib.clusters
import data.policies.lib.testing_test as testing

_lab := {"taints": {"nvidia": ["nvidia.com/gpu"]}}

_facts(changes, cluster) := found if {
	scope := {"cluster": cluster, "namespace": null}
	found := clusters.facts(testing.workload(changes), scope) with data.org as {"hygiene": {"clusters": {"lab": _lab}}}
}

test_the_cluster_is_that_of_the_request_or_the_resource if {
	_facts({}, "lab") == _lab
	_facts({"scope": {"cluster": "lab", "namespace": "other"}}, "prod") == _lab
	_facts({"scope": {"cluster": "prod", "namespace": "other"}}, "lab") == {}
}

test_a_cluster_without_facts_or_name_has_none if {
	_facts({}, "prod") == {}
	_facts({}, null) == {}
	_facts({"scope": {"cluster": null, "namespace": "other"}}, "lab") == {}
}

_tolerating(keys) := testing.workload({"placement": {"tolerations": keys}})

test_a_key_or_all_taints_are_tolerated if {
	clusters.tolerates(_tolerating(["other", "nvidia.com/gpu"]), "nvidia.com/gpu")
	clusters.tolerates(_tolerating(["*"]), "nvidia.com/gpu")
	clusters.tolerates(_tolerating(["*:NoSchedule"]), "nvidia.com/gpu")
}

test_other_keys_and_other_effects_do_not_help if {
	resource := _tolerating(["other", "*:NoExecute"])
	not clusters.tolerates(resource, "nvidia.com/gpu")
}

test_agents_are_in_the_namespaces_that_the_organisation_names if {
	org := {"hygiene": {"agent_namespaces": ["gpu-operator"]}}
	own := testing.workload({"scope": {"namespace": "gpu-operator"}})
	other := testing.workload({"scope": {"namespace": "trial"}})
	clusters.is_agent(own, {"namespace": "trial"}) with data.org as org
	clusters.is_agent(testing.workload({}), {"namespace": "gpu-operator"}) with data.org as org
	not clusters.is_agent(other, {"namespace": "gpu-operator"}) with data.org as org
	not clusters.is_agent(own, {"namespace": null}) with data.org as {}
}
