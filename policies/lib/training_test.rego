package policies.lib.training_test

import data.policies.lib.testing_test as testing
import data.policies.lib.training

# Llama 2 7B, 6,740 million parameters, with AdamW in mixed precision on eight accelerators of 80 GB.
_run(changes) := testing.workload(object.union(
	{
		"purpose": "pretraining",
		"model": {"params_m": 6740, "optimizer": "adamw", "precision": "bf16-mixed"},
		"fit": {
			"accelerators_per_copy": 8,
			"usable_mib": 81559,
			"weight_bits": 16,
			"layers": 32,
			"hidden": 4096,
			"params_active_m": 6740,
		},
	},
	changes,
))

_model(changes) := _run({"model": changes})

_job(resource) := job if {
	job := training.job(resource) with data.org as {}
}

_all(resource) := _job(resource).all_mib

_parts(resource) := {part.what: part.mib | some part in _job(resource).parts}

test_a_purpose_or_an_optimizer_says_that_a_resource_trains if {
	training.trains(_run({}))
	training.trains(_run({"purpose": "finetuning"}))
	training.trains(_run({"purpose": null}))
	training.purpose_missing(_run({"purpose": null})) == []
	not training.trains(_run({"purpose": "inference"}))
	not training.trains(testing.workload({}))
	hidden := testing.workload({"unknown": {"/purpose": "after_apply"}})
	training.trains(hidden)
	training.purpose_missing(hidden) == ["/purpose"]
}

# 6.74e9 x 2, x 2 and x (4 + 8) bytes; 2^20 bytes are a MiB.
test_mixed_precision_takes_16_bytes_per_parameter if {
	_all(_run({})) == (12855 + 12855) + 77133
	_parts(_model({"zero_stage": 0, "tensor_parallel": 1, "pipeline_parallel": 1})) == {
		"weights": 12855,
		"gradients": 12855,
		"optimizer states": 77133,
	}
}

test_gradients_of_mixed_precision_may_be_counted_at_4_bytes if {
	job := training.job(_run({})) with data.org as {"gpu": {"mixed_gradient_bytes": 4}}
	job.all_mib == (12855 + 25711) + 77133
}

test_plain_precisions_take_8_and_16_bytes if {
	_all(_model({"precision": "bf16"})) == (12855 + 12855) + 25711
	_all(_model({"precision": null})) == (12855 + 12855) + 25711
	_all(_model({"precision": "fp32"})) == (25711 + 25711) + 51422
}

_with(optimizer) := _all(_model({"precision": "bf16", "optimizer": optimizer}))

test_optimizers_keep_different_states if {
	_with("lion") == (12855 + 12855) + 12855
	_with("adamw_8bit") == (12855 + 12855) + 12855
	_with("lion_8bit") == (12855 + 12855) + 6427
	_with("sgd") == 12855 + 12855
	_with("lomo") == 12855
	_with(null) == 12855
}

test_states_in_the_memory_of_the_host_are_not_counted if {
	_all(_model({"optimizer": "deepspeedcpuadam"})) == 12855 + 12855
	_all(_model({"optimizer": "paged_adamw_8bit"})) == (12855 + 12855) + 25711
}

test_an_optimizer_that_nobody_lists_is_pointed_at if {
	_job(_model({"optimizer": "novel"})).missing == ["/model/optimizer"]
	_all(_model({"optimizer": "novel"})) == _all(_model({"optimizer": "sgd"}))
}

# 6.74e9 x 2 and x 1/2 bytes frozen; 160e6 x 4, x 4 and x 8 bytes trained: 610, 610 and 1220 MiB.
test_with_adapters_all_else_is_frozen if {
	lora := {"adapter_params_m": 160, "precision": "bf16"}
	_all(_model(lora)) == (13465 + 610) + 1220
	_all(_model(object.union(lora, {"optimizer": null}))) == 13160
}

test_frozen_weights_are_as_wide_as_the_precision_says if {
	quantised := {"model": {"adapter_params_m": 160, "precision": "nf4"}, "fit": {"weight_bits": 4}}
	_all(_run(quantised)) == (3824 + 610) + 1220
	unsaid := {"model": {"adapter_params_m": 160, "precision": null}}
	_all(_run(unsaid)) == (3824 + 610) + 1220
	odd := {"model": {"adapter_params_m": 160, "precision": "odd"}, "fit": {"weight_bits": null}}
	_all(_run(odd)) == _all(_run(unsaid))
	_job(_run(odd)).missing == ["/fit/weight_bits"]
}

