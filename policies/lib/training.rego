# METADATA
# title: Memory of training
# description: |
#   What training a model certainly needs on each accelerator, in MiB.
#   Every figure is a lower bound: what is not declared is taken in the way that needs least.
package policies.lib.training

import data.policies.lib.unknowns
import data.policies.lib.whole

# METADATA
# description: |
#   True if a resource trains a model, as far as it says: by its purpose or, where it states none, by
#   an optimizer. A purpose that is not known yet may be training.
trains(resource) if {
	resource.purpose in {"pretraining", "finetuning"}
} else if {
	resource.purpose == null
	resource.model.optimizer != null
} else if {
	resource.purpose == null
	unknowns.holds(resource, "/purpose")
}

# METADATA
# description: The pointer at a purpose that is not known yet, as a list; empty where the resource is known to train.
purpose_missing(resource) := ["/purpose"] if {
	[resource.purpose, resource.model.optimizer] == [null, null]
} else := []

# METADATA
# description: |
#   One accelerator of a training job; total for every dense document.
#   `parts` are what it certainly holds, each with its words and its MiB, and `need_mib` their sum.
#   `all_mib` are weights, gradients and optimizer states of the whole job, divided among nobody.
#   `usable_mib` is the memory of the accelerator, null where it is not known. `missing` points at
#   what is not known and would be needed, or may raise the need.
#
#   Bytes per trained parameter (stas00/ml-engineering training/performance; EleutherAI/cookbook
#   calc/calc_transformer_mem.py): weights and gradients 2, or 4 in fp32; in mixed precision 4 more
#   for the weights that the optimizer updates; states of the optimizer as wide as what it updates,
#   two of them for AdamW. So AdamW takes 8 in plain bf16 and 16 in mixed precision and in fp32; 18
#   in mixed precision whose gradients have 4 bytes. Without an optimizer only weights are counted.
#   With adapters the other weights are frozen, as wide as the precision says and at 4 bits where it
#   says nothing; adapters are trained in fp32, as PEFT does unless told otherwise.
#   Where a fine-tuning run does not say how many parameters it trains, only weights are counted.
#
#   Weights, gradients and states are divided by tensor and pipeline parallelism, those that the ZeRO
#   stage divides by all accelerators of the job, and all of them where no stage is declared. What is
#   declared of neither degree may be all that data parallelism leaves. Experts are divided further
#   by expert parallelism.
#   Activations count where batch, sequence and the model's shape are known: the input of each layer,
#   or 28 bytes per value where it is declared that nothing is computed again.
#
#   What a tenant can state is cut far above anything that exists, so that products stay below 2^53.
job(resource) := {
	"parts": parts,
	"need_mib": sum([part.mib | some part in parts]),
	"all_mib": sum([whole.quotient(state.bytes, 1048576) | some state in states]),
	"usable_mib": resource.fit.usable_mib,
	"missing": array.concat(_needed(resource), _hidden(resource)),
} if {
	states := _states(resource)
	shards := _shards(resource)
	held := [{"what": state.what, "mib": whole.quotient(state.bytes, 1048576 * divided)} |
		some state in states
		shards != null
		divided := _divided(resource, shards, state.from_stage)
	]
	parts := array.concat([part | some part in held; part.mib > 0], _activations(resource, shards))
}

# In bytes over the whole model, and the ZeRO stage from which on each is divided among all.
_states(resource) := [] if {
	resource.model.params_m == null
} else := [
	{"what": "weights", "from_stage": 3, "bytes": part.frozen + (part.trained * wide.weight)},
	{"what": "gradients", "from_stage": 2, "bytes": part.trained * wide.gradient},
	{"what": "optimizer states", "from_stage": 1, "bytes": part.trained * wide.states},
] if {
	wide := _bytes(resource)
	part := _trained(resource, min([resource.model.params_m, 100000000]) * 1000000)
}

# Frozen weights in bytes, and the number of trained parameters.
_trained(resource, params) := {"frozen": 0, "trained": params} if {
	_trains_all(resource)
} else := {
	"frozen": whole.quotient(params * _frozen_bits(resource), 8),
	"trained": _adapters(resource.model) * 1000000,
}

_adapters(model) := 0 if {
	model.adapter_params_m == null
} else := min([model.adapter_params_m, 100000000])

_trains_all(resource) if resource.model.adapter_params_m == 0

_trains_all(resource) if {
	resource.model.adapter_params_m == null
	resource.purpose == "pretraining"
}

_frozen_bits(resource) := resource.fit.weight_bits if {
	resource.model.precision != null
	resource.fit.weight_bits != null
} else := 4

