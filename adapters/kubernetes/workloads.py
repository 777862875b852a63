"""An object of a covered kind to the state of a resource."""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes import declared, labels
from adapters.kubernetes.counting import Containers, read_containers
from adapters.kubernetes.kinds import Layout
from adapters.kubernetes.nodes import INSTANCE_TYPE, REGION, ZONE, Nodes, read_nodes
from adapters.kubernetes.payload import count, mapping, objects, text
from adapters.kubernetes.placement import read_fabric, read_shared_memory
from adapters.kubernetes.pods import (
    Devices,
    described,
    read_devices,
    read_images,
    read_tolerations,
)
from adapters.kubernetes.servers import read_server
from adapters.kubernetes.state import State
from service.model.base import LARGEST_EXACT, Reason
from service.model.resource import Purpose

_INDEXED = "Indexed"
_VENDORS = {"aws": "aws", "google": "gcp"}
"""Clouds that are the only ones to have the accelerators they make."""


class Size(NamedTuple):
    """How many pods there are; ``copies`` is ``None`` where another object says it."""

    copies: int | None
    workers: int = 1

    @property
    def pods(self) -> int | None:
        """All pods of the object."""
        return None if self.copies is None else self.copies * self.workers


class Parts(NamedTuple):
    """A workload taken apart: metadata from the outside in, the pod, and what bounds its life."""

    metadata: list[dict[str, Any]]
    pod: dict[str, Any]
    size: Size
    deadline_seconds: int | None = None


class Described(NamedTuple):
    """The document of a ``ResourceState``, and resources of the pod that nothing is known of."""

    state: dict[str, Any]
    unlisted: list[str]


