"""Training runs whose memory a person can work out, from manifests to refusals.

Figures are decimal bytes per parameter times the parameters of the shipped catalog; a MiB has
1,048,576 of them. Usable memory is the catalog's too: A100 80 GB 81,920 MiB, A100 40 GB 40,537,
H100 81,559, H200 143,771, L4 23,034, T4 15,360, MI300X 196,592, Trainium2 98,304.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

import pytest
import regorus
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import NOW, bundle_of, document_of, engine_of

from adapters.kubernetes.normalise import normalise_manifests
from service.model.base import Change, EnforcementPoint, Role, Scope
from service.model.request import Request
from service.model.resource import Accelerator, Fit, Model, Purpose, Resource
from service.resolve.models import BITS
from service.resolve.resolver import Resolver

_RULE = "data.policies.rules.gpu.training.deny"

A100_80 = ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-A100-SXM4-80GB")
A100_40 = ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB")
H100 = ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3")
H200 = ("nvidia.com/gpu", "nvidia.com/gpu.product", "NVIDIA-H200")
L4 = ("nvidia.com/gpu", "cloud.google.com/gke-accelerator", "nvidia-l4")
T4 = ("nvidia.com/gpu", "cloud.google.com/gke-accelerator", "nvidia-tesla-t4")
MI300X = ("amd.com/gpu", "amd.com/gpu.product-name", "AMD_Instinct_MI300X_OAM")
TRAINIUM2 = (
    "aws.amazon.com/neuron",
    "karpenter.k8s.aws/instance-accelerator-name",
    "trainium2",
)

LLAMA_7B, LLAMA_13B = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf"
LLAMA_70B, LLAMA_405B = "meta-llama/Meta-Llama-3.1-70B", "meta-llama/Meta-Llama-3.1-405B"
MIXTRAL, DEEPSEEK = "mistralai/Mixtral-8x7B-v0.1", "deepseek-ai/DeepSeek-V3"

FULL = {"optimizer": "AdamW", "precision": "bf16-mixed", "adapter-params-m": "0"}
PLAIN = {**FULL, "precision": "bf16"}
ZERO_3 = {"zero-stage": "3"}


class Found(NamedTuple):
    """What a refusal says: GiB needed on each accelerator, and how many would do."""

    needed_gib: int
    enough: int


@cache
def _engine() -> regorus.Engine:
    bundle = bundle_of("default")
    return engine_of(bundle.modules, bundle.data)


def _deny(request: Request) -> list[dict[str, Any]]:
    engine = _engine()
    engine.set_input_json(json.dumps(document_of(request)))
    found: list[dict[str, Any]] = json.loads(engine.eval_rule_as_json(_RULE))
    return found


def _job(
    model: str, on: tuple[str, str, str], each: int, workers: int = 1, **declared: str
) -> dict[str, Any]:
    resource, label, product = on
    names = {f"portreeve.dev/{name}": value for name, value in declared.items()}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "train",
            "namespace": "training",
            "labels": {"portreeve.dev/purpose": "finetuning", **names},
            "annotations": {"portreeve.dev/model": model},
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": workers,
            "parallelism": workers,
            "template": {
                "spec": {
                    "nodeSelector": {label: product},
                    "containers": [
                        {
                            "name": "trainer",
                            "image": "registry.example/trainer:1",
                            "resources": {"limits": {resource: each}},
                        }
                    ],
                }
            },
        },
    }


def _judged(
    model: str, on: tuple[str, str, str], each: int, workers: int, declared: dict[str, str]
) -> Found | None:
    refusals = [
        one["facts"] for one in _found(model, on, each, workers, declared) if "facts" in one
    ]
    if not refusals:
        return None
    [facts] = refusals
    assert facts["count"] == each * workers
    return Found(facts["needed_gib"], facts["enough"])


def _found(
    model: str, on: tuple[str, str, str], each: int, workers: int, declared: dict[str, str]
) -> list[dict[str, Any]]:
    manifest = _job(model, on, each, workers, **declared)
    normalised = normalise_manifests([manifest], scope=Scope(), caller="test", key="case")
    return _deny(Resolver(bundle_of("default")).resolve(normalised, now=NOW))


@pytest.mark.parametrize(
    ("on", "each", "declared", "expected"),
    [
        # 6.74e9 x (2 + 2 + 4 + 8) = 107.8e9 bytes = 102,844 MiB; two cards have 163,840.
        (A100_80, 1, FULL, Found(101, 2)),
        (A100_80, 2, {**FULL, **ZERO_3}, None),
        # Plain bf16: x (2 + 2 + 4) = 53.9e9 = 51,422 MiB.
        (A100_80, 1, PLAIN, None),
        # States of 8 bits: x (2 + 2 + 2) = 40.4e9 = 38,566 MiB; two L4 have 46,068.
        (L4, 1, {**PLAIN, "optimizer": "adamw_bnb_8bit"}, Found(38, 2)),
        # In fp32: x (4 + 4 + 8) = 102,844 MiB, as in mixed precision.
        (A100_80, 1, {**FULL, "precision": "fp32"}, Found(101, 2)),
        # States in the host's memory: x (2 + 2) = 25,711 MiB.
        (A100_40, 1, {**FULL, "optimizer": "DeepSpeedCPUAdam"}, None),
        # LoRA: 13.48e9 frozen, 160e6 x 16 = 2.56e9 trained: 15,297 MiB.
        (L4, 1, {**PLAIN, "adapter-params-m": "160"}, None),
        (T4, 1, {**PLAIN, "adapter-params-m": "160", "precision": "fp16"}, None),
        # QLoRA: 3.37e9 frozen: 5,655 MiB.
        (T4, 1, {**PLAIN, "adapter-params-m": "160", "precision": "nf4"}, None),
    ],
)
def test_7b(
    on: tuple[str, str, str], each: int, declared: dict[str, str], expected: Found | None
) -> None:
    assert expected == _judged(LLAMA_7B, on, each, 1, declared)


@pytest.mark.parametrize(
    ("on", "each", "declared", "expected"),
    [
        # 13.0e9 x 16 = 208e9 bytes = 198,364 MiB over four: 49,591; 198,364 / 40,537 = 4.9.
        (A100_40, 4, {**FULL, **ZERO_3}, Found(49, 5)),
        (A100_40, 5, {**FULL, **ZERO_3}, None),
        # Replicas: each card holds all 198,364 of its 196,592 MiB.
        (MI300X, 8, {**FULL, "zero-stage": "0", "data-parallel": "8"}, Found(194, 2)),
        # Stage 1: 26e9 + 26e9 + 156e9 / 8 = 71.5e9 bytes = 68,187 MiB.
        (MI300X, 8, {**FULL, "zero-stage": "1", "data-parallel": "8"}, None),
        # Stage 1 on 80 GB fits as well, and stage 0 does not.
        (H100, 8, {**FULL, "zero-stage": "1", "data-parallel": "8"}, None),
        (H100, 8, {**FULL, "zero-stage": "0", "data-parallel": "8"}, Found(194, 3)),
        # 26e9 + 250e6 x 16 = 30e9 bytes = 28,610 MiB on 23,034.
        (L4, 1, {**PLAIN, "adapter-params-m": "250"}, Found(28, 2)),
        # 6.5e9 + 4e9 = 10.5e9 bytes = 10,013 MiB.
        (T4, 1, {**PLAIN, "adapter-params-m": "250", "precision": "int4"}, None),
    ],
)
def test_13b(
    on: tuple[str, str, str], each: int, declared: dict[str, str], expected: Found | None
) -> None:
    assert expected == _judged(LLAMA_13B, on, each, 1, declared)


ONE_LONG_SEQUENCE = {"micro-batch": "1", "sequence": "8192", "data-parallel": "16"}


@pytest.mark.parametrize(
    ("on", "each", "workers", "declared", "expected"),
    [
        # 70.6e9 x 16 = 1,129.6e9 bytes = 1,077,270 MiB over eight: 134,658; / 81,559 = 13.2.
        (H100, 8, 1, {**FULL, **ZERO_3}, Found(132, 14)),
        # Over sixteen: 67,329 MiB.
        (H100, 8, 2, {**FULL, **ZERO_3}, None),
        (TRAINIUM2, 16, 1, {**FULL, **ZERO_3}, None),
        # On eight chips 134,658 of 98,304 MiB; 1,077,270 / 98,304 = 10.96.
        (TRAINIUM2, 8, 1, {**FULL, **ZERO_3}, Found(132, 11)),
        # One sequence of 8,192 tokens x 80 layers x 8,192 values: 2 bytes each are 10,240 MiB more.
        (
            H100,
            8,
            2,
            {**FULL, **ZERO_3, **ONE_LONG_SEQUENCE, "activation-checkpointing": "true"},
            None,
        ),
        # Without checkpointing 28 bytes each: 143,360 + 67,329 MiB.
        (
            H100,
            8,
            2,
            {**FULL, **ZERO_3, **ONE_LONG_SEQUENCE, "activation-checkpointing": "false"},
            Found(206, 14),
        ),
        # LoRA: 141.2e9 + 830e6 x 16 = 154.5e9 bytes = 147,323 MiB.
        (H100, 1, 1, {**PLAIN, "adapter-params-m": "830"}, Found(144, 2)),
        (MI300X, 1, 1, {**PLAIN, "adapter-params-m": "830"}, None),
        # QLoRA: 35.3e9 + 13.3e9 = 48.6e9 bytes = 46,330 MiB.
        (H100, 1, 1, {**PLAIN, "adapter-params-m": "830", "precision": "nf4"}, None),
        (A100_40, 1, 1, {**PLAIN, "adapter-params-m": "830", "precision": "nf4"}, Found(46, 2)),
        # Tensor parallelism of 8 with replicas: all of 1,077,270 MiB over eight.
        (
            MI300X,
            8,
            2,
            {**FULL, "zero-stage": "0", "tensor-parallel": "8", "pipeline-parallel": "1"},
            None,
        ),
        (
            H200,
            8,
            2,
            {**FULL, "zero-stage": "0", "tensor-parallel": "4", "pipeline-parallel": "1"},
            Found(264, 8),
        ),
    ],
)
def test_70b(
    on: tuple[str, str, str],
    each: int,
    workers: int,
    declared: dict[str, str],
    expected: Found | None,
) -> None:
    assert expected == _judged(LLAMA_70B, on, each, workers, declared)


@pytest.mark.parametrize(
    ("on", "workers", "declared", "expected"),
    [
        # 405.9e9 x 16 = 6,494.4e9 bytes = 6,193,542 MiB over 64: 96,774; / 81,559 = 75.9.
        (H100, 8, {**FULL, **ZERO_3}, Found(95, 76)),
        (MI300X, 8, {**FULL, **ZERO_3}, None),
        (H200, 8, {**FULL, **ZERO_3}, None),
        # QLoRA: 203e9 + 16e9 bytes = 208,807 MiB; over the eight of a node 26,100.
        (H100, 1, {**PLAIN, "adapter-params-m": "1000", "precision": "nf4"}, None),
        # The same as eight replicas.
        (
            H100,
            1,
            {
                **PLAIN,
                "adapter-params-m": "1000",
                "precision": "nf4",
                "zero-stage": "0",
                "data-parallel": "8",
            },
            Found(204, 3),
        ),
    ],
)
def test_405b(
    on: tuple[str, str, str], workers: int, declared: dict[str, str], expected: Found | None
) -> None:
    assert expected == _judged(LLAMA_405B, on, 8, workers, declared)


REPLICAS = {"zero-stage": "0", "tensor-parallel": "1", "pipeline-parallel": "1"}


@pytest.mark.parametrize(
    ("model", "on", "workers", "declared", "expected"),
    [
        # 46.7e9 x 8 = 373.6e9 bytes = 356,293 MiB in each replica that holds all
        # experts; / 81,559 = 4.4.
        (MIXTRAL, H100, 1, {**PLAIN, **REPLICAS, "expert-parallel": "1"}, Found(348, 5)),
        # One expert on each: 44,536.
        (MIXTRAL, H100, 1, {**PLAIN, **REPLICAS, "expert-parallel": "8"}, None),
        # Nobody says how experts are divided: it may be among all.
        (MIXTRAL, H100, 1, {**PLAIN, **REPLICAS}, None),
        # 671e9 x 16 = 10,736e9 bytes = 10,238,647 MiB over 64: 159,978; / 143,771 = 71.2. That the
        # checkpoint is published in 8 bits does not make trained weights narrower.
        (DEEPSEEK, H200, 8, {**FULL, **ZERO_3}, Found(157, 72)),
        (DEEPSEEK, H200, 16, {**FULL, **ZERO_3}, None),
    ],
)
def test_mixtures_of_experts(
    model: str,
    on: tuple[str, str, str],
    workers: int,
    declared: dict[str, str],
    expected: Found | None,
) -> None:
    assert expected == _judged(model, on, 8, workers, declared)


@pytest.mark.parametrize(
    ("declared", "enough_for", "asked"),
    [
        # Nothing is declared: 4 bits of 70.6e9 parameters are 33,665 MiB. If all were trained, 16
        # bits would be 134,659 on 40,537 MiB, so it matters what is.
        ({}, A100_40, ["/model/adapter_params_m"]),
        # With a precision they are certain, and fit 143,771 MiB whatever is trained.
        ({"precision": "bf16"}, H200, None),
    ],
)
def test_a_run_that_says_little_is_refused_little(
    declared: dict[str, str], enough_for: tuple[str, str, str], asked: list[str] | None
) -> None:
    found = _found(LLAMA_70B, enough_for, 1, 1, declared)

    assert _judged(LLAMA_70B, L4, 1, 1, declared) is not None
    assert [one["undetermined"] for one in found] == ([] if asked is None else [asked])


_DEGREES = st.sampled_from([1, 2, 4, 8])
_OPTIONAL = {
    "optimizer": st.sampled_from(["adamw", "adamw_8bit", "sgd", "lomo", "cpu_adam", "lion"]),
    "precision": st.sampled_from(["bf16", "bf16-mixed", "fp32", "fp8", "nf4"]),
    "zero_stage": st.integers(0, 3),
    "data_parallel": _DEGREES,
    "tensor_parallel": _DEGREES,
    "pipeline_parallel": _DEGREES,
    "expert_parallel": _DEGREES,
    "micro_batch": st.integers(1, 64),
    "sequence": st.integers(1, 65536),
    "activation_checkpointing": st.booleans(),
    "adapter_params_m": st.sampled_from([0, 40, 4000]),
}
_RUNS = st.fixed_dictionaries(dict(_OPTIONAL))
_SHAPES = st.fixed_dictionaries(
    {
        "params_m": st.integers(1, 1_000_000),
        "share_active": st.sampled_from([1, 8]),
        "layers": st.integers(1, 128),
        "hidden": st.integers(64, 16384),
    }
)


def _resource(
    shape: dict[str, int], run: dict[str, Any], *, accelerators: int, usable_mib: int
) -> Resource:
    """A run as resolve would leave it."""
    return Resource(
        address="Job training/train",
        subject="Job/training/train",
        kind="Job",
        role=Role.WORKLOAD,
        change=Change.CREATE,
        purpose=Purpose.FINETUNING,
        accelerators=(Accelerator(model="nvidia-h100-sxm", per_worker=accelerators),),
        model=Model(params_m=shape["params_m"], **run),
        fit=Fit(
            accelerators_per_copy=accelerators,
            usable_mib=usable_mib,
            weight_bits=BITS.get(run.get("precision") or "bf16"),
            layers=shape["layers"],
            hidden=shape["hidden"],
            params_active_m=shape["params_m"] // shape["share_active"],
        ),
    )


def _findings(resource: Resource) -> list[dict[str, Any]]:
    return _deny(
        Request(
            key="k",
            enforcement_point=EnforcementPoint.API,
            operation="create",
            binding="binding",  # type: ignore[arg-type]  # as it is written in documents
            resources=(resource,),
        )
    )


def _is_refused(resource: Resource) -> bool:
    return any("facts" in finding for finding in _findings(resource))


def _need(shape: dict[str, int], run: dict[str, Any], accelerators: int) -> int:
    """GiB on each accelerator, rounded up; a card without memory has everything refused."""
    found = _findings(_resource(shape, run, accelerators=accelerators, usable_mib=0))
    return next((one["facts"]["needed_gib"] for one in found if "facts" in one), 0)


def _size(run: dict[str, Any]) -> int:
    degrees = ("data_parallel", "tensor_parallel", "pipeline_parallel")
    size = 1
    for degree in degrees:
        size *= run[degree]
    return size


@settings(max_examples=150, deadline=None)
@given(shape=_SHAPES, run=_RUNS, usable=st.integers(1, 300_000), more=st.integers(0, 300_000))
def test_more_memory_never_turns_a_fit_into_a_misfit(
    shape: dict[str, int], run: dict[str, Any], usable: int, more: int
) -> None:
    size = _size(run)
    smaller = _resource(shape, run, accelerators=size, usable_mib=usable)
    larger = _resource(shape, run, accelerators=size, usable_mib=usable + more)

    assert _is_refused(smaller) or not _is_refused(larger)


@settings(max_examples=150, deadline=None)
@given(shape=_SHAPES, run=_RUNS, times=st.integers(2, 16))
def test_more_replicas_under_stage_3_never_raise_the_need(
    shape: dict[str, int], run: dict[str, Any], times: int
) -> None:
    """Replicas are added with their accelerators; on the same ones they would share fewer."""
    run = {**run, "zero_stage": 3}
    wider = {**run, "data_parallel": run["data_parallel"] * times}

    assert _need(shape, wider, _size(wider)) <= _need(shape, run, _size(run))


@settings(max_examples=300, deadline=None)
@given(shape=_SHAPES, run=_RUNS, dropped=st.sampled_from(sorted(_OPTIONAL)))
def test_what_is_not_declared_never_raises_the_need(
    shape: dict[str, int], run: dict[str, Any], dropped: str
) -> None:
    less = {**run, dropped: None}

    assert _need(shape, less, _size(run)) <= _need(shape, run, _size(run))


@settings(max_examples=100, deadline=None)
@given(shape=_SHAPES, run=_RUNS)
def test_a_higher_stage_never_raises_the_need(shape: dict[str, int], run: dict[str, Any]) -> None:
    needs = [_need(shape, {**run, "zero_stage": stage}, _size(run)) for stage in range(4)]

    assert needs == sorted(needs, reverse=True)