_bytes(resource) := {
	"weight": kind.weight,
	"gradient": _gradient(optimizer, kind),
	"states": _kept(optimizer, kind),
} if {
	kind := _kind(resource)
	optimizer := _optimizer(resource.model)
}

# `weight` and `gradient` of one trained parameter, `master` beside them, `slot` of one state of the
# optimizer.
_kind(resource) := {"weight": 4, "gradient": 4, "master": 0, "slot": 4} if {
	resource.model.precision in {"fp32", "float32", "float", "tf32", "32-true", "32"}
} else := {"weight": 4, "gradient": 4, "master": 0, "slot": 4} if {
	_has_adapters(resource)
	resource.model.optimizer != null
} else := {"weight": 2, "gradient": gradient, "master": 4, "slot": 4} if {
	resource.model.precision in {"bf16-mixed", "fp16-mixed", "16-mixed", "mixed", "mixed-bf16", "mixed-fp16", "amp"}
	gradient := object.get(data.org, ["gpu", "mixed_gradient_bytes"], 2)
} else := {"weight": 2, "gradient": 2, "master": 0, "slot": 2}

_has_adapters(resource) if {
	resource.model.adapter_params_m != null
	resource.model.adapter_params_m > 0
}

_gradient(optimizer, kind) := 0 if optimizer.uses_gradients_up

else := kind.gradient

_kept(optimizer, kind) := 0 if {
	optimizer.keeps_elsewhere
} else := kind.master + (optimizer.states * optimizer.width) if {
	optimizer.width != null
} else := kind.master + (optimizer.states * kind.slot)

# One that nobody names may keep its states elsewhere and use gradients up as they appear. How many
# states an optimizer keeps of each parameter; `width` in bytes where it is not that of what it
# updates. Factored and low-rank states are far smaller than the weights, and paged ones may be in the
# memory of the host.
_optimizer(model) := {"states": 0, "width": null, "keeps_elsewhere": true, "uses_gradients_up": true} if {
	model.optimizer == null
} else := {"states": 2, "width": null, "keeps_elsewhere": false, "uses_gradients_up": false} if {
	model.optimizer in _two_states
} else := {"states": 2, "width": 1, "keeps_elsewhere": false, "uses_gradients_up": false} if {
	model.optimizer in _two_states_of_a_byte
} else := {"states": 1, "width": null, "keeps_elsewhere": false, "uses_gradients_up": false} if {
	model.optimizer in _one_state
} else := {"states": 1, "width": 1, "keeps_elsewhere": false, "uses_gradients_up": false} if {
	model.optimizer in _one_state_of_a_byte
} else := {"states": 0, "width": null, "keeps_elsewhere": true, "uses_gradients_up": false} if {
	model.optimizer in _states_elsewhere
} else := {"states": 0, "width": null, "keeps_elsewhere": false, "uses_gradients_up": true} if {
	model.optimizer in _no_gradients
} else := {"states": 0, "width": null, "keeps_elsewhere": false, "uses_gradients_up": false}

# Names are those of PyTorch, DeepSpeed, bitsandbytes and of the argument `optim` in Transformers.
_two_states := {
	"adam",
	"adamw",
	"adamw_apex_fused",
	"adamw_hf",
	"adamw_torch",
	"adamw_torch_fused",
	"adamw_torch_xla",
	"fused_adam",
	"fusedadam",
	"lamb",
	"nadam",
	"radam",
}

_two_states_of_a_byte := {"adam8bit", "adam_8bit", "adamw8bit", "adamw_8bit", "adamw_bnb_8bit"}

_one_state := {"adagrad", "lion", "lion_32bit", "momentum", "muon", "rmsprop", "sgd_momentum"}

_one_state_of_a_byte := {"lion8bit", "lion_8bit"}

_no_states := {
	"adafactor",
	"galore_adamw",
	"paged_adamw",
	"paged_adamw_32bit",
	"paged_adamw_8bit",
	"paged_lion",
	"paged_lion_32bit",
	"paged_lion_8bit",
	"sgd",
}

_states_elsewhere := {"cpu_adam", "deepspeedcpuadam"}

_no_gradients := {"adalomo", "lomo"}

# Among how many accelerators the parts of a replica, its experts, and everything are divided at most.
_shards(resource) := null if {
	resource.fit.accelerators_per_copy == null
} else := {"replica": replica, "model": split, "all": max([all, split, 1])} if {
	all := min([resource.fit.accelerators_per_copy, 1000000])
	replica := _replica(resource.model.data_parallel, all)
	split := _split(resource, replica, all)
}

