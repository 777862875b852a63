# METADATA
# title: Dense documents
# description: |
#   A request and a resource with every leaf of the schema, for the tests of rules and helpers.
#   The name of this file keeps it out of bundles; a test compares it with the model.
package policies.lib.testing_test

# A workload of a Kubernetes cluster with changes merged into it.
workload(changes) := object.union(_dense, changes)

# Capacity of a Terraform plan with changes merged into it.
capacity(changes) := object.union(_dense, object.union(
	{"address": "aws_instance.gpu", "subject": "aws_instance.gpu", "kind": "aws_instance", "role": "capacity"},
	changes,
))

# A kind of accelerator of which a resource takes so many.
accelerator(total) := {
	"resource": "nvidia.com/gpu",
	"manufacturer": "nvidia",
	"model": "nvidia-l4",
	"slice": null,
	"sharing": "whole",
	"per_worker": total.max,
	"total": total,
}

request(resources) := object.union(_request, {"resources": resources})

totals(each) := context({"totals": each})

# A request without resources that meets this context.
context(changes) := object.union(_request, {"context": changes})

_request := {
	"schema_version": 1,
	"key": "0c1b1a2f",
	"enforcement_point": "kubernetes",
	"operation": "CREATE",
	"binding": "binding",
	"actor": {"name": null, "groups": [], "kind": "unknown"},
	"caller": "unauthenticated",
	"scope": {"cluster": null, "namespace": null, "account": null, "project": null, "workspace": null},
	"resources": [],
	"not_covered": [],
	"irrelevant": 0,
	"context": {"now": null, "totals": [], "usage": [], "by_vendor": [], "budgets": [], "waivers": [], "cluster": null},
}

_dense := {
	"address": "Deployment prod/llama-70b",
	"subject": "Deployment/prod/llama-70b",
	"scope": null,
	"part_of": null,
	"covered_by": null,
	"kind": "Deployment",
	"role": "workload",
	"change": "create",
	"replace_order": null,
	"before": null,
	"instance_type": null,
	"vendor": null,
	"operator": null,
	"region": null,
	"zone": null,
	"region_constraint": {"required": [], "preferred": [], "excluded": []},
	"replication": [],
	"geo_redundant": null,
	"nodes": {"min": null, "max": null},
	"copies": {"min": null, "max": null},
	"workers_per_copy": null,
	"accelerators": [],
	"price_kind": null,
	"images": [],
	"placement": {
		"fabric": null,
		"topology": null,
		"tolerations": [],
		"runtime_class": null,
		"shm_mib": null,
		"admin_access": [],
		"host_ipc": null,
		"host_network": null,
		"bypasses": [],
	},
	"purpose": null,
	"model": {
		"id": null,
		"params_m": null,
		"precision": null,
		"kv_precision": null,
		"context_tokens": null,
		"concurrency": null,
		"memory_percent": null,
		"tensor_parallel": null,
		"pipeline_parallel": null,
		"data_parallel": null,
		"expert_parallel": null,
		"zero_stage": null,
		"optimizer": null,
		"micro_batch": null,
		"sequence": null,
		"activation_checkpointing": null,
		"adapter_params_m": null,
		"training_tokens_m": null,
	},
	"data": [],
	"ownership": {
		"org": null,
		"team": null,
		"project": null,
		"cost_center": null,
		"owner": null,
		"environment": null,
	},
	"lifetime": {"minutes": null, "bounded": null, "idle_minutes": null},
	"throughput": {"requests_per_minute": null, "tokens_per_second": null, "utilisation_percent": null},
	"latency_critical": null,
	"labels": {},
	"country": null,
	"jurisdictions": [],
	"places": null,
	"operator_countries": [],
	"operator_jurisdictions": {},
	"contradictions": [],
	"software_stack": null,
	"fit": {
		"weight_bits": null,
		"kv_bits": null,
		"attention": null,
		"attention_heads": null,
		"kv_heads": null,
		"hidden": null,
		"params_active_m": null,
		"layers": null,
		"max_context_tokens": null,
		"kv_values_per_token": null,
		"kv_is_upper_bound": null,
		"window_tokens": null,
		"window_kv_values_per_token": null,
		"usable_mib": null,
		"usable_is_estimate": null,
		"accelerators_per_copy": null,
		"accelerators_per_node": null,
		"scale_up_domain": null,
		"fabric": null,
	},
	"cost": {
		"micros_per_hour": {"min": null, "max": null},
		"micros_total": null,
		"currency": null,
		"basis": "unknown",
		"inferred": false,
	},
	"unknown": {},
	"provenance": {},
}
