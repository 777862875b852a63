"""Sizing of served models, by hand and by property.

Golden cases go the whole way: a manifest, the shipped bundle with its catalog, the engine that is
built in. Beside each stands its arithmetic, done by hand from the model's shape and the figures of
the accelerator. 1 MiB is 2^20 bytes; sizes are rounded down to whole MiB, GiB of a need up, GiB
of memory down. A server takes 92 % of the memory that the driver reports.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import NOW, Finding, bundle_of, document_of, engine_with, findings_of

from adapters.kubernetes.normalise import normalise_manifests
from service.model.base import Scope
from service.model.request import Request
from service.resolve.resolver import Resolver

LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
LLAMA_13B = "meta-llama/Llama-2-13b-chat-hf"
QWEN_14B = "Qwen/Qwen2.5-14B-Instruct"
LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
LLAMA_405B = "meta-llama/Llama-3.1-405B-Instruct"
LLAMA_405B_FP8 = "meta-llama/Llama-3.1-405B-Instruct-FP8"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"
DEEPSEEK = "deepseek-ai/DeepSeek-V3"
GPT_OSS = "openai/gpt-oss-120b"
GEMMA = "google/gemma-3-27b-it"
QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"


@dataclass(frozen=True)
class Hardware:
    """How a pod asks for accelerators of one kind."""

    resource: str
    label: str
    value: str


L4 = Hardware("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-L4")
A10G = Hardware("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-A10G")
A100 = Hardware("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-A100-SXM4-80GB")
H100 = Hardware("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3")
H200 = Hardware("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H200")
H100_SLICE = Hardware(
    "nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"
)
MI300X = Hardware("amd.com/gpu", "amd.com/gpu.product-name", "AMD_Instinct_MI300X_OAM")
INFERENTIA2 = Hardware("aws.amazon.com/neuron", "node.kubernetes.io/instance-type", "inf2.xlarge")
TRAINIUM2 = Hardware("aws.amazon.com/neuron", "node.kubernetes.io/instance-type", "trn2.48xlarge")
TPU_V5E = Hardware("google.com/tpu", "cloud.google.com/gke-tpu-accelerator", "tpu-v5-lite-podslice")


@dataclass(frozen=True)
class Served:
    """A Deployment that serves a model with vLLM.

    Attributes:
        model: Its id.
        hardware: What a copy runs on.
        count: How many of them one copy takes.
        arguments: Further arguments of the server.
        declared: What annotations declare, by name below the project's prefix.
        copies: Replicas of the Deployment.
    """

    model: str
    hardware: Hardware
    count: int
    arguments: tuple[str, ...] = ()
    declared: dict[str, str] = field(default_factory=dict)
    copies: int = 1

    def resolved(self) -> Request:
        """What rules see of it with the shipped bundle."""
        request = normalise_manifests(
            [self._manifest()], scope=Scope(cluster="c"), caller="test", key="golden"
        )
        return Resolver(bundle_of("default")).resolve(request, now=NOW)

    def findings(self) -> dict[str, Finding]:
        """What the rules about sizes of served models find, by code."""
        return _sizing(document_of(self.resolved()))

    def _manifest(self) -> dict[str, Any]:
        pod = {
            "nodeSelector": {self.hardware.label: self.hardware.value},
            "containers": [
                {
                    "name": "vllm",
                    "image": "vllm/vllm-openai:v0.11.0",
                    "args": ["--model", self.model, *self.arguments],
                    "resources": {"limits": {self.hardware.resource: self.count}},
                }
            ],
        }
        annotations = {f"portreeve.dev/{name}": text for name, text in self.declared.items()}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "served", "namespace": "prod", "annotations": annotations},
            "spec": {
                "replicas": self.copies,
                "selector": {"matchLabels": {"app": "served"}},
                "template": {"metadata": {"labels": {"app": "served"}}, "spec": pod},
            },
        }


def _sizing(document: dict[str, Any]) -> dict[str, Finding]:
    """Findings about sizes of served models, by code."""
    topics = ("memory", "concurrency", "oversized", "throughput")
    return {
        finding["code"]: finding
        for topic in topics
        for finding in findings_of(
            engine_with("default"), document, f"policies.rules.gpu.{topic}.deny"
        )
    }


SHORT = ("--max-model-len", "8192")

FITS = {
    # 8,030 M x 2 bytes = 15,316 MiB; 32 layers x 8 heads x 128 x 2 (keys, values) = 65,536 values
    # of 2 bytes are 128 KiB per token: 1,024 MiB. 16,340 of 23,034 x 92 % = 21,191.
    "8B on one L4": Served(LLAMA_8B, L4, 1, SHORT),
    # 13,000 M x 2 bytes = 24,795 MiB; multi-head attention, 40 x 40 x 128 x 2 x 2 bytes = 800 KiB
    # per token: 3,200 MiB for 4,096. 27,995 of 32,768 x 92 % = 30,146.
    "13B on one Inferentia2": Served(LLAMA_13B, INFERENTIA2, 1),
    # 14,800 M x 2 bytes = 28,228 MiB; 48 x 8 x 128 x 2 x 2 bytes = 192 KiB per token: 6,144 MiB
    # for 32,768. 34,372 of 81,920 x 92 % = 75,366.
    "14B on one A100": Served(QWEN_14B, A100, 1),
    # 70,600 M x 2 bytes = 134,658 MiB; 80 x 8 x 128 x 2 x 2 bytes = 320 KiB per token: 2,560 MiB.
    # 137,218 of 2 x 81,559 x 92 % = 150,068.
    "70B on two H100": Served(LLAMA_70B, H100, 2, SHORT),
    # The same of 196,592 x 92 % = 180,864.
    "70B on one MI300X": Served(LLAMA_70B, MI300X, 1, SHORT),
    # The same of 2 x 98,304 x 92 % = 180,879.
    "70B on two Trainium2": Served(LLAMA_70B, TRAINIUM2, 2, SHORT),
    # 405,900 M x 1 byte = 387,096 MiB; 126 x 8 x 128 x 2 x 2 bytes = 504 KiB per token: 64,512 MiB
    # for 131,072. 451,608 of 8 x 81,559 x 92 % = 600,274.
    "405B in fp8 on eight H100": Served(LLAMA_405B_FP8, H100, 8),
    # 774,193 + 64,512 = 838,705 of 8 x 196,592 x 92 % = 1,446,917.
    "405B on eight MI300X": Served(LLAMA_405B, MI300X, 8),
    # All experts are held: 46,700 M x 2 bytes = 89,073 MiB; 32 x 8 x 128 x 2 x 2 bytes = 128 KiB
    # per token: 4,096 MiB for 32,768. 93,169 of 2 x 81,559 x 92 % = 150,068.
    "8x7B on two H100": Served(MIXTRAL, H100, 2),
    # 671,000 M x 1 byte = 639,915 MiB. Latent attention: 61 layers x (512 + 64) = 35,136 values of
    # 2 bytes per token: 10,980 MiB for 163,840; with keys and values of 128 heads it would be 61 x
    # 128 x 128 x 2 x 2 bytes per token and 624,640. 650,895 of 8 x 143,771 x 92 % = 1,058,154.
    "671B with latent attention on eight H200": Served(DEEPSEEK, H200, 8),
    # 116,800 M x 4 bits = 55,694 MiB. 18 layers keep 131,072 tokens and 18 layers 128 of them: 18 x
    # 8 x 64 x 2 x 2 bytes = 36 KiB per token, 4,608 + 4 MiB. 60,306 of 81,559 x 92 % = 75,034.
    "120B with windows on one H100": Served(GPT_OSS, H100, 1),
    # 27,400 M x 2 bytes = 52,261 MiB. 10 layers keep 131,072 tokens, 10 x 16 x 128 x 2 x 2 bytes =
    # 80 KiB each: 10,240 MiB; 52 layers keep 1,024, 416 KiB each: 416 MiB. 62,917 of 81,920 x 92 %
    # = 75,366. Without windows it would be 62 layers for all: 63,488 MiB, and too much.
    "27B with windows on one A100": Served(GEMMA, A100, 1),
}


@pytest.mark.parametrize("served", FITS.values(), ids=list(FITS))
def test_a_model_that_fits_by_hand_is_not_refused(served: Served) -> None:
    assert "GPU-002" not in served.findings()


DOES_NOT_FIT = {
    # 15,316 + 16,384 MiB for 131,072 tokens = 31,700, 31 GiB; 21,191 usable are 20.
    "8B with its whole context on one L4": (Served(LLAMA_8B, L4, 1), 31, 20),
    # 27,995 MiB are 28 GiB; 23,028 x 92 % = 21,185.
    "13B on one A10G": (Served(LLAMA_13B, A10G, 1), 28, 20),
    # 15,316 + 1,024 MiB are 16 GiB; a slice has 9.75 GiB, 9,984 x 92 % = 9,185 MiB.
    "8B on a slice of an H100": (Served(LLAMA_8B, H100_SLICE, 1, SHORT), 16, 8),
    # 137,218 MiB are 135 GiB; 81,559 x 92 % = 75,034.
    "70B on one H100": (Served(LLAMA_70B, H100, 1, SHORT), 135, 73),
    # The same; 98,304 x 92 % = 90,439.
    "70B on one Trainium2": (Served(LLAMA_70B, TRAINIUM2, 1, SHORT), 135, 88),
    # 134,658 + 40,960 MiB for 131,072 tokens are 172 GiB; 196,592 x 80 % = 157,273.
    "70B with its whole context in 80 % of one MI300X": (
        Served(LLAMA_70B, MI300X, 1, ("--gpu-memory-utilization=0.8",)),
        172,
        153,
    ),
    # 405,900 M x 2 bytes = 774,193 MiB and 64,512: 820 GiB; 600,274 usable are 586.
    "405B in bf16 on eight H100": (Served(LLAMA_405B, H100, 8), 820, 586),
    # 93,169 MiB are 91 GiB, though only 12.9 of 46.7 billion parameters are active.
    "8x7B on one H100": (Served(MIXTRAL, H100, 1), 91, 73),
    # 650,895 MiB are 636 GiB.
    "671B on eight H100": (Served(DEEPSEEK, H100, 8), 636, 586),
}


@pytest.mark.parametrize(
    ("served", "needed", "usable"), DOES_NOT_FIT.values(), ids=list(DOES_NOT_FIT)
)
def test_a_model_that_does_not_fit_by_hand_is_refused(
    served: Served, needed: int, usable: int
) -> None:
    facts = served.findings()["GPU-002"]["facts"]

    assert (facts["needed_gib"], facts["usable_gib"]) == (needed, usable)


def test_memory_that_nobody_has_read_is_no_verdict() -> None:
    found = Served(LLAMA_8B, TPU_V5E, 4, SHORT).findings()

    assert found["GPU-002"]["undetermined"] == ["/fit/usable_mib"]


HOLDS = {
    # 4 x 81,559 x 92 % = 300,137 MiB less 134,658 are 165,479: 16 sequences of 32,768 x 320 KiB =
    # 10,240 MiB.
    "70B, declared": (
        Served(LLAMA_70B, H100, 4, ("--max-model-len=32768",), {"concurrency": "17"}),
        16,
    ),
    # The server's own ceiling counts with a quarter of 131,072 tokens: the same 10,240 MiB.
    "70B, a ceiling of vLLM with long sequences": (
        Served(LLAMA_70B, H100, 4, ("--max-num-seqs=256",), {"context-tokens": "131072"}),
        16,
    ),
    # 180,864 less 15,316 are 165,548 MiB: 161 sequences of 8,192 x 128 KiB = 1,024 MiB.
    "8B on MI300X": (Served(LLAMA_8B, MI300X, 1, SHORT, {"concurrency": "162"}), 161),
    # 4 x 98,304 x 92 % = 361,758 less 134,658 are 227,100 MiB: 88 sequences of 2,560 MiB.
    "70B on Trainium2": (Served(LLAMA_70B, TRAINIUM2, 4, SHORT, {"concurrency": "89"}), 88),
    # 1,058,154 less 639,915 are 418,239 MiB: 38 sequences of 10,980 MiB.
    "671B with latent attention": (
        Served(DEEPSEEK, H200, 8, ("--max-model-len=163840",), {"concurrency": "39"}),
        38,
    ),
}


@pytest.mark.parametrize(("served", "holds"), HOLDS.values(), ids=list(HOLDS))
def test_sequences_at_once_are_counted_as_by_hand(served: Served, holds: int) -> None:
    found = served.findings()
    fewer = Served(
        served.model,
        served.hardware,
        served.count,
        tuple(a for a in served.arguments if "num-seqs" not in a),
        {**served.declared, "concurrency": str(holds)},
    )

    assert found["GPU-003"]["facts"]["holds"] == holds
    assert "GPU-002" not in found
    if "--max-num-seqs=256" not in served.arguments:
        assert "GPU-003" not in fewer.findings()


def test_a_large_model_with_a_ceiling_of_its_server_is_never_refused() -> None:
    """Paging servers let sequences wait; a ceiling that is never reached costs nothing."""
    served, _ = HOLDS["70B, a ceiling of vLLM with long sequences"]

    assert served.findings().keys() == {"GPU-003"}
    assert bundle_of("default").rulebook["GPU-003"].mode.value == "warn"


OVERSIZED = {
    # 15,316 + 4 x 1,024 = 19,412 MiB need 21,100 at 92 %: more than 2g.20gb (20,090) and less than
    # an L4 (23,034) or A10 (23,028), of which 81,559 are 3.5.
    "8B on a whole H100": (
        Served(LLAMA_8B, H100, 1, SHORT, {"concurrency": "4"}),
        "one 3g.40gb slice of it or 1 x NVIDIA-A10",
    ),
    # 137,218 x 2 for a batch nobody states = 274,436 MiB need 298,300: two MI300X (393,184) of
    # eight.
    "70B on eight MI300X": (Served(LLAMA_70B, MI300X, 8, SHORT), "2 x AMD_Instinct_MI300X_OAM"),
    # 7,620 M x 2 bytes = 14,534 MiB; 28 x 4 x 128 x 2 x 2 bytes = 56 KiB per token, 16 x 448 =
    # 7,168 MiB. 21,702 need 23,590: one Trainium2 of sixteen, or one Inferentia2 (32,768).
    "7B on sixteen Trainium2": (
        Served(QWEN_7B, TRAINIUM2, 16, SHORT, {"concurrency": "16"}),
        "1 x aws-trainium2 or 1 x aws-inferentia2",
    ),
}


@pytest.mark.parametrize(("served", "instead"), OVERSIZED.values(), ids=list(OVERSIZED))
def test_what_would_do_is_said(served: Served, instead: str) -> None:
    assert served.findings()["GPU-005"]["facts"]["instead"] == instead


WELL_USED = {
    "70B on two H100": Served(LLAMA_70B, H100, 2, SHORT),
    # 16,340 x 2 = 32,680 MiB need 35,522, which is more than an L4 has.
    "8B on one L4": Served(LLAMA_8B, L4, 1, SHORT),
    # 31,700 x 2 = 63,400 MiB need 68,914: only a whole device has them.
    "8B with its whole context on one H100": Served(LLAMA_8B, H100, 1),
    "8B on one H100 for a planned throughput": Served(
        LLAMA_8B, H100, 1, SHORT, {"tokens-per-second": "2000"}
    ),
    "8B on one H100 for people who wait": Served(
        LLAMA_8B, H100, 1, SHORT, {"latency-critical": "true"}
    ),
    "eight ranks of 8B on eight H100": Served(
        LLAMA_8B, H100, 8, (*SHORT, "--data-parallel-size=8")
    ),
    "671B on eight H200": Served(DEEPSEEK, H200, 8),
}


@pytest.mark.parametrize("served", WELL_USED.values(), ids=list(WELL_USED))
def test_memory_that_is_for_something_is_no_waste(served: Served) -> None:
    assert "GPU-005" not in served.findings()


BOUNDS = {
    # 5,300 GB/s x 0.8 = 33,920 Gbit/s. A step reads 70.6 x 16 = 1,129.6 Gbit of weights and for 32
    # sequences 2,048 tokens x 163,840 values x 16 bits = 5.368 Gbit each: 1,301.4. 26.07 steps of
    # 32 tokens are 834 per copy; two copies have 1,668.
    "70B on two MI300X": (
        Served(LLAMA_70B, MI300X, 1, (*SHORT, "--max-num-seqs=32"), copies=2),
        1668,
    ),
    # 3,350 x 0.8 x 8 = 21,440 Gbit/s; 8.03 x 16 = 128.48 Gbit and 32 x 2.147 = 68.7: 108.73 steps.
    "8B on one H100": (Served(LLAMA_8B, H100, 1, (*SHORT, "--max-num-seqs=32")), 3479),
    # 4 x 2,900 x 6.4 = 74,240 Gbit/s; 1,129.6 + 16 x 5.368 = 1,215.5: 61.08 steps of 16.
    "70B on four Trainium2": (
        Served(LLAMA_70B, TRAINIUM2, 4, (*SHORT, "--max-num-seqs=16")),
        977,
    ),
    # Of 46.7 billion parameters 12.9 are read: 206.4 Gbit and 64 x 2.147 = 137.4; 98.66 steps of
    # 64.
    "8x7B on one MI300X": (Served(MIXTRAL, MI300X, 1, (*SHORT, "--max-num-seqs=64")), 6315),
    # 8 x 4,800 x 6.4 = 245,760 Gbit/s; 37 x 8 = 296 Gbit and 64 x 2,048 x 35,136 x 16 bits = 73.7:
    # 664.8 steps of 64. Plain attention would read 73.7 x 56.9.
    "671B with latent attention on eight H200": (
        Served(DEEPSEEK, H200, 8, (*SHORT, "--max-num-seqs=64")),
        42549,
    ),
}


@pytest.mark.parametrize(("served", "bound"), BOUNDS.values(), ids=list(BOUNDS))
def test_throughput_is_bounded_as_by_hand(served: Served, bound: int) -> None:
    def claiming(tokens: int) -> dict[str, Finding]:
        declared = {"tokens-per-second": str(tokens)}
        return Served(
            served.model, served.hardware, served.count, served.arguments, declared, served.copies
        ).findings()

    assert claiming(bound + 1)["GPU-015"]["facts"]["bound"] == bound
    assert "GPU-015" not in claiming(bound)


DENSE = document_of(
    Served(LLAMA_70B, H100, 4, SHORT, {"concurrency": "32", "tokens-per-second": "900"}).resolved()
)
_COUNTS = st.integers(1, 4096)
_MIB = st.integers(1, 1 << 20)


def _with(**changes: int) -> dict[str, Any]:
    """The document of a 70B model with figures of the model and of its fit changed."""
    document: dict[str, Any] = copy.deepcopy(DENSE)
    (resource,) = document["resources"]
    for name, value in changes.items():
        resource["fit" if name in resource["fit"] else "model"][name] = value
    return document


def _misfits(**changes: int) -> set[str]:
    return _sizing(_with(**changes)).keys() & {"GPU-002", "GPU-003"}


@settings(max_examples=80, deadline=None)
@given(usable=_MIB, more=_MIB, count=_COUNTS, more_count=_COUNTS, sequences=_COUNTS)
def test_more_memory_never_turns_a_fit_into_a_misfit(
    usable: int, more: int, count: int, more_count: int, sequences: int
) -> None:
    before = _misfits(usable_mib=usable, accelerators_per_copy=count, concurrency=sequences)
    after = _misfits(
        usable_mib=usable + more, accelerators_per_copy=count + more_count, concurrency=sequences
    )

    assert before or not after
    assert "GPU-002" in before or "GPU-002" not in after


@settings(max_examples=80, deadline=None)
@given(
    tokens=st.integers(1, 1 << 20),
    fewer=st.integers(0, 1 << 20),
    sequences=_COUNTS,
    count=st.integers(1, 64),
)
def test_shorter_and_fewer_sequences_never_turn_a_fit_into_a_misfit(
    tokens: int, fewer: int, sequences: int, count: int
) -> None:
    before = _misfits(context_tokens=tokens, concurrency=sequences, accelerators_per_copy=count)
    after = _misfits(
        context_tokens=max(1, tokens - fewer),
        concurrency=max(1, sequences - fewer),
        accelerators_per_copy=count,
    )

    assert before or not after


@settings(max_examples=60, deadline=None)
@given(window=st.integers(0, 1 << 18), wider=st.integers(0, 1 << 18), usable=_MIB)
def test_a_wider_window_never_needs_less(window: int, wider: int, usable: int) -> None:
    layers = {"kv_values_per_token": 81920, "window_kv_values_per_token": 81920}

    before = _misfits(**layers, window_tokens=window, usable_mib=usable)
    after = _misfits(**layers, window_tokens=window + wider, usable_mib=usable)

    assert after or not before


@settings(max_examples=60, deadline=None)
@given(sequences=_COUNTS, more=_COUNTS, count=st.integers(1, 64))
def test_more_use_never_makes_a_copy_look_larger(sequences: int, more: int, count: int) -> None:
    def oversized(concurrency: int) -> bool:
        document = _with(concurrency=concurrency, accelerators_per_copy=count)
        document["resources"][0]["throughput"]["tokens_per_second"] = None
        return "GPU-005" in _sizing(document)

    assert oversized(sequences) or not oversized(sequences + more)


@settings(max_examples=60, deadline=None)
@given(claimed=st.integers(0, 1 << 53), less=st.integers(0, 1 << 53), batch=_COUNTS)
def test_a_lower_claim_is_never_less_plausible(claimed: int, less: int, batch: int) -> None:
    def implausible(tokens: int) -> bool:
        document = _with(concurrency=batch)
        document["resources"][0]["throughput"]["tokens_per_second"] = tokens
        return "GPU-015" in _sizing(document)

    assert implausible(claimed) or not implausible(max(0, claimed - less))


@settings(max_examples=60, deadline=None)
@given(usable=_MIB, count=st.integers(1, 64), sequences=_COUNTS)
def test_no_copy_is_too_small_and_too_large_at_once(
    usable: int, count: int, sequences: int
) -> None:
    document = _with(usable_mib=usable, accelerators_per_copy=count, concurrency=sequences)
    document["resources"][0]["throughput"]["tokens_per_second"] = None

    found = _sizing(document).keys()

    assert not ("GPU-005" in found and found & {"GPU-002", "GPU-003"})
