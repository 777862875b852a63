"""Managed resources of Crossplane: machines of a cloud that are objects of a cluster.

Their providers are made from those of Terraform (upjet). ``spec.forProvider`` has the arguments of
a Terraform resource; blocks are lists of one in the first version of a kind, and objects in later
ones. ``spec.initProvider`` has what counts only where the other says nothing
(Crossplane docs, "Managed Resources").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.kubernetes.parts import Bounds
from adapters.kubernetes.paths import is_there, value_at
from adapters.kubernetes.payload import count, mapping, text, wrong
from service.model.base import Reason
from service.model.resource import Sharing

if TYPE_CHECKING:
    from adapters.kubernetes.kinds import Managed
    from adapters.kubernetes.state import State

_DEEPEST = 3
_UNSTATED = Reason.UNDECLARED
_MOST_ATTACHED = 16
# `europe-west4-a`; zones for machine learning are called `us-central1-ai1a`.
_GCP_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-(?:ai\d+)?[a-z]")


class Place(NamedTuple):
    """Where a managed resource is."""

    region: str | None
    zone: str | None = None


def plain(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with its arguments as objects, wherever and in whatever version they stand.

    Raises:
        RequestRefused: The arguments are no object.
    """
    spec = mapping(document, "spec")
    first, last = (_opened(mapping(spec, part)) for part in ("initProvider", "forProvider"))
    return {**document, "spec": {**spec, "forProvider": _merged(first, last)}}


def _opened(value: Any, depth: int = 0) -> Any:
    """*value* with each list of one replaced by what is in it."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is not dict or depth > _DEEPEST:
        return value
    return {key: _opened(part, depth + 1) for key, part in value.items()}


def _merged(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    result = dict(first)
    for key, value in last.items():
        before = result.get(key)
        if type(before) is dict and type(value) is dict:
            result[key] = _merged(before, value)
        elif value is not None:
            result[key] = value
    return result


def place_of(vendor: str | None, stated: str) -> Place:
    """What an argument that says where a resource of *vendor* is means."""
    if vendor == "azure":
        return Place(stated.replace(" ", "").lower())  # `West Europe` is a name of `westeurope`
    zone = _GCP_ZONE.fullmatch(stated) if vendor == "gcp" else None
    return Place(zone[1], stated) if zone is not None else Place(stated)


def in_zones(
    nodes: Bounds, document: dict[str, Any], managed: Managed, region: str | None
) -> Bounds:
    """*nodes*, which are those of one zone, in all zones; a region's zones are not known here."""
    if managed.zones is None or (managed.total is not None and is_there(document, managed.total)):
        return nodes
    zones = value_at(document, managed.zones)
    if type(zones) is list and zones:
        return nodes.times(Bounds(len(zones), len(zones)))
    if zones or (region is not None and _GCP_ZONE.fullmatch(region)):
        return nodes
    return nodes._replace(most=None, reason=nodes.reason or Reason.UNDECLARED)


def is_spot(document: dict[str, Any], managed: Managed) -> bool:
    """Whether the machines may be taken away at any time."""
    if managed.spot is None:
        return False
    stated = value_at(document, managed.spot)
    return stated is True or (type(stated) is str and stated.lower() == "spot")


def put_attached(state: State, document: dict[str, Any], managed: Managed, nodes: Bounds) -> None:
    """Put the accelerators that are attached to each machine, whatever its type.

    Raises:
        RequestRefused: They are no objects, or too many.
    """
    stated = value_at(document, managed.attached) if managed.attached is not None else None
    blocks = stated if type(stated) is list else [stated] if stated is not None else []
    if len(blocks) > _MOST_ATTACHED or any(type(block) is not dict for block in blocks):
        raise wrong("guestAccelerator", stated, f"at most {_MOST_ATTACHED} objects")
    entries: list[dict[str, Any]] = []
    for block in blocks:
        number = count(block, "count")
        if number == 0:
            continue
        name = (text(block, "type") or "").rpartition("/")[2] or None
        total = Bounds(number, number).times(nodes)
        here = f"/accelerators/{len(entries)}"
        missing = {"model": name, "per_worker": number, "total": total.most}
        for part in (part for part, value in missing.items() if value is None):
            state.hide(f"{here}/{part}", (total.reason if part == "total" else None) or _UNSTATED)
        entries.append(
            {
                "resource": name,
                "manufacturer": "nvidia" if name and name.startswith("nvidia-") else None,
                "model": name,
                "sharing": _sharing(block),
                "per_worker": number,
                "total": {"min": total.least, "max": total.most},
            }
        )
    if entries:
        state.fields["accelerators"] = entries


def _sharing(block: dict[str, Any]) -> Sharing:
    """Whether the nodes divide what is attached; bought is the whole device all the same."""
    if text(block, "gpuPartitionSize"):
        return Sharing.MIG
    shared = text(mapping(block, "gpuSharingConfig"), "gpuSharingStrategy")
    return Sharing.TIME_SLICED if shared else Sharing.WHOLE
