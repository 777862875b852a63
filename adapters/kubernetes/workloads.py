"""An object with pods to the state of a resource.

One object is one resource, whatever number of templates it has: limits and budgets are about what
somebody asked for at once, and a subject is counted once. Accelerators of all templates are summed.
Templates that make one copy together, such as the leader and the workers of a group, are workers of
that copy. Where templates do different things, such as prefill and decode, and differ in size, one
number of workers would be wrong for some of them: it is not known then, and rules about sizes say
so. What else is asked for comes from the templates that take accelerators, the largest first.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from adapters.kubernetes import declared, labels
from adapters.kubernetes.bypass import find_bypasses
from adapters.kubernetes.claims import Claimed, Near, put_claimed, read_claimed
from adapters.kubernetes.counting import Containers, read_containers
from adapters.kubernetes.devices import CLOUDS, Device
from adapters.kubernetes.kinds import UNKNOWN_GANG, Kind, Kinds, Takes
from adapters.kubernetes.nodes import (
    INSTANCE_TYPE,
    REGION,
    ZONE,
    Nodes,
    read_nodes,
    required_by_all,
)
from adapters.kubernetes.parts import Bounds, Part, infer_parts, read_parts
from adapters.kubernetes.paths import Path, is_there, value_at
from adapters.kubernetes.payload import count, mapping, text
from adapters.kubernetes.placement import read_fabric, read_shared_memory
from adapters.kubernetes.pods import (
    Devices,
    Taken,
    described,
    read_devices,
    read_images,
    read_tolerations,
)
from adapters.kubernetes.servers import read_server
from adapters.kubernetes.state import State
from service.model.base import LARGEST_EXACT, Reason
from service.model.resource import Purpose
from service.model.sensitive import redact_text

BYPASS = "bypass"
"""Stands for the accelerators that a pod takes past the scheduler, beside those it asks for."""

_CLAIMS = "resourceclaims"
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})(?:\.\d+)?s)?")
_INFERRED = "inferred:structure"
_OF_KIND = "inferred:kind"


class Described(NamedTuple):
    """The document of a ``ResourceState``, and resources of the pod that nothing is known of."""

    state: dict[str, Any]
    unlisted: list[str]


class _Read(NamedTuple):
    """A part, and what is read of its pod."""

    part: Part
    containers: Containers
    nodes: Nodes
    devices: Devices
    claimed: Claimed
    bypasses: list[str]

    @property
    def pods(self) -> Bounds:
        """All pods of the part."""
        return self.part.copies.times(self.part.workers)

    @property
    def takes(self) -> bool:
        """Whether the part takes accelerators, as far as can be told."""
        claimed = self.claimed
        by_claims = claimed.own or claimed.shared or not claimed.is_complete
        return bool(self.devices.taken or by_claims or self.bypasses)

    @property
    def kinds(self) -> list[Device]:
        """The kinds of devices that are known to be taken."""
        claims = (*self.claimed.own, *self.claimed.shared)
        return [*(one.device for one in self.devices.taken), *(one.device for one in claims)]

    @property
    def size(self) -> int:
        """How much it takes, to find the largest part."""
        each = sum(one.each or 1 for one in self.devices.taken)
        each = each + sum(one.most or 1 for one in self.claimed.own) or (1 if self.takes else 0)
        most = self.pods.most if self.pods.most is not None else 1
        return each * max(most, 1)


def describe(
    document: dict[str, Any], kind: Kind, kinds: Kinds, near: Near | None = None
) -> Described:
    """The state that *document*, of *kind*, asks for; claims that it names are looked for *near*.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    read = [_read(part, near) for part in read_parts(document, kind, kinds)]
    return _describe(document, kind, read, State())


def infer(document: dict[str, Any], near: Near | None = None) -> Described | None:
    """The state that *document*, of a kind that nobody listed, asks for; ``None`` without pods.

    Raises:
        RequestRefused: A pod in it is none that the API would take.
    """
    parts = infer_parts(document)
    if not parts:
        return None
    state = State()
    found = _describe(document, _UNLISTED, [_read(part, near) for part in parts], state)
    for field in ("copies", "workers_per_copy", "accelerators"):
        state.provenance.setdefault(f"/{field}", _INFERRED)
    return found


