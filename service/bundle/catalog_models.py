"""Sizes of open-weight models, and the names they are served under."""

from __future__ import annotations

import math
from typing import Any

from service.bundle.catalog_rows import Row, Tables, read_table, unique

MODELS = (
    "id params_total_b params_active_b layers hidden attention_heads kv_heads head_dim max_context "
    "attention_kind kv_lora_rank qk_rope_head_dim window_tokens window_layers full_kv_heads "
    "full_head_dim kv_values_per_token window_kv_values_per_token kv_is_upper_bound weight_bits "
    "source notes"
)
ALIASES = "alias model source"

ATTENTION = ("gqa", "mha", "mla")

_THOUSAND = 1000


def read_models(directory: Tables) -> dict[str, dict[str, Any]]:
    """Models by id in lower case."""
    rows = unique(
        read_table(directory, "model_sizes.csv", MODELS), lambda row: row.text("id").lower()
    )
    return {name: _model(row) for name, row in rows.items()}


def _model(row: Row) -> dict[str, Any]:
    model: dict[str, Any] = {
        "params_m": _millions(row, "params_total_b"),
        "active_params_m": _millions(row, "params_active_b"),
        "layers": row.whole("layers", 1, 1000),
        "hidden": row.whole("hidden", 1, 1_000_000),
        "attention_heads": row.whole("attention_heads", 1, 10_000),
        "kv_heads": row.whole("kv_heads", 1, 10_000),
        "head_dim": row.whole("head_dim", 1, 10_000),
        "max_context": row.whole("max_context", 1, 1_000_000_000),
        "attention": row.choice("attention_kind", ATTENTION),
        "kv_values_per_token": row.whole("kv_values_per_token", 0, 100_000_000),
        # A model without windows keeps nothing in them, which is known and not missing.
        "window_tokens": row.whole("window_tokens", 1, 1_000_000_000) or 0,
        "window_kv_values_per_token": row.whole("window_kv_values_per_token", 1, 100_000_000) or 0,
        "kv_is_upper_bound": row.flag("kv_is_upper_bound"),
        "weight_bits": row.whole("weight_bits", 1, 32),
        "source": row.text("source"),
    }
    _check_shape(row, model)
    _check_cache(row, model)
    return model


def _check_shape(row: Row, model: dict[str, Any]) -> None:
    heads, cached = model["attention_heads"], model["kv_heads"]
    if heads and cached and heads % cached:
        raise row.refused(f"{heads} attention heads do not divide by {cached} heads of the cache")
    active, total = model["active_params_m"], model["params_m"]
    if active and total and active > total:
        raise row.refused("`params_active_b` is larger than `params_total_b`")


def _millions(row: Row, column: str) -> int | None:
    billions = row.number(column, "0.001", "100000")
    if billions is None:
        return None
    millions = billions * _THOUSAND
    if millions.denominator != 1:
        raise row.refused(f"`{column}` is `{row.cells[column]}`, expected at most three decimals")
    return millions.numerator


def _check_cache(row: Row, model: dict[str, Any]) -> None:
    """Compare the stated sizes of the cache with what the model's shape gives."""
    stated, layers = model["kv_values_per_token"], model["layers"]
    if model["attention"] == "mla":
        rank, rope = row.whole("kv_lora_rank", 1, 100_000), row.whole("qk_rope_head_dim", 1, 10_000)
        _expect_equal(row, "kv_values_per_token", stated, _product(layers, _sum(rank, rope)), _MLA)
        return
    windowed = row.whole("window_layers", 1, 1000) or 0
    heads, size = model["kv_heads"], model["head_dim"]
    if (model["window_tokens"] > 0) is not (windowed > 0) or windowed > (layers or windowed):
        raise row.refused("`window_tokens` and `window_layers` do not fit one another or `layers`")
    _expect_equal(
        row,
        "window_kv_values_per_token",
        model["window_kv_values_per_token"],
        _product(2 * windowed, heads, size),
        "2 x window_layers x kv_heads x head_dim",
    )
    full = _product(
        2 * (layers - windowed) if layers else None,
        row.whole("full_kv_heads", 1, 10_000) or heads,
        row.whole("full_head_dim", 1, 10_000) or size,
    )
    if not (model["kv_is_upper_bound"] and stated is not None and stated <= (full or stated)):
        _expect_equal(row, "kv_values_per_token", stated, full, _FULL)


_MLA = "layers x (kv_lora_rank + qk_rope_head_dim)"
_FULL = "2 x layers without a window x kv_heads x head_dim"


def _expect_equal(row: Row, column: str, stated: int | None, formula: int | None, how: str) -> None:
    if None not in (stated, formula) and stated != formula:
        raise row.refused(f"`{column}` is `{stated}`, expected {how} = {formula}")


def _product(*factors: int | None) -> int | None:
    """The product of *factors*; ``None`` where one is not known."""
    known = [factor for factor in factors if factor is not None]
    return math.prod(known) if len(known) == len(factors) else None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def read_model_names(directory: Tables, models: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Model ids by other names in lower case: stated aliases, and the last part of each id.

    A last part that two models share means neither.
    """
    stated: dict[str, str] = {}
    rows = unique(
        read_table(directory, "model_aliases.csv", ALIASES), lambda row: row.text("alias").lower()
    )
    for alias, row in rows.items():
        row.text("source")
        model = row.text("model").lower()
        if model not in models:
            raise row.refused(f"`{row.text('model')}` is not in model_sizes.csv")
        if alias in models:
            raise row.refused(f"`{row.text('alias')}` is a model of its own in model_sizes.csv")
        stated[alias] = model
    last_parts: dict[str, set[str]] = {}
    for name, model in (stated | {name: name for name in models}).items():
        last_parts.setdefault(name.rpartition("/")[2], set()).add(model)
    derived = {part: found.pop() for part, found in last_parts.items() if len(found) == 1}
    return {name: model for name, model in (derived | stated).items() if name not in models}
