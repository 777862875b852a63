"""What scales other objects: autoscalers, and the ``/scale`` subresource.

They state how many, and another object states of what. So the accelerators exist and are not known
here, unless there are to be none of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes import declared
from adapters.kubernetes.kinds import Kind, group_of
from adapters.kubernetes.parts import read_size
from adapters.kubernetes.paths import walk
from adapters.kubernetes.payload import mapping, text
from adapters.kubernetes.state import State
from adapters.kubernetes.workloads import Described
from service.model.base import Reason


class Target(NamedTuple):
    """The object that is scaled."""

    group: str
    kind: str
    name: str


def describe_scaling(document: dict[str, Any], kind: Kind) -> Described:
    """The state that an autoscaler, or a ``Scale``, asks of the object that it scales.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    state = State()
    found = declared.read_declarations([mapping(document, "metadata")])
    if found:
        declared.apply(found, state)
    template = kind.templates[0]
    sizes = [read_size(template, (*one.passed, one.value)) for one in walk(document, template.pods)]
    most: int | None = None
    if sizes:
        copies = sizes[0][0]
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