def _describe(document: dict[str, Any], kind: Kind, read: list[_Read], state: State) -> Described:
    fields = state.fields
    found = declared.read_declarations(_metadata(document, [one.part for one in read]))
    if found:
        declared.apply(found, state)
    counted = read
    if len(read) > 1:
        counted = [one for one in read if one.takes] or read
        counted.sort(key=lambda one: -one.size)
    _put_size(state, counted)
    nodes = counted[0].nodes if counted else _NO_NODES
    if len(counted) > 1:
        nodes = required_by_all([one.nodes for one in counted])
    if nodes.constraints or nodes.preferred_regions:
        _put_place(state, nodes)
    _put_accelerators(state, document, kind, read)
    _put_vendor(state, nodes, counted)
    for one in counted:
        if _put_server(state, one.containers):
            break
    put_facts_of_kind(state, document, kind)
    _put_lifetime(state, document, kind)
    if read:
        fields["images"] = _images(read)
        _put_placement(state, read, counted[0], nodes)
    if shown := declared.shown_labels(mapping(document, "metadata")):
        fields["labels"] = shown
    unlisted = [f"resource {name}" for one in read for name in one.devices.unlisted]
    unlisted += [f"device class {name}" for one in read for name in one.claimed.unlisted]
    return Described(fields, list(dict.fromkeys(unlisted)))


_UNLISTED = Kind("", Takes.ACCELERATORS)
_NO_NODES = Nodes({})


def _read(part: Part, near: Near | None) -> _Read:
    containers = read_containers(part.pod)
    nodes = read_nodes(part.pod)
    devices = read_devices(part.pod, containers, near)
    claimed = read_claimed(part.pod, near)
    metadata = part.metadata[-1] if part.metadata else {}
    bypasses = find_bypasses(part.pod, metadata, containers, nodes, devices)
    return _Read(part, containers, nodes, devices, claimed, bypasses)


def _metadata(document: dict[str, Any], parts: list[Part]) -> list[dict[str, Any]]:
    """All metadata, the object's own first."""
    found = [mapping(document, "metadata")]
    for part in parts:
        found += [one for one in part.metadata if one is not found[0]]
    return found


def _put_size(state: State, counted: list[_Read]) -> None:
    if not counted:
        return
    copies, workers = _together(counted)
    if workers.most is not None:
        state.fields["workers_per_copy"] = workers.most
    else:
        state.hide("/workers_per_copy", workers.reason or Reason.UNDECLARED)
    if copies.least is not None or copies.most is not None:
        state.fields["copies"] = {"min": copies.least, "max": copies.most}
    if copies.most is None or copies.least is None:
        pointer = "/copies" if copies.least is None else "/copies/max"
        state.hide(pointer, copies.reason or Reason.UNDECLARED)


def _together(counted: list[_Read]) -> tuple[Bounds, Bounds]:
    """Copies and workers of the object, where one number of each is right."""
    first = counted[0].part
    if len(counted) == 1 and first.gang != UNKNOWN_GANG:
        return first.copies, first.workers
    if any(one.part.gang == UNKNOWN_GANG for one in counted):
        if sum(one.pods.most if one.pods.most is not None else 2 for one in counted) == 1:
            return first.copies, first.workers
        hidden = Bounds(None, None, Reason.ELSEWHERE)
        return hidden, hidden
    gangs: dict[str, list[Part]] = {}
    for number, one in enumerate(counted):
        gangs.setdefault(one.part.gang or f"#{number}", []).append(one.part)
    sizes = {_sum([part.workers for part in gang]) for gang in gangs.values()}
    shapes = {tuple((item.resource, item.each) for item in one.devices.taken) for one in counted}
    if len(gangs) > 1 and (len(sizes) > 1 or len(shapes) > 1):
        hidden = Bounds(None, None, Reason.UNDECLARED)
        return hidden, hidden
    return _sum([gang[0].copies for gang in gangs.values()]), sizes.pop()


