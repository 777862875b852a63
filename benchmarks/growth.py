"""Whether rules take longer where the catalog is larger: the same requests, ten times the tables.

Rules look up and never scan, so the ratio of times is near 1 however large a catalog is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.interpreter import interpreter
from service.bundle.catalog import index_of
from service.bundle.values import Bundle
from service.evaluate.evaluator import Rules


def compare(bundle: Bundle, bodies: Sequence[str], *, times: int = 10, rounds: int = 7) -> None:
    """Print how much longer *bodies*, requests as JSON, take with a catalog *times* as large."""
    engines = {1: interpreter(bundle), times: interpreter(grown(bundle, times))}
    best = dict.fromkeys(engines, 1e12)
    for _ in range(rounds):
        for size, rules in engines.items():
            best[size] = min(best[size], _seconds(rules, bodies))
    print(
        f"engine: with {times} times as many accelerators, prices and instance types:"
        f" {best[times] / best[1]:.2f} times as long"
    )


def grown(bundle: Bundle, times: int) -> Bundle:
    """*bundle* with a catalog that has all accelerators, sizes and prices *times* times.

    The further ones have names of their own, and are in the index as any other.
    """
    catalog = dict(bundle.data["catalog"])
    copies = range(1, times)
    accelerators = catalog["accelerators"]
    catalog["accelerators"] = accelerators | {
        f"{name}-{copy}": {**row, "label": f"{row['label']}-{copy}"}
        for copy in copies
        for name, row in accelerators.items()
    }
    for table in ("instance_types", "prices"):
        catalog[table] = {
            vendor: rows
            | {f"{name}.{copy}": _of(row, copy) for copy in copies for name, row in rows.items()}
            for vendor, rows in catalog[table].items()
        }
    return replace(bundle, data={**bundle.data, "catalog": catalog, "index": index_of(catalog)})


def _of(row: dict[str, Any], copy: int) -> dict[str, Any]:
    """A size of the accelerator's *copy*; prices stay as they are."""
    return {**row, "accelerator": f"{row['accelerator']}-{copy}"} if "accelerator" in row else row


def _seconds(rules: Rules, bodies: Sequence[str]) -> float:
    begun = time.perf_counter()
    for body in bodies:
        rules.findings(body)
    return time.perf_counter() - begun