test_a_fine_tuning_run_that_does_not_say_what_it_trains_certainly_holds_the_weights if {
	_all(_run({"purpose": "finetuning"})) == 12855
	_all(_run({"purpose": "finetuning", "model": {"adapter_params_m": 0}})) == (12855 + 12855) + 77133
}

test_what_a_zero_stage_divides_is_divided_among_all if {
	_stage(0) == {"weights": 12855, "gradients": 12855, "optimizer states": 77133}
	_stage(1) == {"weights": 12855, "gradients": 12855, "optimizer states": 9641}
	_stage(2) == {"weights": 12855, "gradients": 1606, "optimizer states": 9641}
	_stage(3) == {"weights": 1606, "gradients": 1606, "optimizer states": 9641}
	_stage(null) == _stage(3)
}

_stage(number) := _parts(_model({"zero_stage": number, "data_parallel": 8}))

test_model_parallelism_divides_everything if {
	four := {"zero_stage": 0, "tensor_parallel": 2, "pipeline_parallel": 2}
	_parts(_model(four)).weights == 3213
	_parts(_model({"zero_stage": 0, "data_parallel": 2})).weights == 3213
}

test_degrees_that_are_not_declared_may_be_all_there_is if {
	_parts(_model({"zero_stage": 0})).weights == 1606
	_parts(_model({"zero_stage": 0, "tensor_parallel": 1})).weights == 1606
}

# Of 100,000 million parameters 10,000 million are active.
test_experts_may_be_divided_further if {
	_moe(1) == 190734
	_moe(4) == 47683
	_moe(null) == 23841
}

_moe(degree) := _parts(_run({
	"model": {
		"params_m": 100000,
		"zero_stage": 0,
		"tensor_parallel": 1,
		"pipeline_parallel": 1,
		"expert_parallel": degree,
	},
	"fit": {"params_active_m": 10000},
})).weights

test_a_dense_model_has_no_experts_to_divide if {
	_parts(_model({
		"zero_stage": 0,
		"tensor_parallel": 1,
		"pipeline_parallel": 1,
		"expert_parallel": 8,
	})).weights == 12855
}

# 4 samples of 4,096 tokens through 32 layers of 4,096 values: 4,096 MiB at 2 bytes, 57,344 at 28.
test_activations_count_where_they_are_declared if {
	batch := {"data_parallel": 8, "micro_batch": 4, "sequence": 4096}
	_parts(_model(batch)).activations == 4096
	_parts(_model(object.union(batch, {"activation_checkpointing": true}))).activations == 4096
	_parts(_model(object.union(batch, {"activation_checkpointing": false}))).activations == 57344
	_parts(_model(object.union(batch, {"data_parallel": 2}))).activations == 1024
	_parts(_model(object.union(batch, {"data_parallel": null}))).activations == 512
	every gone in ["micro_batch", "sequence"] {
		object.get(_parts(_model(object.union(batch, {gone: null}))), "activations", 0) == 0
	}
	every gone in ["layers", "hidden"] {
		object.get(_parts(_run({"model": batch, "fit": {gone: null}})), "activations", 0) == 0
	}
}

test_what_is_needed_and_not_known_is_pointed_at if {
	_job(_run({})).missing == []
	job := _job(testing.workload({}))
	job == {
		"parts": [],
		"need_mib": 0,
		"all_mib": 0,
		"usable_mib": null,
		"missing": ["/model/params_m", "/fit/accelerators_per_copy", "/fit/usable_mib"],
	}
	_job(_run({"fit": {"accelerators_per_copy": null}})).need_mib == 0
}

test_what_nobody_declares_is_not_missing_and_what_is_still_to_come_is if {
	_job(_model({"zero_stage": null})).missing == []
	later := object.union(_model({"zero_stage": null}), {"unknown": {"/model/zero_stage": "elsewhere"}})
	_job(later).missing == ["/model/zero_stage"]
}

test_absurd_figures_of_a_tenant_stay_exact if {
	largest := 9007199254740991
	job := _job(_run({
		"model": {
			"params_m": largest,
			"precision": "bf16-mixed",
			"adapter_params_m": 0,
			"zero_stage": 0,
			"data_parallel": largest,
			"tensor_parallel": largest,
			"pipeline_parallel": largest,
			"expert_parallel": largest,
			"micro_batch": largest,
			"sequence": largest,
		},
		"fit": {"accelerators_per_copy": largest, "layers": 126, "hidden": 16384, "params_active_m": null},
	}))
	job.all_mib == (190734863 + 190734863) + 1144409179
	[part.mib | some part in job.parts] == [190, 190, 1144, 39375000]
}