def describe(document: dict[str, Any], layout: Layout) -> Described:
    """The state that *document*, of a kind with *layout*, asks for.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    parts = _take_apart(document, layout)
    state = State()
    fields = state.fields
    containers = read_containers(parts.pod)
    nodes = read_nodes(parts.pod)
    devices = read_devices(parts.pod, containers)
    found = declared.read_declarations(parts.metadata)
    if found:
        declared.apply(found, state)
    _put_size(state, parts.size)
    _put_accelerators(state, parts, devices, nodes, containers)
    _put_place(state, nodes)
    _put_vendor(state, nodes, devices)
    _put_server(state, containers)
    _put_lifetime(state, parts, layout)
    fields["images"] = read_images(containers)
    _put_placement(state, parts, containers, devices, nodes)
    if shown := declared.shown_labels(parts.metadata[0]):
        fields["labels"] = shown
    return Described(fields, devices.unlisted)


def _take_apart(document: dict[str, Any], layout: Layout) -> Parts:
    metadata, spec = mapping(document, "metadata"), mapping(document, "spec")
    if layout is Layout.POD:
        return Parts([metadata], spec, Size(1), count(spec, "activeDeadlineSeconds"))
    outer = [metadata]
    if layout is Layout.SCHEDULE:
        job = mapping(spec, "jobTemplate")
        outer.append(mapping(job, "metadata"))
        spec = mapping(job, "spec")
    template = mapping(spec, "template")
    outer.append(mapping(template, "metadata"))
    pod = mapping(template, "spec")
    if layout is Layout.NODES:
        return Parts(outer, pod, Size(None))
    if layout is Layout.REPLICAS:
        return Parts(outer, pod, Size(_stated(spec, "replicas")))
    return Parts(outer, pod, _size_of_job(spec), count(spec, "activeDeadlineSeconds"))


def _size_of_job(spec: dict[str, Any]) -> Size:
    """An Indexed Job is one gang of workers, any other one is independent copies.

    No more pods run at once than completions are wanted.
    """
    pods = _stated(spec, "parallelism")
    completions = count(spec, "completions")
    if pods is not None and completions is not None:
        pods = min(pods, completions)
    if spec.get("completionMode") == _INDEXED and pods is not None:
        return Size(1, pods)
    return Size(pods)


def _stated(spec: dict[str, Any], key: str) -> int | None:
    """The number at *key*, 1 where there is none, ``None`` where there is something else."""
    return 1 if spec.get(key) is None else count(spec, key)


def _put_size(state: State, size: Size) -> None:
    state.fields["workers_per_copy"] = size.workers
    if size.copies is None:
        state.hide("/copies", Reason.ELSEWHERE)
    else:
        state.fields["copies"] = {"min": size.copies, "max": size.copies}


def _put_accelerators(
    state: State, parts: Parts, devices: Devices, nodes: Nodes, containers: Containers
) -> None:
    if not containers.app:
        # Part of an object, such as a patch: what it is applied to says the rest.
        state.fields["accelerators"] = None
        state.hide("/accelerators", Reason.ELSEWHERE)
        return
    claims = bool(objects(parts.pod, "resourceClaims"))
    if claims and not devices.taken:
        state.fields["accelerators"] = None
        state.hide("/accelerators", Reason.ELSEWHERE)
        return
    entries = [described(taken, nodes) for taken in devices.taken]
    for index, entry in enumerate(entries):
        pods, each = parts.size.pods, entry["per_worker"]
        if each is None:
            state.hide(f"/accelerators/{index}/per_worker", Reason.UNDECLARED)
            state.hide(f"/accelerators/{index}/total", Reason.UNDECLARED)
        elif pods is None:
            state.hide(f"/accelerators/{index}/total", Reason.ELSEWHERE)
        else:
            total = min(each * pods, LARGEST_EXACT)
            entry["total"] = {"min": total, "max": total}
    if claims:
        # Counted beside what is known, so that a claim cannot hide it.
        state.hide(f"/accelerators/{len(entries)}", Reason.ELSEWHERE)
        entries.append({"resource": "resourceclaims"})
    if entries:
        state.fields["accelerators"] = entries


def _put_place(state: State, nodes: Nodes) -> None:
    fields = state.fields
    region = nodes.of(REGION)
    if region.allowed is not None or region.excluded or nodes.preferred_regions:
        fields["region_constraint"] = {
            "required": region.allowed or (),
            "preferred": nodes.preferred_regions,
            "excluded": region.excluded,
        }
        fields["region"] = region.only
    fields["zone"] = nodes.only(ZONE)
    instances = nodes.of(INSTANCE_TYPE)
    if instances.only is not None and "$" not in instances.only:
        fields["instance_type"] = instances.only
    elif instances.allowed is not None:
        state.hide("/instance_type", Reason.UNDECLARED)
    fields["price_kind"] = labels.price_kind(nodes)


def _put_vendor(state: State, nodes: Nodes, devices: Devices) -> None:
    vendor = labels.vendor(nodes)
    if vendor is not None:
        state.put("/vendor", vendor, "inferred:node_labels")
        return
    makers = {taken.device.manufacturer or "" for taken in devices.taken}
    if len(makers) == 1 and (vendor := _VENDORS.get(makers.pop())) is not None:
        state.put("/vendor", vendor, "inferred:accelerators")


def _put_server(state: State, containers: Containers) -> None:
    server = read_server(containers.app)
    if server is None:
        return
    source = f"inferred:{server.name}"
    for pointer, reason in server.unknown.items():
        state.hide(pointer, reason)
    for field, value in server.model.items():
        state.put(f"/model/{field}", value, source)
    state.put("/purpose", Purpose.INFERENCE, source)


def _put_lifetime(state: State, parts: Parts, layout: Layout) -> None:
    """A deadline that Kubernetes keeps ends it; a declared duration only says what is meant.

    The deadline of a CronJob ends each run, nothing ends the schedule.
    """
    lifetime: dict[str, Any] = state.fields.setdefault("lifetime", {})
    ends = parts.deadline_seconds is not None
    if parts.deadline_seconds is not None:
        lifetime["minutes"] = -(-parts.deadline_seconds // 60)
        state.provenance.pop("/lifetime/minutes", None)
        state.unknown.pop("/lifetime/minutes", None)
    lifetime["bounded"] = ends and layout is not Layout.SCHEDULE


def _put_placement(
    state: State, parts: Parts, containers: Containers, devices: Devices, nodes: Nodes
) -> None:
    pod = parts.pod
    memory = read_shared_memory(pod, containers)
    if not memory.known:
        state.hide("/placement/shm_mib", Reason.UNDECLARED)
    fabric = read_fabric(pod, parts.metadata[-1], containers, devices)
    if fabric is None and objects(pod, "resourceClaims"):
        state.hide("/placement/fabric", Reason.ELSEWHERE)  # a claim may be one for a network
    state.fields["placement"] = {
        "fabric": fabric,
        "topology": labels.topology(nodes),
        "tolerations": read_tolerations(pod),
        "runtime_class": text(pod, "runtimeClassName"),
        "shm_mib": memory.mib,
        "host_ipc": pod.get("hostIPC") is True,
        "host_network": pod.get("hostNetwork") is True,
    }
