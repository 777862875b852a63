# METADATA
# title: Memory of training
# description: Keeps training off accelerators that cannot hold it.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.training

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.training
import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# title: Training fits its accelerators
# description: |
#   Compares what one accelerator of a training job certainly holds (weights, gradients, states of the
#   optimizer, and activations where their shape is declared) with its memory.
#   What is not declared is taken in the way that needs least: without a ZeRO stage everything is
#   divided among all accelerators, without an optimizer there are weights only, and a fine-tuning run
#   trains adapters only, unless `adapter-params-m` is declared as 0, for all parameters.
#   `gpu.training_memory_percent` is the share of the memory that training may fill, all of it unless
#   the organisation states less.
# custom:
#   code: GPU-004
#   severity: high
#   message: "`{resource}` needs at least {needed_gib} GiB on each of {count} x {label} to train ({parts}); {usable_gib} GiB are usable"
#   remedy: Take at least {enough} x {label} with everything divided among them (ZeRO stage 3, FSDP), or train adapters only, or with an optimizer that keeps less.
#   undetermined: "it cannot be told whether the training of `{resource}` fits its accelerators; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - fit.accelerators_per_copy
#     - fit.hidden
#     - fit.layers
#     - fit.params_active_m
#     - fit.usable_mib
#     - fit.weight_bits
#     - model.activation_checkpointing
#     - model.adapter_params_m
#     - model.data_parallel
#     - model.expert_parallel
#     - model.id
#     - model.micro_batch
#     - model.optimizer
#     - model.params_m
#     - model.pipeline_parallel
#     - model.precision
#     - model.sequence
#     - model.tensor_parallel
#     - model.zero_stage
#     - purpose
#     - role
#   tables:
#     - catalog.accelerators
#     - catalog.models
#     - org.gpu
#   adapters:
#     - kubernetes
# related_resources:
#   - ref: https://github.com/stas00/ml-engineering/blob/master/training/performance/README.md
#   - ref: https://github.com/EleutherAI/cookbook/blob/main/calc/calc_transformer_mem.py
#   - ref: https://arxiv.org/abs/2205.05198
deny contains {"code": "GPU-004", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "job": job, "purpose_missing": []} in _trained
	_does_not_fit(job)

	facts := {
		"needed_gib": whole.ceiling(job.need_mib, 1024),
		"count": resource.fit.accelerators_per_copy,
		"label": accelerators.label(resource),
		"parts": concat(", ", [sprintf("%s %d GiB", [part.what, whole.ceiling(part.mib, 1024)]) | some part in job.parts]),
		"usable_gib": whole.quotient(job.usable_mib * _percent, 102400),
		"enough": whole.ceiling(job.all_mib * 100, max([job.usable_mib * _percent, 1])),
	}
}

deny contains {"code": "GPU-004", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "job": job, "purpose_missing": purpose} in _trained
	missing := _missing(resource, job, purpose)
	missing != []
}

_missing(resource, job, purpose) := purpose if {
	_does_not_fit(job)
} else := array.concat(purpose, job.missing) if {
	job.missing != []
} else := array.concat(purpose, ["/model/adapter_params_m"]) if {
	_might_train_all(resource)
	_does_not_fit(training.job(object.union(resource, {"model": {"adapter_params_m": 0}})))
} else := []

# Nobody has to say how much is trained, and it is only asked where it matters.
_might_train_all(resource) if {
	resource.model.adapter_params_m == null
	resource.purpose != "pretraining"
}

_does_not_fit(job) if {
	job.usable_mib != null
	job.need_mib * 100 > job.usable_mib * _percent
}

_percent := object.get(data.org, ["gpu", "training_memory_percent"], 100)

_trained := [{"resource": resource, "job": training.job(resource), "purpose_missing": training.purpose_missing(resource)} |
	some resource in input.resources
	resource.role == "workload"
	training.trains(resource)
	resource.accelerators != []
	_names_a_model(resource)
	changes.takes(resource)
]

_names_a_model(resource) if {
	[resource.model.id, resource.model.params_m] != [null, null]
} else if {
	some pointer in ["/model/id", "/model/params_m"]
	unknowns.holds(resource, pointer)
}
