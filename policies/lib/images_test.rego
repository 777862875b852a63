package policies.lib.images_test

import data.policies.lib.images

test_a_word_of_the_name_says_what_an_image_is_built_for if {
	every image, stack in {
		"nvcr.io/nvidia/pytorch:25.06-py3": "cuda",
		"nvidia/cuda:12.6.3-runtime-ubuntu24.04": "cuda",
		"pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime": "cuda",
		"lmsysorg/sglang:v0.5.0-cu126": "cuda",
		"rocm/vllm:latest": "rocm",
		"vllm/vllm-openai-rocm:v0.17.0": "rocm",
		"lmsysorg/sglang:v0.4.5-rocm630": "rocm",
		"public.ecr.aws/neuron/pytorch-inference-vllm-neuronx:0.9.1-neuronx-py311": "neuron",
		"vault.habana.ai/gaudi-docker/1.23.0/ubuntu22.04/habanalabs/pytorch-installer-2.9.0:latest": "gaudi",
		"us-docker.pkg.dev/cloud-tpu-images/jax-ai-image/tpu:jax0.8.1-rev1": "xla",
		"vllm/vllm-tpu:nightly": "xla",
		"intel/intel-extension-for-pytorch:2.8.10-xpu": "oneapi",
	} {
		images.stack(image) == stack
	}
}

test_a_repository_says_it_where_no_word_does if {
	images.stack("vllm/vllm-openai:v0.11.0") == "cuda"
	images.stack("docker.io/vllm/vllm-openai@sha256:0123") == "cuda"
	images.stack("lmsysorg/sglang") == "cuda"
}

test_other_names_say_nothing if {
	every image in [
		"registry.example/output:1",
		"localhost:5000/server",
		"vllm-openai",
		"ubuntu",
		"",
		"vllm/vllm-openai-cpu:latest",
		"registry.example/cuda-to-rocm:3",
	] {
		images.stack(image) == ""
	}
}

test_a_digest_pins_an_image_and_a_tag_does_not if {
	images.is_pinned("vllm/vllm-openai@sha256:0123")
	images.is_pinned("vllm/vllm-openai:v0.11.0@sha512:0123")
	not images.is_pinned("vllm/vllm-openai:v0.11.0")
}

test_names_that_tell_no_other_stack_than_cuda_are_told_at_a_glance if {
	images.name_nothing_but_cuda(["vllm/vllm-openai:v0.11.0", "nvcr.io/nvidia/pytorch:24.05-py3"])
	images.name_nothing_but_cuda([])
	not images.name_nothing_but_cuda(["vllm/vllm-openai:v0.11.0", "rocm/vllm:latest"])
	not images.name_nothing_but_cuda(["ghcr.io/acme/serve:hpu"])
}
