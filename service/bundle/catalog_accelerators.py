"""Accelerators, their partitions, and the names they are called by."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

from service.bundle import exact
from service.bundle.catalog_rows import Row, Tables, read_table, unique

ACCELERATORS = (
    "id vendor product_label aliases memory_marketing_gb memory_usable_mib memory_bandwidth_gbs "
    "bf16_dense_tflops fp8_dense_tflops interconnect interconnect_oneway_gbs scale_up_domain_size "
    "mig_profiles software_stack rentable status precisions proprietary tdp_w source checked notes"
)
PROFILES = "accelerator profile memory_gib source"
NAMES = "name accelerator source"

RENTABLE = ("api-only", "first-party-only", "yes")
STATUS = ("current", "previous", "retired")
PRECISIONS = ("bf16", "fp16", "fp32", "fp4", "fp6", "fp64", "fp8", "int8", "tf32")

# What is left of the printed memory where nobody has read the usable figure: 0.99 of a card as
# bundles/catalog/README.md says, and of a MIG profile the smallest share that was read (10.62 GiB
# of `1g.12gb`).
_PERCENT_OF_CARD = 99
_PERCENT_OF_PROFILE = 88

Accelerators = dict[str, dict[str, Any]]


def read_accelerators(directory: Tables) -> Accelerators:
    """Accelerators by id; figures nobody has read are ``None``."""
    rows = unique(
        read_table(directory, "accelerators.csv", ACCELERATORS), lambda row: row.text("id")
    )
    accelerators = {name: _accelerator(row) for name, row in rows.items()}
    _fill_in_profiles(directory, accelerators)
    return accelerators


def _accelerator(row: Row) -> dict[str, Any]:
    printed = row.number("memory_marketing_gb", "0.1", "1024")
    usable = row.whole("memory_usable_mib", 64, 1024 * 1024)
    estimate = usable is None and printed is not None and row.text("vendor") == "nvidia"
    if usable is not None and printed is not None:
        _check_usable(row, usable, printed)
    if estimate and printed is not None:
        usable = estimated_mib(printed)
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
        "status": row.choice("status", STATUS) if row.optional("status") else None,
        "precisions": _precisions(row),
        "proprietary": row.flag("proprietary") if row.optional("proprietary") else None,
        "source": row.text("source"),
        "checked": row.day("checked"),
    }


def _precisions(row: Row) -> list[str] | None:
    """The number formats that the hardware computes in; ``None`` where nobody has read them.

    A list that is there is complete: a format that it lacks is not computed natively.
    """
    formats = row.items("precisions")
    for index, name in enumerate(formats):
        if name not in PRECISIONS or name in formats[:index]:
            raise row.refused(
                f"`precisions` holds `{name}`, expected each once of {', '.join(PRECISIONS)}"
            )
    return formats or None


def _check_usable(row: Row, usable: int, printed: Fraction) -> None:
    share = usable / (printed * 1024)
    if not Fraction(93, 100) <= share <= Fraction(103, 100):
        raise row.refused(
            f"`memory_usable_mib` is `{usable}`, expected 0.93 to 1.03 of the"
            f" `{row.cells['memory_marketing_gb']}` GB printed"
        )


def estimated_mib(gib: Fraction, percent: int = _PERCENT_OF_CARD) -> int:
    """What *percent* of printed GiB leaves, in whole MiB; to be marked as an estimate."""
    return floor(gib * 1024 * percent / 100)


def _slices(row: Row, printed: Fraction | None) -> dict[str, dict[str, Any]]:
    """What a partition is estimated to offer, by its profile's name.

    The name of a MIG profile tells its memory in GB: ``1g.10gb+me``. Names of other makers'
    partition modes tell nothing and have no entry.
    """
    slices: dict[str, dict[str, Any]] = {}
    for profile in row.items("mig_profiles"):
        gigabytes = _gigabytes(profile)
        if gigabytes is None:
            continue
        if printed is not None and gigabytes > printed:
            raise row.refused(f"the profile `{profile}` is larger than the card")
        # Kubernetes cannot write a plus sign in a resource name: `+me` becomes `.me`.
        for name in (profile, profile.replace("+", ".")):
            slices[name] = {
                "usable_mib": estimated_mib(Fraction(gigabytes), _PERCENT_OF_PROFILE),
                "usable_is_estimate": True,
            }
    return slices


def _gigabytes(profile: str) -> int | None:
    compute, _, memory = profile.partition(".")
    number, unit, _ = memory.partition("gb")
    if unit and number.isdecimal() and compute.endswith("g"):
        return int(number)
    return None


def _fill_in_profiles(directory: Tables, accelerators: Accelerators) -> None:
    """Replace estimates by what the driver says of a profile; media engines take no memory."""
    rows = unique(
        read_table(directory, "mig_profiles.csv", PROFILES),
        lambda row: (row.text("accelerator"), row.text("profile")),
    )
    for (name, profile), row in rows.items():
        row.text("source")
        slices = accelerators[name]["slices"] if name in accelerators else {}
        if profile not in slices:
            raise row.refused(f"`{name}` has no profile `{profile}` in accelerators.csv")
        memory = row.number("memory_gib", "1", str(_gigabytes(profile)))
        if memory is None:
            raise row.refused("`memory_gib` is empty, expected what the driver reports")
        for variant in (profile, f"{profile}+me", f"{profile}.me"):
            if variant in slices:
                slices[variant] = {
                    "usable_mib": floor(memory * 1024),
                    "usable_is_estimate": False,
                }


def read_names(directory: Tables, accelerators: Accelerators) -> dict[str, str]:
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
    stated = read_table(directory, "accelerator_names.csv", NAMES)
    for name, row in unique(stated, lambda row: row.text("name").lower()).items():
        row.text("source")
        if row.text("accelerator") not in accelerators:
            raise row.refused(f"`{row.text('accelerator')}` is not in accelerators.csv")
        _claim(certain, row, name, row.text("accelerator"))
    names = {alias: ids.pop() for alias, ids in claimed.items() if len(ids) == 1}
    return names | certain


def _claim(names: dict[str, str], row: Row, name: str, identity: str) -> None:
    holder = names.setdefault(name.lower(), identity)
    if holder != identity:
        raise row.refused(f"the name `{name}` means `{identity}` here and `{holder}` elsewhere")