_replica(degree, all) := all if {
	degree == null
} else := whole.ceiling(max([all, 1]), max([degree, 1]))

_split(resource, replica, all) := max([all, replica]) if {
	resource.model.expert_parallel == null
	_has_experts(resource.fit, resource.model)
} else := min([pieces * _experts(resource), max([all, pieces])]) if {
	pieces := _pieces(resource.model, replica)
}

_pieces(model, replica) := max([min([model.tensor_parallel, 1000]) * min([model.pipeline_parallel, 1000]), 1]) if {
	[model.tensor_parallel != null, model.pipeline_parallel != null] == [true, true]
} else := replica

_experts(resource) := max([min([resource.model.expert_parallel, 1000]), 1]) if {
	resource.model.expert_parallel != null
	_is_dense(resource.fit, resource.model) == false
} else := 1

_has_experts(fit, model) if {
	[fit.params_active_m != null, model.params_m != null] == [true, true]
	fit.params_active_m < model.params_m
}

_is_dense(fit, model) := [fit.params_active_m != null, fit.params_active_m == model.params_m] == [true, true]

_divided(resource, shards, _) := shards.all if resource.model.zero_stage == null

_divided(resource, shards, from_stage) := shards.all if {
	resource.model.zero_stage != null
	resource.model.zero_stage >= from_stage
}

_divided(resource, shards, from_stage) := shards.model if {
	resource.model.zero_stage != null
	resource.model.zero_stage < from_stage
}

# Of one replica's pass over a micro-batch; with pipeline parallelism a stage holds at least one.
# Without checkpointing a layer keeps 34 bytes of each value (Korthikanti et al., Reducing Activation
# Recomputation, without the quadratic part that fused attention saves), less 6 for dropout masks and
# for keys and values, which newer models do without or share.
_activations(resource, shards) := [{"what": "activations", "mib": mib} |
	shards != null
	model := resource.model
	fit := resource.fit
	shape := [model.micro_batch, model.sequence, fit.layers, fit.hidden]
	[value | some value in shape; value == null] == []
	tokens := min([min([model.micro_batch, 10000000]) * min([model.sequence, 10000000]), 10000000])
	bytes := ((tokens * fit.layers) * fit.hidden) * _bytes_per_value(model)
	mib := whole.quotient(bytes, 1048576 * shards.replica)
	mib > 0
]

_bytes_per_value(model) := 28 if model.activation_checkpointing == false

else := 2

_needed(resource) := array.concat(_null(resource), [pointer |
	some {"at": pointer, "missing": true} in [
		{"at": "/fit/weight_bits", "missing": _lacks_frozen_bits(resource)},
		{"at": "/model/optimizer", "missing": _is_not_listed(resource.model)},
	]
])

_lacks_frozen_bits(resource) := false if {
	_trains_all(resource)
} else := [resource.model.precision != null, resource.fit.weight_bits] == [true, null]

_is_not_listed(model) := false if {
	model.optimizer == null
} else := false if {
	some names in [
		_two_states,
		_two_states_of_a_byte,
		_one_state,
		_one_state_of_a_byte,
		_no_states,
		_states_elsewhere,
		_no_gradients,
	]
	model.optimizer in names
} else := true

_null(resource) := [pointer |
	some {"at": pointer, "value": null} in [
		{"at": "/model/params_m", "value": resource.model.params_m},
		{"at": "/fit/accelerators_per_copy", "value": resource.fit.accelerators_per_copy},
		{"at": "/fit/usable_mib", "value": resource.fit.usable_mib},
	]
]

# What nobody declares only lowers the need; what is declared and cannot be seen yet may raise it.
_hidden(resource) := [] if {
	resource.unknown == {}
} else := [pointer |
	some {"at": pointer, "value": null} in [
		{"at": "/model/adapter_params_m", "value": resource.model.adapter_params_m},
		{"at": "/model/optimizer", "value": resource.model.optimizer},
		{"at": "/model/precision", "value": resource.model.precision},
		{"at": "/model/zero_stage", "value": resource.model.zero_stage},
		{"at": "/model/data_parallel", "value": resource.model.data_parallel},
		{"at": "/model/tensor_parallel", "value": resource.model.tensor_parallel},
		{"at": "/model/pipeline_parallel", "value": resource.model.pipeline_parallel},
		{"at": "/model/expert_parallel", "value": resource.model.expert_parallel},
		{"at": "/model/micro_batch", "value": resource.model.micro_batch},
		{"at": "/model/sequence", "value": resource.model.sequence},
		{"at": "/model/activation_checkpointing", "value": resource.model.activation_checkpointing},
	]
	unknowns.holds(resource, pointer)
]
