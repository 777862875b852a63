# METADATA
# title: Container images
# description: What the name of an image says, and nothing of what is in it.
package policies.lib.images

# METADATA
# description: |
#   The software stack that an image is built for, by the catalog's names (`cuda`, `rocm`, `xla`,
#   `neuron`, `gaudi`, `oneapi`), as far as its name says; empty where it says nothing or several.
#   A word of the name goes before the repository: `lmsysorg/sglang` is built for CUDA, and
#   `lmsysorg/sglang:v0.4.5-rocm630` is not.
# related_resources:
#   - ref: https://docs.vllm.ai/en/stable/deployment/docker/
#   - ref: https://rocm.docs.amd.com/projects/ai-ecosystem/en/latest/inference/vllm.html
#   - ref: https://gallery.ecr.aws/neuron
#   - ref: https://docs.habana.ai/en/latest/Installation_Guide/index.html
#   - ref: https://catalog.ngc.nvidia.com/containers
stack(image) := named[0] if {
	named := _named(image)
	count(named) == 1
} else := object.get(_repositories, _repository(image), "") if {
	_named(image) == []
} else := ""

# METADATA
# description: True if the image is named by its digest, which cannot come to mean another image.
is_pinned(image) if contains(image, "@sha")

_named(image) := [name | some name in names] if {
	words := _spaced(image)
	names := {found |
		some part, found in _parts
		contains(words, part)
	}
}

# The name without its digest, with spaces around words.
_spaced(image) := replace(replace(replace(replace(replace(name, "/", " "), ":", " "), "-", " "), "_", " "), ".", " ") if {
	name := concat("", [" ", split(image, "@")[0], " "])
}

# Owner and name, without registry and tag.
_repository(image) := concat("/", array.slice(steps, count(steps) - 2, count(steps))) if {
	name := split(image, "@")[0]
	path := array.concat([""], split(name, "/"))
	last := split(path[count(path) - 1], ":")[0]
	steps := array.concat(array.slice(path, 0, count(path) - 1), [last])
}

# Words, and what words begin with that a version follows: `cuda12`, `cu124`, `rocm630`, `neuronx`.
_parts := {
	" nvidia ": "cuda",
	" nvcr ": "cuda",
	" cuda": "cuda",
	" cu11": "cuda",
	" cu12": "cuda",
	" cu13": "cuda",
	" rocm": "rocm",
	" neuron": "neuron",
	" habana ": "gaudi",
	" gaudi ": "gaudi",
	" hpu ": "gaudi",
	" tpu ": "xla",
	" xpu ": "oneapi",
	" oneapi ": "oneapi",
}

_repositories := {
	"vllm/vllm-openai": "cuda",
	"lmsysorg/sglang": "cuda",
}
