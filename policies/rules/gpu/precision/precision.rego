# METADATA
# title: Precision
# description: Keeps models on accelerators that can compute in the precision they state.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.gpu.precision

import data.policies.lib.changes
import data.policies.lib.hardware
import data.policies.lib.unknowns

# METADATA
# title: Accelerators compute in the model's precision
# description: |
#   Compares the precision that a model states (`--dtype`, `--quantization`, a declaration) with the
#   number formats that the catalog says the accelerators compute in.
#   It is a warning because software may do without: vLLM refuses bfloat16 on a card before Ampere,
#   PyTorch emulates it slowly, and vLLM unpacks fp8 weights on Ampere into a wider format, which saves
#   memory and no time. Formats that are always unpacked (AWQ, GPTQ, NF4, w8a16, MXFP4) need no
#   arithmetic of their own, and fp32 runs everywhere.
# related_resources:
#   - ref: https://docs.vllm.ai/en/stable/features/quantization/fp8/
# custom:
#   code: GPU-011
#   severity: medium
#   mode: warn
#   message: "`{resource}` states the precision {precision}, and {lacking} does not compute in {needed}; {instead} would do"
#   remedy: Use {instead} on this accelerator, or one that computes in {needed}.
#   undetermined: "it cannot be told whether the accelerators of `{resource}` compute in its model's precision; not known: {missing}"
#   fields:
#     - accelerators
#     - accelerators.model
#     - change
#     - model.precision
#   tables:
#     - catalog.accelerators
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "GPU-011", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "needed": needed, "rows": rows} in _judged
	lacking := [row | some row in rows; _lacks(row, needed)]
	lacking != []

	facts := {
		"precision": resource.model.precision,
		"needed": needed,
		"lacking": concat(", ", [row.label | some row in lacking]),
		"instead": _instead(needed, lacking),
	}
}

deny contains {"code": "GPU-011", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "needed": needed, "rows": rows} in _judged
	[row | some row in rows; _lacks(row, needed)] == []

	missing := [row.pointer | some row in rows; row.value == null]
	missing != []
}

deny contains {"code": "GPU-011", "resource": resource.address, "undetermined": ["/model/precision"]} if {
	some resource in input.resources
	[resource.model.precision, resource.unknown] != [null, {}]
	resource.accelerators != []
	_cannot_be_read(resource)
	changes.takes(resource)
}

_judged := [{"resource": resource, "needed": needed, "rows": rows} |
	some resource in input.resources
	resource.model.precision != null
	resource.accelerators != []
	changes.takes(resource)
	needed := object.get(_formats, resource.model.precision, "")
	needed != ""
	rows := hardware.column(resource, "precisions")
]

_cannot_be_read(resource) if {
	resource.model.precision != null
	object.get(_formats, resource.model.precision, null) == null
} else if {
	resource.model.precision == null
	unknowns.holds(resource, "/model/precision")
}

_lacks(row, needed) if {
	row.value != null
	others := [format | some format in row.value; format != needed]
	count(others) == count(row.value)
}

# The widest choice that all of them have, in the order in which people would try them.
_instead(needed, lacking) := concat(" or ", array.slice(offered, 0, 1)) if {
	offered := [format |
		some format in array.concat(["fp8" | needed == "fp4"], ["bf16", "fp16", "fp32"])
		[row | some row in lacking; _lacks(row, format)] == []
	]
	offered != []
} else := "another accelerator"

# The number format that a precision needs arithmetic for, by the names that servers and trainers give
# it; empty where weights are unpacked into whatever the accelerator has.
_formats := {
	"auto": "",
	"fp32": "",
	"FP32": "",
	"float": "",
	"float32": "",
	"tf32": "",
	"fp16": "fp16",
	"FP16": "fp16",
	"float16": "fp16",
	"half": "fp16",
	"fp16-mixed": "fp16",
	"bf16": "bf16",
	"BF16": "bf16",
	"bfloat16": "bf16",
	"bf16-mixed": "bf16",
	"fp8": "fp8",
	"FP8": "fp8",
	"fp8_e4m3": "fp8",
	"fp8_e5m2": "fp8",
	"fp8_inc": "fp8",
	"fbgemm_fp8": "fp8",
	"float8": "fp8",
	"mxfp8": "fp8",
	"int8": "int8",
	"INT8": "int8",
	"w8a8": "int8",
	"w8a8_int8": "int8",
	"w8a8_fp8": "fp8",
	"fp4": "fp4",
	"FP4": "fp4",
	"nvfp4": "fp4",
	"modelopt_fp4": "fp4",
	"8bit": "",
	"4bit": "",
	"w16a16": "",
	"w8a16": "",
	"w4a16": "",
	"w4a8": "",
	"int4": "",
	"INT4": "",
	"nf4": "",
	"mxfp4": "",
	"awq": "",
	"awq_marlin": "",
	"gptq": "",
	"gptq_marlin": "",
	"marlin": "",
	"bitsandbytes": "",
	"gguf": "",
	"compressed-tensors": "",
	"modelopt": "",
	"torchao": "",
	"experts_int8": "",
}
