"""The rows of a catalog in the columns that people ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service.bundle.comparing import rows_of
from service.report.catalog import price

Row = dict[str, Any]

_OF_MODELS = (
    "params_m",
    "active_params_m",
    "layers",
    "kv_heads",
    "max_context",
    "attention",
    "weight_bits",
)


def _accelerators(catalog: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "accelerator": key[0],
            "vendor": row["manufacturer"],
            "printed_gb": row["memory_marketing_gb"],
            "usable_mib": row["usable_mib"],
            "estimate": row["usable_is_estimate"],
            "bandwidth_gbs": row["bandwidth_gbs"],
            "bf16_tflops": row["bf16_tflops"],
            "fp8_tflops": row["fp8_tflops"],
            "domain": row["scale_up_domain"],
            "precisions": row["precisions"],
            "stack": row["software_stack"],
            "rentable": row["rentable"],
            "status": row["status"],
        }
        for key, row in rows_of(catalog, "accelerators")
    ]


def _sizes(catalog: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "vendor": key[0],
            "type": key[1],
            "accelerator": row["accelerator"],
            "count": row["slice"] or row["count"],
            "vcpus": row["vcpus"],
            "host_mib": row["host_memory_mib"],
            "fabric": row["fabric"],
            "gbps": row["fabric_gbps"],
            "confidence": row["confidence"],
            "as_of": row["as_of"],
        }
        for key, row in rows_of(catalog, "instance_types")
    ]


def _prices(catalog: Mapping[str, Any]) -> list[Row]:
    sizes = catalog["instance_types"]
    return [
        {
            "vendor": key[0],
            "type": key[1],
            "accelerator": sizes[key[0]][key[1]]["accelerator"],
            "kind": key[2],
            "region": key[3],
            "per_hour": price(row["micros_per_hour"]),
            "currency": row["currency"],
            "as_of": row["as_of"],
            "confidence": row["confidence"],
            "source": row["source"],
        }
        for key, row in rows_of(catalog, "prices")
    ]


def _regions(catalog: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "vendor": key[0],
            "region": key[1],
            "country": row["country"],
            "city": row["city"],
            "kind": row["kind"],
            "partition": row["partition"],
            "paired_region": row["paired_region"],
        }
        for key, row in rows_of(catalog, "regions")
    ]


def _models(catalog: Mapping[str, Any]) -> list[Row]:
    return [
        {"name": key[0], **{column: row[column] for column in _OF_MODELS}}
        for key, row in rows_of(catalog, "models")
    ]


TABLES: dict[str, Callable[[Mapping[str, Any]], list[Row]]] = {
    "accelerators": _accelerators,
    "sizes": _sizes,
    "prices": _prices,
    "regions": _regions,
    "models": _models,
}
