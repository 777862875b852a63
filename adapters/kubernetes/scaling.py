"""What scales other objects: autoscalers, and the ``/scale`` subresource.

They state how many, and another object states of what. Where that object is at hand, it is
described as though it had those numbers. Else the accelerators exist and are not known here, unless
there are to be none of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes import declared
from adapters.kubernetes.claims import Near
from adapters.kubernetes.kinds import Kind, Kinds, group_of
from adapters.kubernetes.parts import Bounds, read_parts, read_size
from adapters.kubernetes.paths import Number, walk
from adapters.kubernetes.payload import mapping, text
from adapters.kubernetes.state import State
from adapters.kubernetes.workloads import Described, describe
from service.errors import RequestRefused
from service.model.base import Reason

_REPLICAS = Number(0, ("spec", "replicas"))
"""What ``/scale`` writes of the kinds that are scaled as a whole."""

_TARGET = "inferred:scale_target"


class Target(NamedTuple):
    """The object that is scaled."""

    group: str
    kind: str
    name: str


class Scalable(NamedTuple):
    """An object that is scaled, and what is needed to describe it."""

    document: dict[str, Any]
    kind: Kind
    kinds: Kinds
    near: Near | None


def describe_scaling(
    document: dict[str, Any], kind: Kind, scalable: Scalable | None = None
) -> Described:
    """The state that an autoscaler, or a ``Scale``, asks of the object that it scales.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    if scalable is not None:
        copies = _copies(document, kind)
        scaled = _scaled(scalable, copies) if copies is not None else None
        if scaled is not None:
            scaled.state["labels"] = declared.shown_labels(mapping(document, "metadata"))
            return scaled
    state = State()
    found = declared.read_declarations([mapping(document, "metadata")])
    if found:
        declared.apply(found, state)
    copies = _copies(document, kind)
    most: int | None = None
    if copies is not None:
        most = copies.most
        state.fields["copies"] = {"min": copies.least, "max": copies.most}
        if most is None:
            state.hide("/copies", copies.reason or Reason.UNDECLARED)
    else:
        state.hide("/copies", Reason.UNDECLARED)
    if most != 0:
        state.fields["accelerators"] = None
        state.hide("/accelerators", Reason.ELSEWHERE)
    state.hide("/workers_per_copy", Reason.ELSEWHERE)
    if shown := declared.shown_labels(mapping(document, "metadata")):
        state.fields["labels"] = shown
    return Described(state.fields, [])


def target_of(document: dict[str, Any]) -> Target | None:
    """The object that an autoscaler scales; KEDA means a Deployment where no kind is stated.

    Raises:
        RequestRefused: The reference is no object, or has no texts in it.
    """
    reference = mapping(mapping(document, "spec"), "scaleTargetRef")
    name = text(reference, "name")
    if name is None:
        return None
    group = group_of(text(reference, "apiVersion") or "apps/v1")
    return Target(group, text(reference, "kind") or "Deployment", name)


def _copies(document: dict[str, Any], kind: Kind) -> Bounds | None:
    """How many are asked for; ``None`` where nothing says it."""
    template = kind.templates[0]
    found = walk(document, template.pods)
    return read_size(template, (*found[0].passed, found[0].value))[0] if found else None


def _scaled(scalable: Scalable, copies: Bounds) -> Described | None:
    """What is scaled, with so many *copies*; ``None`` where its kind does not say how they count.

    An object that was kept without its pods has none that can take accelerators.
    """
    kind = scalable.kind
    if copies.least is None or copies.most is None or not _has_replicas(kind):
        return None
    try:
        if not read_parts(scalable.document, kind, scalable.kinds):
            return None if kind.refers else _without_pods(copies)
        found, least = _with(scalable, copies.most), _with(scalable, copies.least)
    except RequestRefused:
        return None  # somebody else's object, and not what the request says
    state = found.state
    if "copies" in state and "copies" in least.state:
        state["copies"] = {"min": least.state["copies"]["min"], "max": state["copies"]["max"]}
    for most, fewest in zip(
        state.get("accelerators") or (), least.state.get("accelerators") or (), strict=True
    ):
        if "total" in most and "total" in fewest:
            most["total"] = {"min": fewest["total"]["min"], "max": most["total"]["max"]}
    state["provenance"]["/accelerators"] = _TARGET
    return found


def _has_replicas(kind: Kind) -> bool:
    """Whether every pod of *kind* is counted by its replicas, and by no autoscaler of its own."""
    return all(
        template.scaled is None
        and any(_REPLICAS in count.numbers for count in (*template.copies, *template.workers))
        for template in kind.templates
    )


def _with(scalable: Scalable, replicas: int) -> Described:
    document = scalable.document
    changed = {**document, "spec": {**mapping(document, "spec"), "replicas": replicas}}
    return describe(changed, scalable.kind, scalable.kinds, scalable.near)


def _without_pods(copies: Bounds) -> Described:
    state = State()
    state.fields["copies"] = {"min": copies.least, "max": copies.most}
    state.provenance["/accelerators"] = _TARGET
    return Described(state.fields, [])
