"""Accelerators, the names they are called by, and the sizes that carry them."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from service.bundle import exact
from service.bundle.catalog_rows import Row, read_table, unique
from service.model.base import PriceKind

if TYPE_CHECKING:
    from pathlib import Path

ACCELERATORS = (
    "id vendor product_label aliases memory_marketing_gb memory_usable_mib memory_bandwidth_gbs "
    "bf16_dense_tflops fp8_dense_tflops interconnect interconnect_oneway_gbs scale_up_domain_size "
    "mig_profiles software_stack rentable tdp_w source checked notes"
)
NAMES = "name accelerator source"
SIZES = (
    "vendor instance_type accelerator accelerator_count memory_per_accelerator_gib vcpus "
    "host_memory_gib fabric fabric_gbps as_of source confidence notes"
)
FAMILIES = "vendor prefix carries note source"
RESOURCES = "resource vendor accelerator_family counts note source"

CONFIDENCE = ("high", "low", "medium")
PRICE_KINDS = tuple(kind.value for kind in PriceKind)
RENTABLE = ("api-only", "first-party-only", "yes")
CARRIES = ("attachable", "none", "some")
COUNTS = ("device", "fraction", "network", "priority", "privilege", "shared replica", "slice")

# What is left of the printed memory of a card whose usable figure nobody has read: the careful
# estimate that bundles/catalog/README.md gives for NVIDIA's cards.
_USABLE_PERCENT = 99


def read_accelerators(directory: Path) -> dict[str, dict[str, Any]]:
    """Accelerators by id; figures nobody has read are ``None``."""
    rows = unique(
        read_table(directory, "accelerators.csv", ACCELERATORS), lambda row: row.text("id")
    )
    return {name: _accelerator(row) for name, row in rows.items()}


def _accelerator(row: Row) -> dict[str, Any]:
    printed = row.number("memory_marketing_gb", "0.1", "1024")
    usable = row.whole("memory_usable_mib", 64, 1024 * 1024)
    estimate = usable is None and printed is not None and row.text("vendor") == "nvidia"
    if usable is not None and printed is not None:
        _check_usable(row, usable, printed)
    if estimate and printed is not None:
        usable = _estimated(printed)
    bf16 = row.number("bf16_dense_tflops", "1", "100000")
    fp8 = row.number("fp8_dense_tflops", "1", "100000")
    if (
        bf16 is not None
        and fp8 is not None
        and not Fraction(99, 100) <= fp8 / bf16 <= Fraction(9, 2)
    ):
        raise row.refused("`fp8_dense_tflops` is not 0.99 to 4.5 times `bf16_dense_tflops`")
    row.whole("tdp_w", 20, 1500)
    row.number("interconnect_oneway_gbs", "1", "10000")
    return {
        "manufacturer": row.text("vendor"),
        "label": row.optional("product_label") or row.text("id"),
        "memory_marketing_gb": None if printed is None else exact.rounded(printed) or None,
        "usable_mib": usable,
        "usable_is_estimate": estimate,
        "bandwidth_gbs": row.rounded("memory_bandwidth_gbs", "10", "100000000"),
        "bf16_tflops": None if bf16 is None else exact.rounded(bf16),
        "fp8_tflops": None if fp8 is None else exact.rounded(fp8),
        "interconnect": row.optional("interconnect"),
        "scale_up_domain": row.whole("scale_up_domain_size", 1, 100_000),
        "mig_profiles": row.items("mig_profiles"),
        "slices": _slices(row, printed),
        "software_stack": row.optional("software_stack"),
        "rentable": row.choice("rentable", RENTABLE),
        "source": row.text("source"),
        "checked": row.day("checked"),
    }


def _check_usable(row: Row, usable: int, printed: Fraction) -> None:
    share = usable / (printed * 1024)
    if not Fraction(93, 100) <= share <= Fraction(103, 100):
        raise row.refused(
            f"`memory_usable_mib` is `{usable}`, expected 0.93 to 1.03 of the"
            f" `{row.cells['memory_marketing_gb']}` GB printed"
        )


def _estimated(gib: Fraction) -> int:
    return floor(gib * 1024 * _USABLE_PERCENT / 100)


def _slices(row: Row, printed: Fraction | None) -> dict[str, dict[str, Any]]:
    """What a partition is estimated to offer, by its profile's name.

    The name of a MIG profile tells its memory in GB: ``1g.10gb+me``. Names of other makers'
    partition modes tell nothing and have no entry.
    """
    slices: dict[str, dict[str, Any]] = {}
    for profile in row.items("mig_profiles"):
        compute, _, memory = profile.partition(".")
        gigabytes = memory.split("gb", 1)[0]
        if not (compute.endswith("g") and "gb" in memory and gigabytes.isdecimal()):
            continue
        if printed is not None and int(gigabytes) > printed:
            raise row.refused(f"the profile `{profile}` is larger than the card")
        # Kubernetes cannot write a plus sign in a resource name: `+me` becomes `.me`.
        for name in {profile, profile.replace("+", ".")}:
            slices[name] = {
                "usable_mib": _estimated(Fraction(int(gigabytes))),
                "usable_is_estimate": True,
            }
    return slices


def read_names(directory: Path, accelerators: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Accelerator ids by every name in lower case that means one accelerator only.

    Ids, product labels and the rows of ``accelerator_names.csv`` are certain and may not
    contradict one another. Aliases are what people write: one that is claimed by two cards means
    neither.
    """
    certain: dict[str, str] = {name: name for name in accelerators}
    claimed: dict[str, set[str]] = {}
    for row in read_table(directory, "accelerators.csv", ACCELERATORS):
        identity = row.text("id")
        label = row.optional("product_label")
        if label:
            _claim(certain, row, label, identity)
            claimed.setdefault(label.lower().replace("-", " "), set()).add(identity)
        for alias in row.items("aliases"):
            claimed.setdefault(alias.lower(), set()).add(identity)
    for row in read_table(directory, "accelerator_names.csv", NAMES):
        if row.text("accelerator") not in accelerators:
            raise row.refused(f"`{row.text('accelerator')}` is not in accelerators.csv")
        _claim(certain, row, row.text("name"), row.text("accelerator"))
    names = {alias: ids.pop() for alias, ids in claimed.items() if len(ids) == 1}
    return names | certain


def _claim(names: dict[str, str], row: Row, name: str, identity: str) -> None:
    holder = names.setdefault(name.lower(), identity)
    if holder != identity:
        raise row.refused(f"the name `{name}` means `{identity}` here and `{holder}` elsewhere")


def read_sizes(
    directory: Path, accelerators: dict[str, dict[str, Any]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Instance types by vendor and name."""
    rows = unique(
        read_table(directory, "instance_types.csv", SIZES),
        lambda row: (row.text("vendor"), row.text("instance_type")),
    )
    sizes: dict[str, dict[str, dict[str, Any]]] = {}
    for (vendor, name), row in rows.items():
        sizes.setdefault(vendor, {})[name] = _size(row, accelerators)
    return sizes


def _size(row: Row, accelerators: dict[str, dict[str, Any]]) -> dict[str, Any]:
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
                f" expected within 8 % of {float(expected):g} for `{identity}`"
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
    bounds = [] if memory is None else [_estimated(memory)]
    if card["usable_mib"] is not None:
        bounds.append(floor(card["usable_mib"] * share))
    return min(bounds) if bounds else None


def read_families(directory: Path) -> dict[str, dict[str, str]]:
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


def read_resources(directory: Path) -> dict[str, dict[str, str | None]]:
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
