"""Instance types, what their families carry, and what Kubernetes counts."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

from service.bundle import exact
from service.bundle.catalog_accelerators import Accelerators, estimated_mib
from service.bundle.catalog_rows import Row, Tables, read_table, unique

SIZES = (
    "vendor instance_type accelerator accelerator_count memory_per_accelerator_gib vcpus "
    "host_memory_gib fabric fabric_gbps as_of source confidence notes"
)
FAMILIES = "vendor prefix carries note source"
RESOURCES = "resource vendor accelerator_family counts note source"

Sizes = dict[str, dict[str, dict[str, Any]]]

CONFIDENCE = ("high", "low", "medium")
CARRIES = ("attachable", "none", "some")
COUNTS = ("device", "fraction", "network", "priority", "privilege", "shared replica", "slice")


def read_sizes(directory: Tables, accelerators: Accelerators) -> Sizes:
    """Instance types by vendor and name."""
    rows = unique(
        read_table(directory, "instance_types.csv", SIZES),
        lambda row: (row.text("vendor"), row.text("instance_type")),
    )
    sizes: Sizes = {}
    for (vendor, name), row in rows.items():
        sizes.setdefault(vendor, {})[name] = check_size(row, accelerators)
    return sizes


def check_size(row: Row, accelerators: Accelerators) -> dict[str, Any]:
    """The instance type that *row* states, with an accelerator that the catalog has.

    Raises:
        BundleRefused: The accelerator does not exist, or a figure is outside its bounds.
    """
    identity = row.text("accelerator")
    card = accelerators.get(identity)
    if card is None:
        raise row.refused(f"the accelerator `{identity}` is not in accelerators.csv")
    count, share = _count(row)
    memory = row.number("memory_per_accelerator_gib", "0.5", "1024")
    printed = card["memory_marketing_gb"]
    if memory is not None and printed is not None:
        expected = printed * share
        if abs(memory - expected) > expected * Fraction(8, 100):
            raise row.refused(
                f"`memory_per_accelerator_gib` is `{row.cells['memory_per_accelerator_gib']}`,"
                f" expected within 8 % of {exact.shown(expected)} for `{identity}`"
            )
    host = row.number("host_memory_gib", "4", "4200")
    return {
        "accelerator": identity,
        "count": count,
        "slice": None if share == 1 else f"{share.numerator}/{share.denominator}",
        "usable_mib": None if share == 1 else _usable_of_share(card, share, memory),
        "usable_is_estimate": share != 1,
        "vcpus": row.whole("vcpus", 1, 400),
        "host_memory_mib": None if host is None else exact.rounded(host * 1024),
        "fabric": row.optional("fabric"),
        "fabric_gbps": row.whole("fabric_gbps", 1, 100_000),
        "confidence": row.choice("confidence", CONFIDENCE),
        "source": row.text("source"),
        "as_of": row.day("as_of"),
    }


def _count(row: Row) -> tuple[int, Fraction]:
    """How many devices a size has, and the share of a device that each is."""
    text = row.text("accelerator_count")
    upper, slash, lower = text.partition("/")
    numbers = [part for part in (upper, lower) if part.isascii() and part.isdecimal()]
    if slash and len(numbers) == 2 and 1 <= int(upper) < int(lower) <= 64:
        return 1, Fraction(int(upper), int(lower))
    if not slash and len(numbers) == 1 and 1 <= int(text) <= 128:
        return int(text), Fraction(1)
    raise row.refused(
        f"`accelerator_count` is `{text}`, expected a whole number or a share such as `1/8`"
    )


def _usable_of_share(card: dict[str, Any], share: Fraction, memory: Fraction | None) -> int | None:
    bounds = [] if memory is None else [estimated_mib(memory)]
    if card["usable_mib"] is not None:
        bounds.append(floor(card["usable_mib"] * share))
    return min(bounds) if bounds else None


def read_families(directory: Tables) -> dict[str, dict[str, str]]:
    """What instance types with a prefix carry, by vendor and prefix; the longest prefix decides.

    ``none``: no accelerator. ``attachable``: none but those stated beside the type. ``some``:
    accelerators, of which the catalog may not know this size.
    """
    rows = unique(
        read_table(directory, "instance_families.csv", FAMILIES),
        lambda row: (row.text("vendor"), row.text("prefix")),
    )
    families: dict[str, dict[str, str]] = {}
    for (vendor, prefix), row in rows.items():
        row.text("source")
        families.setdefault(vendor, {})[prefix] = row.choice("carries", CARRIES)
    return families


def read_resources(directory: Tables) -> dict[str, dict[str, str | None]]:
    """What an extended resource of Kubernetes counts, by its name or pattern (``*``)."""
    rows = unique(
        read_table(directory, "kubernetes_resources.csv", RESOURCES),
        lambda row: row.text("resource"),
    )
    return {
        name: {
            "manufacturer": row.text("vendor"),
            "family": row.optional("accelerator_family"),
            "counts": row.choice("counts", COUNTS),
        }
        for name, row in rows.items()
    }
