"""The nodes of a watched cluster that have accelerators, in sorts.

A cluster may have thousands of nodes, and only a few sorts of them. Nodes are read again after one
of them has changed, and not all the time in a cluster that grows and shrinks all the time.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.kubernetes import labels
from adapters.kubernetes.devices import DEVICE, device_of
from adapters.kubernetes.nodes import INSTANCE_TYPE, REGION, ZONE, Constraint, Nodes
from adapters.kubernetes.payload import mapping, objects, pairs, text
from adapters.kubernetes.quantities import whole
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import NODE
from service.errors import RequestRefused
from service.model.cluster import NodeGroup, Taint

if TYPE_CHECKING:
    from adapters.kubernetes.view import ClusterView

MOST_GROUPS = 32
_COARSER: tuple[tuple[str, ...], ...] = (
    (),
    ("clique",),
    ("clique", "zone"),
    ("clique", "zone", "instance_type"),
)
"""What is left out of sorts, until there are no more than may be told."""

_REMEMBERED = 256
_QUICK_SECONDS = 0.005
_PATIENCE = 20
"""Where reading all nodes takes long, it is done in a twentieth of the time at the most."""

_CLIQUES = ("nvidia.com/gpu.clique", "backend.coreweave.cloud/fabric", "ib.coreweave.cloud/fabric")
_OLD_NAMES = {
    REGION: "failure-domain.beta.kubernetes.io/region",
    ZONE: "failure-domain.beta.kubernetes.io/zone",
    INSTANCE_TYPE: "beta.kubernetes.io/instance-type",
}
_PROVIDERS = {
    "aws": "aws",
    "azure": "azure",
    "digitalocean": "digitalocean",
    "gce": "gcp",
    "ibm": "ibm",
    "oci": "oci",
    "ovhcloud": "ovh",
    "scaleway": "scaleway",
    "vultr": "vultr",
}
"""Vendors by the scheme of ``spec.providerID``, which their cloud controllers write."""

_CHOOSING = KindName("karpenter.sh", "NodePool")
"""Karpenter chooses instance types for the pods that wait, within what its pools allow."""

_KEEPS_PODS_OFF = frozenset({"NoSchedule", "NoExecute"})
_PASSING = re.compile(
    r"node\.kubernetes\.io/.*|node\.cloudprovider\.kubernetes\.io/.*|ToBeDeletedBy.*"
    r"|karpenter\.sh/(?:disrupt|unregistered).*|.*not-ready"
)
"""Taints that come and go with the state of a node, and say nothing of its sort."""

_COUNTED = ("nvidia.com/gpu.count", "amd.com/gpu.count")
_MAKERS = (
    ("nvidia.com/", "nvidia"),
    ("gpu.nvidia.com/", "nvidia"),
    ("amd.com/", "amd"),
    ("beta.amd.com/", "amd"),
    ("gpu.intel.com/", "intel"),
    ("habana.ai/", "intel"),
)


class Place(NamedTuple):
    """Where the pods of one flavor of a queue are put; ``None`` is anywhere."""

    region: str | None
    zone: str | None
    instance_type: str | None
    product: str | None

    def may_be_of(self, sort: Sort) -> bool:
        """Whether nodes of *sort* may be of the flavor; what a node does not say may be it."""
        found = (sort.region, sort.zone, sort.instance_type, sort.product)
        return all(
            None in (one, other) or one == other for one, other in zip(self, found, strict=True)
        )


class Wanted(NamedTuple):
    """Which nodes a request may need.

    Attributes:
        resources: Extended resources that it asks for by name.
        makers: Manufacturers of accelerators that it asks for otherwise.
        is_unknown: Whether it may ask for others as well.
        regions: The regions that it may be in; any if there are none.
        zone: The only zone, if there is one.
        instance_type: The only type of nodes, if there is one.
        flavors: Where its queue puts it; anywhere if there are none.
    """

    resources: frozenset[str]
    makers: frozenset[str]
    is_unknown: bool = False
    regions: frozenset[str] = frozenset()
    zone: str | None = None
    instance_type: str | None = None
    flavors: frozenset[Place] = frozenset()

    def may_have(self, sort: Sort) -> bool:
        """Whether nodes of *sort* may do; what a node does not say may be anything."""
        if not self.is_unknown and not (
            sort.resource in self.resources or sort.manufacturer in self.makers
        ):
            return False
        return (
            (not self.regions or sort.region is None or sort.region in self.regions)
            and (self.zone is None or sort.zone in (None, self.zone))
            and (self.instance_type is None or sort.instance_type in (None, self.instance_type))
            and (not self.flavors or any(place.may_be_of(sort) for place in self.flavors))
        )


class Sort(NamedTuple):
    """What nodes of one sort have in common; as ``NodeGroup``."""

    resource: str | None
    manufacturer: str | None
    product: str | None
    vendor: str | None
    region: str | None
    zone: str | None
    instance_type: str | None
    clique: str | None
    taints: tuple[tuple[str, str], ...]


class _Number(NamedTuple):
    nodes: int
    accelerators: int | None


_Sorts = dict[Sort, _Number]


class Fleet:
    """The nodes of one view."""

    def __init__(self, view: ClusterView) -> None:
        self.view = view
        self._sorts: _Sorts = {}
        self._changes: int | None = None
        self._not_before = 0.0
        self._chosen: int | None = None
        self._grows = False
        self._found: dict[Wanted, tuple[NodeGroup, ...] | None] = {}

    def groups(self, wanted: Wanted | None) -> tuple[NodeGroup, ...] | None:
        """The nodes that are *wanted*, in a stable order, none for ``None``.

        ``None`` where not every node is known, or there are too many sorts of them.
        """
        if not self.view.is_complete(NODE):
            return None
        if wanted is None:
            return ()
        self._refresh()
        if wanted not in self._found:
            if len(self._found) >= _REMEMBERED:  # requests choose the keys: bound what is kept
                self._found.clear()
            sorts = {sort: n for sort, n in self._sorts.items() if wanted.may_have(sort)}
            self._found[wanted] = _told(sorts)
        return self._found[wanted]

    def grows(self) -> bool:
        """Whether something chooses by itself which nodes it adds."""
        changes = self.view.changes(_CHOOSING)
        if changes != self._chosen:
            self._grows = bool(self.view.all(_CHOOSING))
            self._chosen = changes
        return self._grows

    def _refresh(self) -> None:
        changes = self.view.changes(NODE)
        started = time.monotonic()
        if changes == self._changes or started < self._not_before:
            return
        self._sorts = _counted(self.view.all(NODE))
        self._changes = changes
        self._found.clear()
        ended = time.monotonic()
        if ended - started > _QUICK_SECONDS:
            self._not_before = ended + _PATIENCE * (ended - started)


_last: Fleet | None = None


def fleet_of(view: ClusterView) -> Fleet:
    """The nodes of *view*; those of the last view are kept, a process watches one cluster."""
    global _last  # noqa: PLW0603  # what is kept is derived from the view alone
    if _last is None or _last.view is not view:
        _last = Fleet(view)
    return _last


def place_of(stated: dict[str, str]) -> Place:
    """Where pods are put that are selected for nodes with the labels *stated*."""
    known = Nodes({label: Constraint((value,)) for label, value in stated.items()})
    return Place(
        _stated(stated, REGION),
        _stated(stated, ZONE),
        _stated(stated, INSTANCE_TYPE),
        labels.product(known, None),
    )


def _told(sorts: _Sorts) -> tuple[NodeGroup, ...] | None:
    for left_out in _COARSER:
        merged = _merged(sorts, left_out) if left_out else sorts
        if len(merged) <= MOST_GROUPS:
            ordered = sorted(merged.items(), key=lambda item: repr(item[0]))
            return tuple(_group(sort, number) for sort, number in ordered)
    return None


def _merged(sorts: _Sorts, left_out: tuple[str, ...]) -> _Sorts:
    """*sorts* without the fields *left_out*, but for those in which merged ones agree."""
    blank: dict[str, Any] = dict.fromkeys(left_out)
    together: dict[Sort, list[Sort]] = defaultdict(list)
    for sort in sorts:
        together[sort._replace(**blank)].append(sort)
    result = {}
    for merged, members in together.items():
        agreed = {
            name: values.pop()
            for name in left_out
            if len(values := {getattr(one, name) for one in members}) == 1
        }
        numbers = [sorts[one] for one in members]
        result[merged._replace(**agreed)] = _sum(numbers)
    return result


def _sum(numbers: Iterable[_Number]) -> _Number:
    nodes, accelerators = zip(*numbers, strict=True)
    return _Number(sum(nodes), None if None in accelerators else sum(accelerators))


def _group(sort: Sort, number: _Number) -> NodeGroup:
    taints = tuple(Taint(key=key, effect=effect) for key, effect in sort.taints)
    return NodeGroup(
        **{**sort._asdict(), "taints": taints},
        nodes=number.nodes,
        accelerators=number.accelerators,
    )


def _counted(nodes: Iterable[dict[str, Any]]) -> _Sorts:
    sorts: _Sorts = {}
    for node in nodes:
        try:
            found = read_node(node)
        except RequestRefused:
            continue  # a node that cannot be read has no sort
        for sort, count in found:
            former = sorts.get(sort)
            number = _Number(1, count)
            sorts[sort] = number if former is None else _sum((former, number))
    return sorts


def read_node(node: dict[str, Any]) -> list[tuple[Sort, int | None]]:
    """The accelerators of *node* by name, each with its sort and number; none if it has none.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    stated = pairs(mapping(node, "metadata"), "labels")
    offered = _offered(node)
    telling = {label: stated[label] for label in stated if labels.says_what_it_is(label)}
    if not offered and not any(labels.names_accelerators(label) for label in telling):
        return []
    spec = mapping(node, "spec")
    known = Nodes({label: Constraint((value,)) for label, value in telling.items()})
    taints = sorted(
        {
            (key, effect)
            for taint in objects(spec, "taints")
            if (key := text(taint, "key")) is not None
            and (effect := text(taint, "effect")) in _KEEPS_PODS_OFF
            and not _PASSING.fullmatch(key)
        }
    )
    common: dict[str, Any] = {
        "vendor": labels.vendor(known) or _provider(text(spec, "providerID")),
        "region": _stated(stated, REGION),
        "zone": _stated(stated, ZONE),
        "instance_type": _stated(stated, INSTANCE_TYPE),
        "clique": next((stated[label] for label in _CLIQUES if stated.get(label)), None),
        "taints": tuple(taints),
    }
    if not offered:
        maker = _maker(telling)
        sort = Sort(None, maker, labels.product(known, maker), **common)
        counts = (whole(stated.get(label)) for label in _COUNTED)
        return [(sort, next((count for count in counts if count), None))]
    return [
        (Sort(name, maker, labels.product(known, maker), **common), count)
        for name, (maker, count) in sorted(offered.items())
    ]


def _offered(node: dict[str, Any]) -> dict[str, tuple[str | None, int]]:
    """The extended resources of *node* that are accelerators: who makes them, and how many.

    What it has is more than what it offers while a device is broken; a plugin that stopped leaves
    zero of both.
    """
    status = mapping(node, "status")
    amounts = mapping(status, "allocatable") or mapping(status, "capacity")
    found = {}
    for name, amount in amounts.items():
        device, count = device_of(name) if "/" in name else None, whole(amount)
        if device is not None and device.counts == DEVICE and count:
            found[name] = (device.manufacturer, count)
    return found


def _stated(stated: dict[str, str], label: str) -> str | None:
    return stated.get(label) or stated.get(_OLD_NAMES[label]) or None


def _provider(provider: str | None) -> str | None:
    if provider is None:
        return None
    scheme, separator, _ = provider.partition("://")
    if not separator:
        return "oci" if provider.startswith("ocid1.") else None
    return _PROVIDERS.get(scheme)


def _maker(stated: dict[str, str]) -> str | None:
    """Who makes the accelerators of a node that only its labels tell of."""
    for prefix, maker in _MAKERS:
        if any(label.startswith(prefix) for label in stated):
            return maker
    return None
