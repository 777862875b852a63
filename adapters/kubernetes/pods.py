"""What one pod takes: accelerators, and what else it asks of its node."""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes import labels
from adapters.kubernetes.claims import Near
from adapters.kubernetes.counting import Containers, count_resources
from adapters.kubernetes.devices import (
    DEVICE,
    FRACTION,
    MEMORY,
    NETWORK,
    PERCENT,
    PRIVILEGE,
    Device,
    device_of,
)
from adapters.kubernetes.nodes import Nodes
from adapters.kubernetes.payload import objects, text, texts
from service.model.resource import Sharing
from service.model.sensitive import redact_image

_PARTS = frozenset({FRACTION, MEMORY, PERCENT})
_UNITS = {MEMORY: "MiB", PERCENT: "/100"}
_WHOLE = ""


class Taken(NamedTuple):
    """Accelerators of one kind that one pod takes; ``each`` is ``None`` where it is not known."""

    resource: str
    device: Device
    each: int | None


class Devices(NamedTuple):
    """What a pod takes of extended resources.

    ``fabric`` names network devices; ``unlisted`` are resources that nothing is known of;
    ``privileges`` are those that show every device of the node and take none.
    """

    taken: list[Taken]
    fabric: str | None
    unlisted: list[str]
    privileges: tuple[str, ...] = ()


_NO_DEVICES = Devices([], None, [])


def read_devices(pod: dict[str, Any], containers: Containers, near: Near | None = None) -> Devices:
    """The extended resources of *pod*, summed as the scheduler does.

    Device classes that are *near* say what the resources count that stand for them.

    Raises:
        RequestRefused: ``resources`` is no object.
    """
    asked = count_resources(pod, containers)
    if not asked:
        return _NO_DEVICES
    look_up = device_of if near is None else near.claims.device_of
    whole: list[Taken] = []
    parts: dict[str | None, list[Taken]] = {}
    fabric: list[str] = []
    unlisted: list[str] = []
    privileges: list[str] = []
    for name, (units, each) in asked.items():
        device = look_up(name)
        if device is None:
            unlisted.append(name)
        elif device.counts == NETWORK:
            fabric.append(name)
        elif units == 0:
            continue
        elif device.counts == DEVICE:
            whole.append(Taken(name, device, units))
        elif device.counts == PRIVILEGE:
            privileges.append(name)
        elif device.counts in _PARTS:
            parts.setdefault(device.manufacturer, []).append(Taken(name, device, each))
    taken = _divided(whole, parts) if parts else whole
    return Devices(taken, ",".join(fabric) or None, unlisted, tuple(privileges))


def _divided(whole: list[Taken], parts: dict[str | None, list[Taken]]) -> list[Taken]:
    """Devices as the memory and the cores that are asked for beside them divide them.

    Memory or cores without a device are of one device or of more: how many only the scheduler's
    configuration says.
    """
    slices = {maker: _slice(found) for maker, found in parts.items()}
    taken = [
        one._replace(device=one.device._replace(sharing=Sharing.FRACTION, slice=part))
        if (part := slices.get(one.device.manufacturer, _WHOLE)) != _WHOLE
        and one.device.slice is None
        else one
        for one in whole
    ]
    makers = {one.device.manufacturer for one in whole}
    for maker, found in parts.items():
        if maker not in makers:
            device = found[0].device._replace(sharing=Sharing.FRACTION)
            taken.append(Taken(found[0].resource, device, None))
    return taken


def _slice(parts: list[Taken]) -> str | None:
    """The part of each device, if its memory says."""
    for part in parts:
        if part.each and part.device.counts in _UNITS:
            return f"{part.each}{_UNITS[part.device.counts]}"
    return None


def described(taken: Taken, nodes: Nodes) -> dict[str, Any]:
    """The fields of an ``Accelerator``, except how many there are."""
    device = taken.device
    kind, part = device.sharing, device.slice
    if device.manufacturer == "nvidia" and nodes.constraints:
        if kind is None:
            kind = labels.sharing(nodes)
        if part is None and (part := labels.partition(nodes)) is not None and kind is None:
            kind = Sharing.MIG
    model = device.product
    if model is None and nodes.constraints:
        model = labels.product(nodes, device.manufacturer)
    return {
        "resource": taken.resource,
        "manufacturer": device.manufacturer,
        "model": model,
        "slice": part,
        "sharing": kind,
        "per_worker": taken.each,
    }


def read_images(containers: Containers) -> list[str]:
    """Every image of the pod once, without credentials.

    Raises:
        RequestRefused: An image is no text.
    """
    found: dict[str, None] = {}
    for group in containers:
        for container in group:
            image = text(container, "image")
            if image is not None:
                found[redact_image(image)] = None
    return list(found)


def read_tolerations(pod: dict[str, Any]) -> list[str]:
    """The keys of the taints that *pod* tolerates; ``*`` for all of them.

    All taints with one effect are ``*:NoExecute``: that lets no pod onto a node that keeps it from
    being scheduled.

    Raises:
        RequestRefused: The tolerations are no list of objects.
    """
    return list(dict.fromkeys(_tolerated(item) for item in objects(pod, "tolerations")))


def _tolerated(toleration: dict[str, Any]) -> str:
    key = text(toleration, "key")
    if key is not None:
        return key
    effect = text(toleration, "effect")
    return f"*:{effect}" if effect is not None else "*"


def words(container: dict[str, Any]) -> list[str]:
    """Command and arguments of *container*.

    Raises:
        RequestRefused: They are no lists of texts.
    """
    return [*texts(container, "command"), *texts(container, "args")]
