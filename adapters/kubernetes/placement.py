"""What a pod asks of its node beside accelerators: shared memory, and a way to a fabric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.kubernetes.payload import mapping, objects, text
from adapters.kubernetes.quantities import mebibytes

if TYPE_CHECKING:
    from adapters.kubernetes.counting import Containers
    from adapters.kubernetes.pods import Devices

_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # a mount point inside a container
_NETWORKS = ("networking.gke.io/interfaces", "k8s.v1.cni.cncf.io/networks")
_DEVICE_FILES = "/dev/infiniband"
_PRIVILEGED = "securityContext.privileged"


class SharedMemory(NamedTuple):
    """Memory at ``/dev/shm`` in MiB.

    ``None`` is the container runtime's default of 64 MiB, unless ``known`` is false: then a volume
    is mounted there whose size nobody states.
    """

    mib: int | None = None
    known: bool = True


def read_shared_memory(pod: dict[str, Any], containers: Containers) -> SharedMemory:
    """What a container of *pod* mounts at ``/dev/shm``.

    A memory volume is as large as its ``sizeLimit`` or the memory limit of the pod, whichever is
    less; without either as large as the memory that the node has for pods
    (``calculateEmptyDirMemorySize`` in the kubelet's pkg/volume/emptydir). Any other volume, such
    as the node's own ``/dev/shm``, has a size that only the node knows.

    Raises:
        RequestRefused: Volumes or mounts have another type than the API has there.
    """
    volumes = objects(pod, "volumes")
    if not volumes:
        return SharedMemory()
    by_name = {text(volume, "name"): volume for volume in volumes}
    for container in containers.app:
        for mount in objects(container, "volumeMounts"):
            path = text(mount, "mountPath")
            if path is None or path.rstrip("/") != _SHARED_MEMORY:
                continue
            directory = mapping(by_name.get(text(mount, "name"), {}), "emptyDir")
            if directory.get("medium") != "Memory":
                return SharedMemory(known=False)
            limits = (mebibytes(directory.get("sizeLimit")), _memory_limit(pod, containers))
            sizes = [size for size in limits if size]
            return SharedMemory(min(sizes)) if sizes else SharedMemory(known=False)
    return SharedMemory()


def _memory_limit(pod: dict[str, Any], containers: Containers) -> int | None:
    """The memory limit of *pod* in MiB; ``None`` unless it or every container states one."""
    if (stated := _memory(pod)) is not None:
        return stated
    running, largest = 0, 0
    for group in containers:
        for container in group:
            if not (own := _memory(container)):
                return None
            if group is containers.app or container.get("restartPolicy") == "Always":
                running += own
            else:
                largest = max(largest, own)
    return max(running, largest)


def _memory(owner: dict[str, Any]) -> int | None:
    return mebibytes(mapping(mapping(owner, "resources"), "limits").get("memory"))


def read_fabric(
    pod: dict[str, Any], metadata: dict[str, Any], containers: Containers, devices: Devices
) -> str | None:
    """By what *pod*, with *metadata*, reaches a network between accelerators beside its own.

    A device that it asks for (``rdma/ib``, ``vpc.amazonaws.com/efa``); or an annotation that
    attaches further networks, as those of GPUDirect on GKE and RDMA networks by Multus are; or the
    node's device files, which a privileged container sees without asking.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    if devices.fabric is not None:
        return devices.fabric
    annotations = mapping(metadata, "annotations")
    for name in _NETWORKS:
        if annotations.get(name):
            return name
    for volume in objects(pod, "volumes"):
        path = text(mapping(volume, "hostPath"), "path")
        if path is not None and path.startswith(_DEVICE_FILES):
            return _DEVICE_FILES
    if any(mapping(one, "securityContext").get("privileged") is True for one in containers.app):
        return _PRIVILEGED
    return None
