package policies.rules.gpu.software_test

import data.policies.lib.testing_test as testing
import data.policies.rules.gpu.software

_catalog := {"accelerators": {"amd-mi300x": {"label": "AMD_Instinct_MI300X_OAM"}}}

_running(images, stack, changes) := testing.workload(object.union(
	{
		"images": images,
		"software_stack": stack,
		"accelerators": [object.union(testing.accelerator({"min": 1, "max": 1}), {"model": "amd-mi300x"})],
	},
	changes,
))

_found(resource) := found if {
	found := software.deny with input as testing.request([resource]) with data.catalog as _catalog
}

_undetermined(missing) := {{"code": "GPU-012", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_an_image_for_another_stack_is_reported if {
	_found(_running(["busybox:1", "vllm/vllm-openai:v0.11.0"], "rocm", {})) == {{
		"code": "GPU-012",
		"resource": "Deployment prod/llama-70b",
		"facts": {
			"label": "AMD_Instinct_MI300X_OAM",
			"stack": "rocm",
			"image": "vllm/vllm-openai:v0.11.0",
			"built_for": "cuda",
		},
	}}
}

test_an_image_for_the_stack_is_fine_whatever_else_runs_beside_it if {
	_found(_running(["rocm/vllm:latest"], "rocm", {})) == set()
	_found(_running(["nvcr.io/nvidia/tool:1", "rocm/vllm:latest"], "rocm", {})) == set()
	_found(_running(["nvcr.io/nvidia/tool:1"], "cuda,rocm", {})) == set()
	_found(_running(["nvcr.io/nvidia/tool:1", "busybox:1"], "cuda", {})) == set()
	count(_found(_running(["busybox:1", "rocm/vllm:latest"], "cuda", {}))) == 1
}

test_a_name_that_tells_nothing_is_left_alone if {
	_found(_running(["registry.example/server:1"], "rocm", {})) == set()
	_found(_running([], "rocm", {})) == set()
}

test_what_is_not_known_is_pointed_at if {
	_found(_running(["vllm/vllm-openai:v0.11.0"], null, {})) == _undetermined(["/software_stack"])
	_found(_running(["vllm/vllm-openai:v0.11.0"], null, {"accelerators": null})) == _undetermined(["/software_stack"])
	_found(_running([], "rocm", {"unknown": {"/images": "elsewhere"}})) == _undetermined(["/images"])
}

test_what_takes_nothing_is_left_alone if {
	image := ["vllm/vllm-openai:v0.11.0"]
	_found(_running(image, "rocm", {"accelerators": []})) == set()
	_found(_running(image, "rocm", {"change": "delete"})) == set()
	_found(_running([], "rocm", {"change": "delete", "unknown": {"/images": "elsewhere"}})) == set()
}
