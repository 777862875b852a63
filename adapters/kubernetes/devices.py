"""What the name of an extended resource counts."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from service.model.resource import Sharing

DEVICE = "device"
FRACTION = "fraction"
MEMORY = "memory"
PERCENT = "percent"
NETWORK = "network"
PRIVILEGE = "privilege"

DEVICE_CLASS_PREFIX = "deviceclass.resource.kubernetes.io/"
"""Before the name of a DeviceClass, that of the extended resource that stands for it.

See Kubernetes docs, "Dynamic Resource Allocation".
"""

CLOUDS = {"aws": "aws", "google": "gcp"}
"""By manufacturer, the clouds that are the only ones to have the accelerators they make."""

_ANY_CLASS = {
    "resource": f"{DEVICE_CLASS_PREFIX}*",
    "counts": DEVICE,
    "manufacturer": "",
    "sharing": "",
    "slice": "",
}
_LONGEST_NAME = 317
"""A DNS subdomain of 253 characters, a slash and a name of 63."""

# A device of a kind that we do not list: its name says that it computes.
_LOOKS_LIKE_ACCELERATOR = re.compile(
    r"(?<![a-z])[vsp]?(?:gpu|npu|tpu|xpu|dcu|mlu|gcu|ipu|accelerator|gaudi|neuron|ascend)"
)


class Device(NamedTuple):
    """What one unit of a resource is.

    Attributes:
        counts: ``device`` (a whole one or a part that the name states), ``fraction``, ``memory`` in
            MiB or ``percent`` of the devices asked for beside it, ``network``, ``privilege``, or
            ``other`` for what computes nothing.
        manufacturer: Who makes it, if the name says.
        sharing: How a device is divided, if the name says.
        slice: Which part of a device it is, if the name says.
        product: The product's label, if a request names it.
        instance_type: What carries it, if a request names that.
    """

    counts: str
    manufacturer: str | None = None
    sharing: Sharing | None = None
    slice: str | None = None
    product: str | None = None
    instance_type: str | None = None


class _Row(NamedTuple):
    pattern: re.Pattern[str]
    device: Device
    has_slice_in_name: bool


def device_of(resource: str) -> Device | None:
    """What *resource* counts; ``None`` if nothing is known of it."""
    return _device_of(resource) if len(resource) <= _LONGEST_NAME else None


@lru_cache(maxsize=4096)
def _device_of(resource: str) -> Device | None:
    for row in _rows():
        match = row.pattern.fullmatch(resource)
        if match is None:
            continue
        if row.has_slice_in_name:
            return row.device._replace(slice=_slice(resource, match))
        return row.device
    if looks_like_accelerator(resource):
        return Device(DEVICE)
    return None


def looks_like_accelerator(name: str) -> bool:
    """Whether *name* says that it computes, though nothing lists it."""
    return _LOOKS_LIKE_ACCELERATOR.search(name.lower()) is not None


def _slice(resource: str, match: re.Match[str]) -> str:
    """The profile in a name: ``1g.10gb`` of ``mig-1g.10gb``, ``cpx_nps4`` as it stands."""
    if match.re.groups == 1:
        # A plus sign is not allowed in a resource's name, so `1g.10gb+me` ends in `.me` there.
        return re.sub(r"\.me\b", "+me", match[1])
    return resource.partition("/")[2]


@lru_cache(maxsize=1)
def _rows() -> tuple[_Row, ...]:
    """Names of extended resources, then those that stand for the classes that drivers bring."""
    classes = (
        {**row, "resource": DEVICE_CLASS_PREFIX + row["class"], "slice": ""}
        for row in _table("device_classes.csv")
    )
    return tuple(
        _Row(
            re.compile(re.escape(row["resource"]).replace(r"\*", "(.+)")),
            Device(
                row["counts"],
                row["manufacturer"] or None,
                Sharing(row["sharing"]) if row["sharing"] else None,
                row["slice"] if row["slice"] not in {"", "*"} else None,
            ),
            row["slice"] == "*",
        )
        for row in (*_table("resources.csv"), *classes, _ANY_CLASS)
    )


def _table(name: str) -> csv.DictReader[str]:
    table = resources.files(__package__).joinpath(name).read_text("utf-8")
    return csv.DictReader(table.splitlines())