def _sum(counts: list[Bounds]) -> Bounds:
    least = [one.least for one in counts]
    most = [one.most for one in counts]
    reason = next((one.reason for one in counts if one.reason is not None), None)
    return Bounds(_added(least), _added(most), reason)


def _added(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return min(sum(known), LARGEST_EXACT) if len(known) == len(numbers) else None


def _put_accelerators(
    state: State, document: dict[str, Any], kind: Kind, read: list[_Read]
) -> None:
    entries: list[dict[str, Any]] = []
    hidden: list[Reason] = []
    for one in read:
        # A part of an object, such as a patch, has no containers: another one says the rest.
        if not one.claimed.is_complete or not one.containers.app:
            hidden.append(Reason.ELSEWHERE)
        if one.bypasses:
            hidden.append(Reason.UNDECLARED)
        for taken in one.devices.taken:
            _add(state, entries, described(taken, one.nodes), one.pods)
        nodes = one.nodes
        put_claimed(
            state,
            entries,
            one.claimed,
            lambda resource, device, nodes=nodes: described(Taken(resource, device, None), nodes),  # type: ignore[misc]
            one.pods,
        )
    if not read or (not entries and not hidden and _leaves_open(document, kind, read)):
        hidden.append(Reason.ELSEWHERE)
    if hidden and not entries:
        state.fields["accelerators"] = None
        reason = Reason.UNDECLARED if Reason.UNDECLARED in hidden else Reason.ELSEWHERE
        state.hide("/accelerators", reason)
        return
    for reason in dict.fromkeys(hidden):
        # Counted beside what is known, so that a claim or a bypass cannot hide it.
        state.hide(f"/accelerators/{len(entries)}", reason)
        entries.append({"resource": _CLAIMS if reason is Reason.ELSEWHERE else BYPASS})
    if entries:
        state.fields["accelerators"] = entries


def _add(state: State, entries: list[dict[str, Any]], entry: dict[str, Any], pods: Bounds) -> None:
    """Add accelerators of a part to *entries*, to the same ones of another part if there are any.

    A total whose largest is not known is one that is not known.
    """
    each = entry["per_worker"]
    if each is not None:
        total = {
            "min": None if pods.least is None else min(each * pods.least, LARGEST_EXACT),
            "max": None if pods.most is None else min(each * pods.most, LARGEST_EXACT),
        }
        for index, former in enumerate(entries):
            if all(former[name] == value for name, value in entry.items()):
                former["total"] = {
                    bound: _added([former["total"][bound], total[bound]]) for bound in total
                }
                if former["total"]["max"] is None:
                    state.hide(f"/accelerators/{index}/total", pods.reason or Reason.UNDECLARED)
                return
        entry["total"] = total
    index = len(entries)
    entries.append(entry)
    if each is None:
        state.hide(f"/accelerators/{index}/per_worker", Reason.UNDECLARED)
        state.hide(f"/accelerators/{index}/total", Reason.UNDECLARED)
    elif pods.most is None:
        state.hide(f"/accelerators/{index}/total", pods.reason or Reason.UNDECLARED)


def _leaves_open(document: dict[str, Any], kind: Kind, read: list[_Read]) -> bool:
    """Whether *document* leaves its resources to another object that it names."""
    if not any(is_there(document, path) for path in kind.refers):
        return False
    return not any(
        mapping(container, "resources")
        for one in read
        for container in (*one.containers.init, *one.containers.app)
    )


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


def _put_vendor(state: State, nodes: Nodes, counted: list[_Read]) -> None:
    vendor = labels.vendor(nodes) if nodes.constraints else None
    if vendor is not None:
        state.put("/vendor", vendor, "inferred:node_labels")
        return
    makers = {device.manufacturer or "" for one in counted for device in one.kinds}
    if len(makers) == 1 and (vendor := CLOUDS.get(makers.pop())) is not None:
        state.put("/vendor", vendor, "inferred:accelerators")


def _put_server(state: State, containers: Containers) -> bool:
    server = read_server(containers.app)
    if server is None:
        return False
    source = f"inferred:{server.name}"
    for pointer, reason in server.unknown.items():
        state.hide(pointer, reason)
    for field, value in server.model.items():
        state.put(f"/model/{field}", value, source)
    state.put("/purpose", Purpose.INFERENCE, source)
    return True


def put_facts_of_kind(state: State, document: dict[str, Any], kind: Kind) -> None:
    """What every object of the kind is for, and the model that it names."""
    if kind.purpose is not None:
        state.put("/purpose", kind.purpose, _OF_KIND)
    for path in kind.models:
        named = _text_at(document, path)
        if named is not None and (name := _model(named)) is not None:
            state.put("/model/id", name, _OF_KIND)
            break
    if kind.tensor_parallel is not None:
        number = value_at(document, kind.tensor_parallel)
        if type(number) is int and 0 < number <= LARGEST_EXACT:
            state.put("/model/tensor_parallel", number, _OF_KIND)


def _text_at(document: dict[str, Any], path: Path) -> str | None:
    value = value_at(document, path)
    return value if type(value) is str and value else None


def _model(named: str) -> str | None:
    """The model's id in a reference such as ``hf://org/name``; volumes and buckets name none."""
    scheme, separator, rest = named.partition("://")
    if separator and scheme != "hf":
        return None
    return redact_text(rest.partition(":")[0] if separator else named)


def _put_lifetime(state: State, document: dict[str, Any], kind: Kind) -> None:
    """A deadline that Kubernetes keeps ends it; a declared duration only says what is meant.

    The deadline of what runs again and again ends each run, nothing ends the schedule.
    """
    lifetime: dict[str, Any] = state.fields.setdefault("lifetime", {})
    seconds = _seconds(document, kind.deadline) if kind.deadline is not None else None
    if seconds is not None:
        lifetime["minutes"] = -(-seconds // 60)
        state.provenance.pop("/lifetime/minutes", None)
        state.unknown.pop("/lifetime/minutes", None)
    lifetime["bounded"] = seconds is not None and not kind.repeats


def _seconds(document: dict[str, Any], path: Path) -> int | None:
    """The deadline at *path*, in seconds or as ``1h30m``; none where it is zero."""
    for key, _ in path[:-1]:
        document = mapping(document, key)
    key = path[-1].key
    if type(document.get(key)) is not str:
        return count(document, key)
    match = _DURATION.fullmatch(text(document, key) or "-")
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds or None


def _images(read: list[_Read]) -> list[str]:
    if len(read) == 1:
        return read_images(read[0].containers)
    return list(dict.fromkeys(image for one in read for image in read_images(one.containers)))


def _put_placement(state: State, read: list[_Read], first: _Read, nodes: Nodes) -> None:
    pod, part = first.part.pod, first.part
    memory = read_shared_memory(pod, first.containers)
    if not memory.known:
        state.hide("/placement/shm_mib", Reason.UNDECLARED)
    metadata = part.metadata[-1] if part.metadata else {}
    fabric = read_fabric(pod, metadata, first.containers, first.devices)
    fabric = fabric or ",".join(first.claimed.networks) or None
    if fabric is None and not first.claimed.is_complete:
        state.hide("/placement/fabric", Reason.ELSEWHERE)  # a claim may be one for a network
    bypasses = first.bypasses
    if len(read) > 1:
        bypasses = list(dict.fromkeys(way for one in read for way in one.bypasses))
    privileged = dict.fromkeys(name for one in read for name in one.claimed.privileged)
    state.fields["placement"] = {
        "fabric": fabric,
        "topology": labels.topology(nodes) if nodes.constraints else None,
        "tolerations": read_tolerations(pod),
        "runtime_class": text(pod, "runtimeClassName"),
        "shm_mib": memory.mib,
        "host_ipc": any(one.part.pod.get("hostIPC") is True for one in read),
        "host_network": any(one.part.pod.get("hostNetwork") is True for one in read),
        "bypasses": bypasses,
        "admin_access": list(privileged),
    }
