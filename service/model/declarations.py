"""What labels, annotations and tags under Portreeve's own prefix may declare, and where it goes.

One table for every enforcement point: a declaration means the same in a manifest and in a plan.
Names are without the prefix; pointers are those of a resource.
"""

from __future__ import annotations

from typing import Any

from service.model.base import LARGEST_EXACT
from service.model.resource import Asset, Purpose

COUNTS = {
    "params-m": "/model/params_m",
    "context-tokens": "/model/context_tokens",
    "concurrency": "/model/concurrency",
    "tensor-parallel": "/model/tensor_parallel",
    "pipeline-parallel": "/model/pipeline_parallel",
    "data-parallel": "/model/data_parallel",
    "expert-parallel": "/model/expert_parallel",
    "zero-stage": "/model/zero_stage",
    "micro-batch": "/model/micro_batch",
    "sequence": "/model/sequence",
    "adapter-params-m": "/model/adapter_params_m",
    "training-tokens-m": "/model/training_tokens_m",
    "max-minutes": "/lifetime/minutes",
    "idle-minutes": "/lifetime/idle_minutes",
    "requests-per-minute": "/throughput/requests_per_minute",
    "tokens-per-second": "/throughput/tokens_per_second",
    "utilisation-percent": "/throughput/utilisation_percent",
}
TEXTS = {
    "model": "/model/id",
    "precision": "/model/precision",
    "kv-precision": "/model/kv_precision",
    "optimizer": "/model/optimizer",
    "org": "/ownership/org",
    "team": "/ownership/team",
    "project": "/ownership/project",
    "cost-center": "/ownership/cost_center",
    "owner": "/ownership/owner",
    "environment": "/ownership/environment",
}
_CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "purpose": ("/purpose", {purpose.value: purpose for purpose in Purpose}),
    "activation-checkpointing": (
        "/model/activation_checkpointing",
        {"true": True, "false": False},
    ),
    "latency-critical": ("/latency_critical", {"true": True, "false": False}),
}
ASSETS = {asset.value: asset for asset in Asset}
DATA_CLASS, DATA_ASSET = "data-class", "data-asset"

POINTERS = {
    **COUNTS,
    **TEXTS,
    **{name: pointer for name, (pointer, _) in _CHOICES.items()},
    DATA_CLASS: "/data",
}
"""Where each declaration goes."""


def value_of(name: str, text: str) -> Any:
    """What *text* declares as *name*; ``None`` where it is none of what may be declared.

    Raises:
        KeyError: *name* is no declaration of a single value.
    """
    if name in TEXTS:
        return text
    if name in COUNTS:
        largest = 100 if name.endswith("-percent") else LARGEST_EXACT
        is_number = text.isascii() and text.isdecimal() and len(text) <= 16
        return int(text) if is_number and int(text) <= largest else None
    return _CHOICES[name][1].get(text.lower())
