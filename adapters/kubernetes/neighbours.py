"""Objects of a watched cluster that the object of a review names: claims, classes, scale targets.

What the view does not hold stays as it is without a view: elsewhere, and never nothing. Even where
every object of a kind is known, one may be made between the review and the pod that needs it.
"""

from __future__ import annotations

from typing import NamedTuple

from adapters.kubernetes.claim_requests import Claim, read_claim
from adapters.kubernetes.claims import GROUP, TEMPLATE, ClaimIndex, Near
from adapters.kubernetes.kinds import Kinds, Takes
from adapters.kubernetes.payload import mapping, text
from adapters.kubernetes.scaling import Scalable, Target
from adapters.kubernetes.selectors import NOTHING, Facts, read_selectors
from adapters.kubernetes.view import UNWATCHED, ClusterView, KindName
from adapters.kubernetes.watched import DEVICE_CLASS
from service.errors import RequestRefused


class _Classes(NamedTuple):
    """Every DeviceClass of a cluster."""

    facts: dict[str, Facts]
    extended: dict[str, set[str]]


class WatchedClaims(ClaimIndex):
    """Claims, templates and device classes of a watched cluster, by name."""

    def __init__(self, view: ClusterView) -> None:
        super().__init__(())
        self._view = view
        self._known = _Classes({}, {})
        self._changes: int | None = None

    def claim_of(self, kind: str, namespace: str, name: str) -> Claim | None:
        """The claim that the object *name* of *kind* is, or makes; ``None`` if it is not known."""
        found = self._view.find(KindName(GROUP, kind), namespace, name)
        if found is None:
            return None
        try:
            spec = mapping(found, "spec")
            return read_claim(mapping(spec, "spec") if kind == TEMPLATE else spec, self)
        except RequestRefused:
            return None  # somebody else's object: what it takes exists, and cannot be read

    def facts_of(self, name: str) -> Facts:
        """What the selectors of the device class *name* say; nothing where it is not known."""
        return self._every().facts.get(name, NOTHING)

    def classes_of(self, resource: str) -> set[str]:
        """The device classes that the extended *resource* stands for."""
        return self._every().extended.get(resource) or super().classes_of(resource)

    def _every(self) -> _Classes:
        changes = self._view.changes(DEVICE_CLASS)
        if changes != self._changes:
            self._known = _read_classes(self._view)
            self._changes = changes
        return self._known


class Neighbours(NamedTuple):
    """What objects of one cluster find by the names that they have of others."""

    view: ClusterView
    claims: WatchedClaims

    def near(self, namespace: str) -> Near:
        """Claims as objects in *namespace* see them."""
        return Near(self.claims, namespace)

    def scalable(self, target: Target, namespace: str, kinds: Kinds) -> Scalable | None:
        """What an object in *namespace* scales by that name; ``None`` if it is not known."""
        kind = kinds.find(target.group, target.kind)
        if kind is None or kind.takes is not Takes.ACCELERATORS:
            return None
        found = self.view.find(KindName(target.group, target.kind), namespace, target.name)
        return Scalable(found, kind, kinds, self.near(namespace)) if found is not None else None


_last: Neighbours | None = None


def neighbours_in(view: ClusterView) -> Neighbours | None:
    """What objects of the cluster of *view* find by name; ``None`` where nobody watches it.

    That of the last view is kept with what it derived: a process watches one cluster.
    """
    global _last  # noqa: PLW0603  # what is kept is derived from the view alone
    if view is UNWATCHED:
        return None
    if _last is None or _last.view is not view:
        _last = Neighbours(view, WatchedClaims(view))
    return _last


def _read_classes(view: ClusterView) -> _Classes:
    classes = _Classes({}, {})
    for document in view.all(DEVICE_CLASS):
        try:
            name, spec = text(mapping(document, "metadata"), "name"), mapping(document, "spec")
            if name is None:
                continue
            classes.facts[name] = read_selectors(spec)
            if resource := text(spec, "extendedResourceName"):
                classes.extended.setdefault(resource, set()).add(name)
        except RequestRefused:
            continue  # a class of which nothing is known, as one that is not there
    return classes
