"""The kinds that the webhooks are about, from the adapter's table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adapters.kubernetes.kinds import Form, Kinds, Takes
from adapters.kubernetes.paths import Path, parse_path
from service.install.conditions import can_be_written

_BUILT_IN = frozenset({"", "apps", "batch"})
_PLURALS = {
    ("cluster.x-k8s.io", "MachineSet"): "machinesets",
    ("", "Pod"): "pods",
}
_POD_PARTS = ("ephemeralcontainers", "resize")
_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "resource.k8s.io": ("deviceclasses", "resourceclaims", "resourceclaimtemplates"),
    "resource.nvidia.com": ("computedomains",),
}
_WRITTEN = (Form.TEMPLATE, Form.POD)


class Group(NamedTuple):
    """Kinds that are sent under one condition.

    Attributes:
        name: The first word of the webhook's name.
        resources: Names in the API's paths, by API group.
        paths: Where their pods are, and whether a bare specification is there; empty where objects
            are sent whatever they say.
    """

    name: str
    resources: Mapping[str, tuple[str, ...]]
    paths: tuple[tuple[Path, bool], ...] = ()


class Groups(NamedTuple):
    """All kinds.

    Attributes:
        workloads: Those with pods at known places.
        always: Those that are always sent: claims, capacity, and forms of their own.
        scaling: Those that say how many, but not of what.
    """

    workloads: tuple[Group, ...]
    always: Group
    scaling: Group


def groups(kinds: Kinds) -> Groups:
    """The kinds of the table *kinds*, as the webhooks take them apart.

    The busiest kinds, those of Kubernetes itself, have short conditions of their own; all others
    share one that looks at each of their paths.
    """
    by_path: dict[tuple[tuple[Path, bool], ...], list[tuple[str, str]]] = {}
    others: list[tuple[str, str]] = []
    other_paths: dict[tuple[Path, bool], None] = {}
    always: list[tuple[str, str]] = [(group, each) for group in _CLAIMS for each in _CLAIMS[group]]
    scaling: list[tuple[str, str]] = [("*", "*/scale")]
    for (group, kind), row in kinds.rows.items():
        if kind is None or row.takes is Takes.NOTHING or kind == "Scale":
            continue
        resource = (group, plural(kind))
        if row.takes is Takes.ELSEWHERE:
            scaling.append(resource)
            continue
        paths = _paths(row.templates)
        if row.takes is Takes.CAPACITY or paths is None:
            always.append(resource)
        elif group in _BUILT_IN:
            by_path.setdefault(paths, []).append(resource)
        else:
            others.append(resource)
            other_paths.update(dict.fromkeys(paths))
    workloads = [
        Group(_name(paths), _by_group(_with_parts(found)), paths)
        for paths, found in by_path.items()
    ]
    if others:
        workloads.append(Group("extensions", _by_group(others), tuple(other_paths)))
    return Groups(
        tuple(workloads), Group("always", _by_group(always)), Group("scaling", _by_group(scaling))
    )


def plural(kind: str) -> str:
    """What the API's paths call *kind*, which is the English plural in lower case."""
    name = kind.lower()
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"


def _paths(templates: Iterable[Any]) -> tuple[tuple[Path, bool], ...] | None:
    """Where pods are; ``None`` where a condition cannot look at all of them."""
    found: dict[tuple[Path, bool], None] = {}
    for template in templates:
        path = parse_path(template.pods)
        if template.form not in _WRITTEN or not can_be_written(path):
            return None
        found[path, template.form is Form.POD] = None
    return tuple(found) or None


def _name(paths: tuple[tuple[Path, bool], ...]) -> str:
    keys = {segment.key for path, _ in paths for segment in path}
    if not keys:
        return "pods"
    return "schedules" if "jobTemplate" in keys else "workloads"


def _with_parts(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for group, resource in found:
        yield group, resource
        if (group, resource) == ("", "pods"):
            # Rules name subresources, else `kubectl debug` and a resize in place pass unseen.
            yield from ((group, f"{resource}/{part}") for part in _POD_PARTS)


def _by_group(found: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    collected: dict[str, dict[str, None]] = {}
    for group, resource in found:
        collected.setdefault(group, {})[resource] = None
    return {group: tuple(sorted(collected[group])) for group in sorted(collected)}
