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
stack(image) := concat("", told) if {
	named := _named(image)
	known := {"vllm/vllm-openai": "cuda", "lmsysorg/sglang": "cuda"}
	by_repository := {found | named == set(); found := object.get(known, _repository(image), "")}
	found := named | by_repository
	told := [name | count(found) == 1; some name in found]
}

# METADATA
# description: True if surely none of the images is built for anything but CUDA, as far as their names say.
name_nothing_but_cuda(images) if {
	names := concat(" ", images)
	others := [part |
		some part in ["rocm", "neuron", "habana", "gaudi", "hpu", "tpu", "xpu", "oneapi"]
		contains(names, part)
	]
	others == []
}

# METADATA
# description: True if the image is named by its digest, which cannot come to mean another image.
is_pinned(image) if contains(image, "@sha")

# Whole words, and what words begin with that a version follows: `cuda12`, `cu124`, `rocm630`, `neuronx`.
_named(image) := ((by_words | cuda) | rocm) | neuron if {
	text := _spaced(image)
	words := {word | some word in split(text, " ")}
	by_words := {found |
		some word in (words & {"nvidia", "nvcr", "habana", "gaudi", "hpu", "tpu", "xpu", "oneapi"})
		found := object.get(_families, word, "cuda")
	}
	cuda := {"cuda" |
		contains(text, " cu")
		some part in [" cuda", " cu11", " cu12", " cu13"]
		contains(text, part)
	}
	rocm := {"rocm" | contains(text, " rocm")}
	neuron := {"neuron" | contains(text, " neuron")}
}

# The name without its digest, with spaces around words.
_spaced(image) := replace(replace(replace(replace(replace(name, "/", " "), ":", " "), "-", " "), "_", " "), ".", " ") if {
	name := concat("", [" ", split(image, "@")[0], " "])
}

# Owner and name, without registry and tag.
_repository(image) := concat("/", [steps[count(steps) - 2], last]) if {
	steps := split(concat("/", ["", split(image, "@")[0]]), "/")
	last := split(steps[count(steps) - 1], ":")[0]
}

_families := {
	"habana": "gaudi",
	"gaudi": "gaudi",
	"hpu": "gaudi",
	"tpu": "xla",
	"xpu": "oneapi",
	"oneapi": "oneapi",
}
