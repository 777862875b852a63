"""What one pod takes: accelerators, and what else it asks of its node."""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes import labels
from adapters.kubernetes.devices import (
    DEVICE,
    FRACTION,
    MEMORY,
    NETWORK,
    PERCENT,
    Device,
    device_of,
)
from adapters.kubernetes.nodes import Nodes
from adapters.kubernetes.payload import mapping, objects, text, texts
from adapters.kubernetes.quantities import mebibytes, whole
from service.model.resource import Sharing
from service.model.sensitive import redact_image

_NOTHING: dict[str, Any] = {}
_PARTS = frozenset({FRACTION, MEMORY, PERCENT})
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # a mount point inside a container


class Containers(NamedTuple):
    """The containers of a pod, in the order in which they start."""

    init: list[dict[str, Any]]
    app: list[dict[str, Any]]


class Taken(NamedTuple):
    """Accelerators of one kind that one pod takes; ``each`` is ``None`` where it is not known."""

    resource: str
    device: Device
    each: int | None


class Devices(NamedTuple):
    """What a pod takes of extended resources.

    ``fabric`` names network devices; ``unlisted`` are resources that nothing is known of.
    """

    taken: list[Taken]
    fabric: str | None
    unlisted: list[str]


def read_containers(pod: dict[str, Any]) -> Containers:
    """The containers of the pod specification *pod*.

    Raises:
        RequestRefused: They are no lists of objects.
    """
    return Containers(objects(pod, "initContainers"), objects(pod, "containers"))


def read_devices(pod: dict[str, Any], containers: Containers) -> Devices:
    """The extended resources of *pod*, summed as the scheduler does.

    Raises:
        RequestRefused: ``resources`` is no object.
    """
    asked = _asked(pod, containers)
    if not asked:
        return Devices([], None, [])
    kinds = {name: device_of(name) for name in asked}
    taken: list[Taken] = []
    for name, device in kinds.items():
        if device is not None and device.counts == DEVICE and asked[name] != 0:
            taken.append(Taken(name, _divided(name, device, kinds, asked), asked[name]))
    makers = {one.device.manufacturer for one in taken}
    for name, device in kinds.items():
        # Memory or cores of a device, and no device: the scheduler gives one or more, but how many
        # only its configuration says.
        if device is None or device.counts not in _PARTS or asked[name] == 0:
            continue
        if device.manufacturer not in makers:
            makers.add(device.manufacturer)
            taken.append(Taken(name, device._replace(sharing=Sharing.FRACTION), None))
    fabric = [name for name, kind in kinds.items() if kind is not None and kind.counts == NETWORK]
    unlisted = [name for name, kind in kinds.items() if kind is None]
    return Devices(taken, ",".join(fabric) or None, unlisted)


def _asked(pod: dict[str, Any], containers: Containers) -> dict[str, int | None]:
    """Units of each extended resource, ``None`` where a quantity is none.

    As ``PodRequests`` of the scheduler: what the containers need together, or what one init
    container needs beside the sidecars that were started before it, whichever is more.
    """
    init = [(_quantities(item), item.get("restartPolicy") == "Always") for item in containers.init]
    app = [_quantities(item) for item in containers.app]
    whole_pod = _quantities(pod)
    asked: dict[str, int | None] = {}
    names = dict.fromkeys(
        name for found in (*app, *(found for found, _ in init), whole_pod) for name in found
    )
    for name in names:
        total = _sum([whole(found[name]) for found in app if name in found])
        sidecars: int | None = 0
        largest: int | None = 0
        for found, is_sidecar in init:
            own = whole(found[name]) if name in found else 0
            together = _sum([sidecars, own])
            largest = _larger(largest, together)
            if is_sidecar:
                sidecars = together
        asked[name] = _larger(_sum([total, sidecars]), largest)
        if name in whole_pod:
            asked[name] = _larger(asked[name], whole(whole_pod[name]))
    return asked


def _quantities(owner: dict[str, Any]) -> dict[str, Any]:
    """Quantities by extended resource: its limit, or its request where it has no limit."""
    resources = mapping(owner, "resources")
    if not resources:
        return _NOTHING
    return {
        name: quantity
        for part in ("requests", "limits")
        for name, quantity in mapping(resources, part).items()
        if "/" in name
    }


def _sum(parts: list[int | None]) -> int | None:
    total = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _larger(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _divided(
    name: str, device: Device, kinds: dict[str, Device | None], asked: dict[str, int | None]
) -> Device:
    """*device* as the memory and the cores that are asked for beside it divide it."""
    if device.slice is not None:
        return device
    divided = False
    for other, kind in kinds.items():
        if kind is None or other == name or kind.manufacturer != device.manufacturer:
            continue
        amount = asked[other]
        if kind.counts in {MEMORY, PERCENT}:
            unit = "MiB" if kind.counts == MEMORY else "/100"
            part = f"{amount}{unit}" if amount else None
            return device._replace(sharing=Sharing.FRACTION, slice=part)
        divided = divided or kind.counts == FRACTION
    return device._replace(sharing=Sharing.FRACTION) if divided else device


def described(taken: Taken, nodes: Nodes) -> dict[str, Any]:
    """The fields of an ``Accelerator``, except how many there are."""
    device = taken.device
    kind, part = device.sharing, device.slice
    if device.manufacturer == "nvidia" and nodes.constraints:
        if kind is None:
            kind = labels.sharing(nodes)
        if part is None and (part := labels.partition(nodes)) is not None and kind is None:
            kind = Sharing.MIG
    model = labels.product(nodes, device.manufacturer) if nodes.constraints else None
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


class SharedMemory(NamedTuple):
    """Memory at ``/dev/shm`` in MiB; ``known`` is false where a volume sets no limit."""

    mib: int | None = None
    known: bool = True


def read_shared_memory(pod: dict[str, Any], containers: Containers) -> SharedMemory:
    """The memory volume that a container of *pod* mounts at ``/dev/shm``.

    Raises:
        RequestRefused: Volumes or mounts have another type than the API has there.
    """
    volumes = {}
    for volume in objects(pod, "volumes"):
        directory = mapping(volume, "emptyDir")
        if directory.get("medium") == "Memory":
            volumes[text(volume, "name")] = directory
    if not volumes:
        return SharedMemory()
    for container in containers.app:
        for mount in objects(container, "volumeMounts"):
            path, name = text(mount, "mountPath"), text(mount, "name")
            if path is not None and path.rstrip("/") == _SHARED_MEMORY and name in volumes:
                size = mebibytes(volumes[name].get("sizeLimit"))
                return SharedMemory(size, known=size is not None)
    return SharedMemory()


def read_tolerations(pod: dict[str, Any]) -> list[str]:
    """The keys of the taints that *pod* tolerates; ``*`` for all of them.

    Raises:
        RequestRefused: The tolerations are no list of objects.
    """
    return list(dict.fromkeys(text(item, "key") or "*" for item in objects(pod, "tolerations")))


def words(container: dict[str, Any]) -> list[str]:
    """Command and arguments of *container*.

    Raises:
        RequestRefused: They are no lists of texts.
    """
    return [*texts(container, "command"), *texts(container, "args")]
