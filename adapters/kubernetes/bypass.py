"""Ways in which a pod takes accelerators without asking the scheduler for them.

What the container runtimes of the makers and the kernel let through: the variables and mounts that
they read (NVIDIA container toolkit, "Specialized Configurations with Docker" and its legacy mode;
Habana, Ascend, AMD and Moore Threads have the same), device files of the node, CDI names in
annotations, privileges, and resources that only monitoring is meant to ask for. A container that
asks for a device itself is given its own by the device plugin, whatever its variables say.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from adapters.kubernetes import labels
from adapters.kubernetes.counting import Containers, quantities
from adapters.kubernetes.devices import DEVICE, device_of
from adapters.kubernetes.nodes import Nodes
from adapters.kubernetes.payload import mapping, objects, text
from adapters.kubernetes.pods import Devices

_VARIABLES = {
    "NVIDIA_VISIBLE_DEVICES": "nvidia",
    "AMD_VISIBLE_DEVICES": "amd",
    "HABANA_VISIBLE_DEVICES": "intel",
    "ASCEND_VISIBLE_DEVICES": "huawei",
    "MTHREADS_VISIBLE_DEVICES": "mthreads",
}
_SHOWS_NOTHING = frozenset({"", "none", "void"})
_RUNTIMES = re.compile(r"(?:nvidia|amd|habana|ascend|mthreads)(?:-.*)?")
_DEVICE_FILES = re.compile(
    r"/dev/(?:nvidia|kfd(?:/|$)|dri(?:/|$)|accel|habanalabs|neuron|davinci|hl[0-9]|vfio(?:/|$))"
)
_MOUNTS = "/var/run/nvidia-container-devices"
_CDI = "cdi.k8s.io/"
_LONGEST = 64


def find_bypasses(
    pod: dict[str, Any],
    metadata: dict[str, Any],
    containers: Containers,
    nodes: Nodes,
    devices: Devices,
) -> list[str]:
    """How *pod*, with *metadata*, may reach accelerators past the scheduler; each way once.

    *devices* are what it asks the scheduler for.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    every = [*containers.init, *containers.app]
    if "ephemeralContainers" in pod:
        every += objects(pod, "ephemeralContainers")
    found: dict[str, None] = dict.fromkeys(devices.privileges)
    for container in every:
        if "env" in container and (names := _shown(container)) and not _asks(container):
            found.update(dict.fromkeys(names))
        if "volumeMounts" in container and _mounts_devices(container):
            found[_MOUNTS] = None
    if "volumes" in pod or "annotations" in metadata:
        found.update(dict.fromkeys(_attached(pod, metadata)))
    if not devices.taken and not pod.get("resourceClaims"):
        found.update(dict.fromkeys(_placed(pod, nodes, every)))
    return list(found)


def _mounts_devices(container: dict[str, Any]) -> bool:
    """Whether *container* names devices by what it mounts."""
    paths = (text(mount, "mountPath") for mount in objects(container, "volumeMounts"))
    return any(path is not None and _cleaned(path).startswith(_MOUNTS) for path in paths)


def _cleaned(path: str) -> str:
    """*path* as the kernel follows it; the API server keeps doubled slashes and dots as written."""
    return f"/{posixpath.normpath(path).lstrip('/')}"


def _attached(pod: dict[str, Any], metadata: dict[str, Any]) -> list[str]:
    """Device files of the node, and names of devices for the container runtime."""
    paths = [text(mapping(volume, "hostPath"), "path") for volume in objects(pod, "volumes")]
    files = (_cleaned(path) for path in paths if path is not None)
    found = [path[:_LONGEST] for path in files if _DEVICE_FILES.match(path)]
    names = mapping(metadata, "annotations")
    return found + [name[:_LONGEST] for name in names if name.startswith(_CDI)]


def _asks(owner: dict[str, Any]) -> bool:
    """Whether the resources of a container name a device."""
    return any(
        units != 0 and (device := device_of(name)) is not None and device.counts == DEVICE
        for name, units in quantities(owner)
    )


def _shown(container: dict[str, Any]) -> list[str]:
    """Variables by which *container* is shown devices; one whose value stands elsewhere may be."""
    found = []
    for variable in objects(container, "env"):
        name = text(variable, "name")
        if name not in _VARIABLES:
            continue
        value = text(variable, "value") or ""
        if variable.get("valueFrom") is not None or value.lower() not in _SHOWS_NOTHING:
            found.append(name)
    return found


def _placed(pod: dict[str, Any], nodes: Nodes, containers: list[dict[str, Any]]) -> list[str]:
    """Runtime classes that show devices, and privileges on nodes that have some."""
    found = []
    runtime = text(pod, "runtimeClassName")
    if runtime is not None and _RUNTIMES.fullmatch(runtime):
        found.append("runtimeClassName")
    if (
        (nodes.constraints or "tolerations" in pod)
        and any(mapping(one, "securityContext").get("privileged") is True for one in containers)
        and (_selects_accelerators(nodes) or _tolerates_accelerators(pod))
    ):
        found.append("securityContext.privileged")
    return found


def _selects_accelerators(nodes: Nodes) -> bool:
    return any(labels.names_accelerators(label) for label in nodes.constraints)


def _tolerates_accelerators(pod: dict[str, Any]) -> bool:
    """Whether a taint of accelerator nodes is tolerated by its own name.

    A toleration of everything is what agents on all nodes have.
    """
    keys = (text(toleration, "key") for toleration in objects(pod, "tolerations"))
    return any(
        key is not None and (device := device_of(key)) is not None and device.counts == DEVICE
        for key in keys
    )
