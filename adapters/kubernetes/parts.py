"""An object taken apart: every pod that it makes, and how many of each.

A kind of the table says where its pods are. In a kind that nobody listed they are found by their
structure, and counted by the numbers of replicas around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from adapters.kubernetes.forms import read_pod
from adapters.kubernetes.kinds import Form, Kind, Kinds, Takes, Template, group_of
from adapters.kubernetes.paths import UNBOUNDED, Count, Found, is_there, read_count, value_at, walk
from adapters.kubernetes.payload import mapping, text, wrong
from service.model.base import LARGEST_EXACT, Reason

_INDEXED = "Indexed"
_DEEPEST_OBJECT = 4
_DEEPEST = 24
_MOST_VALUES = 20_000
_MOST_PARTS = 1000
_NOT_SEARCHED = frozenset({"status", "metadata"})
_COUNTS = ("replicas", "parallelism", "instances")


class Bounds(NamedTuple):
    """A count at its smallest and its largest; ``None`` for what is not known, and the reason."""

    least: int | None
    most: int | None
    reason: Reason | None = None

    def times(self, other: Bounds) -> Bounds:
        """The product of two counts."""
        if other is ONE:
            return self
        if self is ONE:
            return other
        reason = self.reason or other.reason
        return Bounds(_product(self.least, other.least), _product(self.most, other.most), reason)


ONE = Bounds(1, 1)
_ELSEWHERE = Bounds(None, None, Reason.ELSEWHERE)


class Part(NamedTuple):
    """Pods of one template.

    Attributes:
        metadata: Metadata from the object to the pod.
        pod: The pod specification.
        copies: Independent copies.
        workers: Pods of one copy.
        gang: Parts of the same gang make one copy together.
    """

    metadata: list[dict[str, Any]]
    pod: dict[str, Any]
    copies: Bounds = ONE
    workers: Bounds = ONE
    gang: str | None = None


def read_parts(document: dict[str, Any], kind: Kind, kinds: Kinds, depth: int = 0) -> list[Part]:
    """The parts of *document*; none where it leaves its pods to another object.

    Raises:
        RequestRefused: A part has another type than the API has there, or there are too many.
    """
    parts: list[Part] = []
    for template in kind.templates:
        if not _counts(document, template):
            continue
        for found in walk(document, template.pods):
            if template.form is not Form.OBJECT:
                parts += _part(template, found)
            elif depth < _DEEPEST_OBJECT:
                copies, _ = read_size(template, found.passed)
                inner = _inner(found.value, kinds, depth + 1)
                parts += [_within(document, copies, part) for part in inner]
            if len(parts) > _MOST_PARTS:
                raise wrong(kind.name, document, f"at most {_MOST_PARTS} pod templates")
    return parts


def _counts(document: dict[str, Any], template: Template) -> bool:
    if template.only_with is not None and not is_there(document, template.only_with):
        return False
    return template.only_without is None or not is_there(document, template.only_without)


def _part(template: Template, found: Found) -> list[Part]:
    pod = read_pod(template.form, found.value, found.passed)
    if pod is None:
        return []
    copies, workers = read_size(template, found.passed)
    if pod.is_looped:
        copies = Bounds(copies.least, None, Reason.UNDECLARED)
    metadata = [part for one in found.passed if (part := mapping(one, "metadata"))]
    if pod.metadata and pod.metadata not in metadata:
        metadata.append(pod.metadata)
    return [Part(metadata, pod.spec, copies, workers, template.gang)]


def _within(outer: dict[str, Any], copies: Bounds, part: Part) -> Part:
    metadata = [one for one in (mapping(outer, "metadata"),) if one]
    return part._replace(metadata=metadata + part.metadata, copies=copies.times(part.copies))


def _inner(document: dict[str, Any], kinds: Kinds, depth: int) -> list[Part]:
    """The parts of an object that stands inside another one."""
    group, name = group_of(text(document, "apiVersion") or ""), text(document, "kind") or ""
    kind = kinds.find(group, name)
    if kind is None:
        return infer_parts(document)
    return read_parts(document, kind, kinds, depth) if kind.takes is Takes.ACCELERATORS else []


def read_size(template: Template, passed: tuple[dict[str, Any], ...]) -> tuple[Bounds, Bounds]:
    """The copies, and the workers of each, that the objects in *passed* ask for.

    Raises:
        RequestRefused: Something on the way to a count is no object.
    """
    if template.is_uncounted:
        return _ELSEWHERE, ONE
    copies = [_bounds(count, passed) for count in template.copies]
    workers = [_bounds(count, passed) for count in template.workers]
    scaled = template.scaled
    if scaled is not None and (
        scaled.when is None or value_at(passed[0], scaled.when) not in (None, False)
    ):
        factors = copies or workers
        if factors:
            least = factors[0] if scaled.least is None else _bounds(scaled.least, passed)
            most = _bounds(scaled.most, passed)
            factors[0] = Bounds(least.least, _larger(least.least, most.most), most.reason)
    if template.indexed is not None and value_at(passed[0], template.indexed) == _INDEXED:
        return ONE, _all(copies)
    return _all(copies), _all(workers)


def _bounds(count: Count, passed: tuple[dict[str, Any], ...]) -> Bounds:
    number = read_count(passed, count)
    if number is None:
        return _ELSEWHERE
    if number == UNBOUNDED:
        return Bounds(0, None, Reason.UNDECLARED)
    return Bounds(number, number)


def _all(factors: list[Bounds]) -> Bounds:
    result = ONE
    for factor in factors:
        result = factor.times(result)
    return result


def _product(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else min(one * other, LARGEST_EXACT)


def _larger(one: int | None, other: int | None) -> int | None:
    """*other*, if it is no less than *one*: a maximum below the minimum is none."""
    return other if other is None or one is None else max(one, other)


def infer_parts(document: dict[str, Any]) -> list[Part]:
    """The parts of a *document* of an unknown kind, by their structure.

    A pod specification is what has a list of containers with names and images. Numbers of replicas
    on the way to it multiply.

    Raises:
        RequestRefused: There are too many.
    """
    own = document.get("metadata")
    metadata = [own] if type(own) is dict and own else []
    parts: list[Part] = []
    for pod, around, size in _pods(document):
        inner = around.get("metadata") if around is not document else None
        found = [*metadata, inner] if type(inner) is dict and inner else metadata
        parts.append(Part(list(found), pod, size))
        if len(parts) > _MOST_PARTS:
            raise wrong("object", document, f"an object with at most {_MOST_PARTS} pod templates")
    return parts


def _pods(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any], Bounds]]:
    left = _MOST_VALUES
    waiting: list[tuple[Any, dict[str, Any], Bounds, int]] = [(document, document, ONE, 0)]
    while waiting and left:
        value, around, size, depth = waiting.pop()
        left -= 1
        if type(value) is list:
            waiting += [(item, around, size, depth + 1) for item in reversed(value)]
        elif type(value) is dict and depth < _DEEPEST:
            if _is_pod(value):
                yield value, around, size
                continue
            inner = size.times(_replicas(value))
            waiting += [
                (item, value, inner, depth + 1)
                for key, item in reversed(value.items())
                if type(item) in (dict, list) and key not in _NOT_SEARCHED
            ]


def _is_pod(value: dict[str, Any]) -> bool:
    containers = value.get("containers")
    return (
        type(containers) is list
        and bool(containers)
        and all(
            type(one) is dict and type(one.get("name")) is str and type(one.get("image")) is str
            for one in containers
        )
    )


def _replicas(owner: dict[str, Any]) -> Bounds:
    """What the numbers of replicas in *owner* say; of text such as ``$N`` nothing is known."""
    result = ONE
    for key in _COUNTS:
        value = owner.get(key)
        if type(value) is int and 0 <= value <= LARGEST_EXACT:
            result = result.times(Bounds(value, value))
        elif type(value) is str:
            result = result.times(Bounds(None, None, Reason.UNDECLARED))
    most = owner.get("maxReplicas")
    if type(most) is int and 0 <= most <= LARGEST_EXACT and result.most is not None:
        least = owner.get("minReplicas")
        floor = least if type(least) is int and 0 <= least <= most else result.least
        result = Bounds(floor, max(most, result.most))
    return result
