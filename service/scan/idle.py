"""Accelerators of nodes that no pod has asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from adapters.kubernetes.counting import count_resources, read_containers
from adapters.kubernetes.devices import DEVICE, device_of
from adapters.kubernetes.fleet import Sort, read_node
from adapters.kubernetes.payload import mapping, text
from service.errors import RequestRefused

_OVER = frozenset({"Succeeded", "Failed"})


class Stock(NamedTuple):
    """Accelerators of one product under one name, over all nodes that offer them.

    Attributes:
        resource: The name under which pods ask for them.
        product: What the nodes' labels say that they are.
        manufacturer: Who makes them.
        nodes: How many nodes offer them.
        offered: How many there are.
        asked: How many of them pods on these nodes have asked for.
        idle_nodes: Of how many nodes no accelerator is asked for.
    """

    resource: str
    product: str | None
    manufacturer: str | None
    nodes: int
    offered: int
    asked: int
    idle_nodes: int

    @property
    def idle(self) -> int:
        """How many nobody has asked for."""
        return max(0, self.offered - self.asked)


class Usage:
    """What nodes offer, and what pods on them have asked for.

    Devices that claims take are no extended resources of nodes, and are not counted here.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, list[tuple[Sort, int]]] = {}
        self._asked: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add_node(self, document: dict[str, Any]) -> None:
        """Count what a node offers; one that cannot be read offers nothing."""
        try:
            name = text(mapping(document, "metadata"), "name") or ""
            sorts = read_node(document)
        except RequestRefused:
            return
        self._nodes[name] = [(sort, count) for sort, count in sorts if sort.resource and count]

    def add_pod(self, document: dict[str, Any]) -> None:
        """Count what a pod has asked for of its node, unless it is over."""
        try:
            spec = mapping(document, "spec")
            node, phase = text(spec, "nodeName"), text(mapping(document, "status"), "phase")
            if node is None or phase in _OVER:
                return
            asked = count_resources(spec, read_containers(spec))
        except RequestRefused:
            return
        for name, (units, _) in asked.items():
            device = device_of(name)
            if device is not None and device.counts == DEVICE and units:
                self._asked[node][name] += units

    def forget_pods(self) -> None:
        """Count all pods anew."""
        self._asked.clear()

    def stocks(self) -> list[Stock]:
        """What there is, that of which most is idle first."""
        found: dict[tuple[str, str | None, str | None], Stock] = {}
        for name, sorts in self._nodes.items():
            for sort, count in sorts:
                resource = sort.resource or ""
                kind = (resource, sort.product, sort.manufacturer)
                former = found.get(kind, Stock(*kind, 0, 0, 0, 0))
                asked = self._asked[name][resource] if name in self._asked else 0
                found[kind] = former._replace(
                    nodes=former.nodes + 1,
                    offered=former.offered + count,
                    asked=former.asked + asked,
                    idle_nodes=former.idle_nodes + (asked == 0),
                )
        return sorted(found.values(), key=lambda one: (-one.idle, one.resource, one.product or ""))
