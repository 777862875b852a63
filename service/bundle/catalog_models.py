"""Sizes of open-weight models, and the names they are served under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.bundle.catalog_rows import Row, read_table, unique

if TYPE_CHECKING:
    from pathlib import Path

MODELS = (
    "id params_total_b params_active_b layers hidden attention_heads kv_heads head_dim max_context "
    "attention_kind kv_values_per_token kv_is_upper_bound weight_bits source notes"
)
ALIASES = "alias model source"

ATTENTION = ("gqa", "mha", "mla")

_THOUSAND = 1000


def read_models(directory: Path) -> dict[str, dict[str, Any]]:
    """Models by id in lower case."""
    rows = unique(
        read_table(directory, "model_sizes.csv", MODELS), lambda row: row.text("id").lower()
    )
    return {name: _model(row) for name, row in rows.items()}


def _model(row: Row) -> dict[str, Any]:
    attention = row.choice("attention_kind", ATTENTION)
    model: dict[str, Any] = {
        "params_m": _millions(row, "params_total_b"),
        "active_params_m": _millions(row, "params_active_b"),
        "layers": row.whole("layers", 1, 1000),
        "hidden": row.whole("hidden", 1, 1_000_000),
        "attention_heads": row.whole("attention_heads", 1, 10_000),
        "kv_heads": row.whole("kv_heads", 1, 10_000),
        "head_dim": row.whole("head_dim", 1, 10_000),
        "max_context": row.whole("max_context", 1, 1_000_000_000),
        "attention": attention,
        "kv_values_per_token": row.whole("kv_values_per_token", 1, 100_000_000),
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
    """Grouped-query and multi-head attention cache two vectors per head and layer of the cache."""
    stated = model["kv_values_per_token"]
    parts = (model["layers"], model["kv_heads"], model["head_dim"])
    if stated is None or model["attention"] == "mla" or None in parts:
        return
    layers, heads, size = parts
    formula = 2 * layers * heads * size
    if stated > formula or (stated < formula and not model["kv_is_upper_bound"]):
        raise row.refused(
            f"`kv_values_per_token` is `{stated}`, expected 2 x layers x kv_heads x head_dim ="
            f" {formula}"
        )


def read_model_names(directory: Path, models: dict[str, dict[str, Any]]) -> dict[str, str]:
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
