"""What labels and annotations under ``portreeve.dev/`` declare.

An annotation may hold what a label may not: slashes in a model's name, commas between data classes
(labels separate them by ``_``). The object itself is believed before its pod template, and an
annotation before a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.kubernetes.payload import pairs
from service.model.base import LARGEST_EXACT, Reason
from service.model.resource import Asset, Purpose
from service.model.sensitive import redact_pairs, redact_text

if TYPE_CHECKING:
    from adapters.kubernetes.state import State

PREFIX = "portreeve.dev/"
DECLARED = "declared"

_COUNTS = {
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
    "max-minutes": "/lifetime/minutes",
    "idle-minutes": "/lifetime/idle_minutes",
    "requests-per-minute": "/throughput/requests_per_minute",
    "tokens-per-second": "/throughput/tokens_per_second",
    "utilisation-percent": "/throughput/utilisation_percent",
}
_TEXTS = {
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
_PURPOSES = {purpose.value: purpose for purpose in Purpose}
_ASSETS = {asset.value: asset for asset in Asset}
_BOOLEANS = {"true": True, "false": False}


def read_declarations(metadata: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Declared values by name without the prefix, each with the separator of its lists.

    *metadata* are the object's own and those of its templates, the object's first.

    Raises:
        RequestRefused: Labels or annotations are no texts by name.
    """
    found: dict[str, tuple[str, str]] = {}
    for one in metadata:
        for part, separator in (("annotations", ","), ("labels", "_")):
            if part not in one:
                continue
            for key, value in pairs(one, part).items():
                if key.startswith(PREFIX) and value:
                    found.setdefault(key[len(PREFIX) :], (value, separator))
    return found


def apply(declared: dict[str, tuple[str, str]], state: State) -> None:
    """Write what is *declared* into *state*; what cannot be read is recorded as not known."""
    for name, (value, separator) in declared.items():
        if name in _COUNTS:
            _put_count(state, _COUNTS[name], value)
        elif name in _TEXTS:
            state.put(_TEXTS[name], redact_text(value), DECLARED)
        elif name == "purpose":
            _put_one_of(state, "/purpose", _PURPOSES.get(value.lower()))
        elif name == "activation-checkpointing":
            _put_one_of(state, "/model/activation_checkpointing", _BOOLEANS.get(value.lower()))
        elif name == "data-class":
            _put_data(state, value.split(separator), declared.get("data-asset"))


def _put_count(state: State, pointer: str, value: str) -> None:
    number = int(value) if value.isascii() and value.isdecimal() and len(value) <= 16 else None
    largest = 100 if pointer.endswith("_percent") else LARGEST_EXACT
    _put_one_of(state, pointer, number if number is not None and number <= largest else None)


def _put_one_of(state: State, pointer: str, value: Any) -> None:
    if value is None:
        state.hide(pointer, Reason.UNDECLARED)
    else:
        state.put(pointer, value, DECLARED)


def _put_data(state: State, classes: list[str], asset: tuple[str, str] | None) -> None:
    kind = _ASSETS.get(asset[0].lower()) if asset is not None else None
    names = dict.fromkeys(redact_text(name) for part in classes if (name := part.strip()))
    if names:
        state.put("/data", [{"class": name, "asset": kind} for name in names], DECLARED)
    else:
        state.hide("/data", Reason.UNDECLARED)


def shown_labels(metadata: dict[str, Any]) -> dict[str, str]:
    """The object's labels without secrets.

    Raises:
        RequestRefused: They are no texts by name.
    """
    labels = pairs(metadata, "labels")
    return redact_pairs(labels) if labels else {}
