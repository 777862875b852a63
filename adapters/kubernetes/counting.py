"""Extended resources of a pod, summed as the scheduler sums them.

As ``PodRequests`` in ``k8s.io/component-helpers/resource``: what the containers need together, or
what one init container needs beside the sidecars that were started before it, whichever is more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes.payload import CODE, mapping, objects
from adapters.kubernetes.quantities import whole
from service.errors import RequestRefused

MOST_RESOURCES = 256


class Containers(NamedTuple):
    """The containers of a pod, in the order in which they start."""

    init: list[dict[str, Any]]
    app: list[dict[str, Any]]


class Asked(NamedTuple):
    """What a pod asks for of one resource.

    Attributes:
        units: All of it; ``None`` where a quantity is no whole number.
        each: What every container that asks for it asks for, if that is the same; else ``None``.
    """

    units: int | None
    each: int | None


class _Tally:
    """Units of one resource while containers are counted."""

    __slots__ = ("app", "largest", "sidecars", "stated")

    def __init__(self) -> None:
        self.app: int | None = 0
        self.sidecars: int | None = 0
        self.largest: int | None = 0
        self.stated: set[int | None] = set()

    def asked(self) -> Asked:
        """The result, when all containers are counted."""
        units = _larger(_sum(self.app, self.sidecars), self.largest)
        return Asked(units, next(iter(self.stated)) if len(self.stated) == 1 else None)


def read_containers(pod: dict[str, Any]) -> Containers:
    """The containers of the pod specification *pod*.

    Raises:
        RequestRefused: They are no lists of objects.
    """
    return Containers(objects(pod, "initContainers"), objects(pod, "containers"))


def count_resources(pod: dict[str, Any], containers: Containers) -> dict[str, Asked]:
    """What *pod* asks for, by the name of the extended resource.

    Raises:
        RequestRefused: ``resources`` is no object, or names more resources than any node has.
    """
    tallies: dict[str, _Tally] = {}
    for container in containers.init:
        is_sidecar = container.get("restartPolicy") == "Always"
        for name, units in quantities(container):
            tally = _tally(tallies, name, units)
            together = _sum(tally.sidecars, units)
            tally.largest = _larger(tally.largest, together)
            if is_sidecar:
                tally.sidecars = together
    for container in containers.app:
        for name, units in quantities(container):
            tally = _tally(tallies, name, units)
            tally.app = _sum(tally.app, units)
    for name, units in quantities(pod):
        tally = _tally(tallies, name, units)
        tally.largest = _larger(tally.largest, units)
    return {name: tally.asked() for name, tally in tallies.items()}


def quantities(owner: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Units by extended resource: its limit, or its request where it has no limit."""
    resources = mapping(owner, "resources")
    if not resources:
        return []
    limits, requests = mapping(resources, "limits"), mapping(resources, "requests")
    found = [(name, whole(quantity)) for name, quantity in limits.items() if "/" in name]
    found += [
        (name, whole(quantity))
        for name, quantity in requests.items()
        if "/" in name and name not in limits
    ]
    return found


def _tally(tallies: dict[str, _Tally], name: str, units: int | None) -> _Tally:
    tally = tallies.get(name)
    if tally is None:
        if len(tallies) >= MOST_RESOURCES:
            raise RequestRefused(
                f"the pod asks for more than {MOST_RESOURCES} different extended resources",
                code=CODE,
            )
        tally = tallies[name] = _Tally()
    tally.stated.add(units)
    return tally


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _larger(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
