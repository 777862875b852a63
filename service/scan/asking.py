"""What of a cluster is asked about, and as what: each object as though it were made now.

Left out are objects that take nothing, that are over or going, and those that another object made
which is asked about itself: a Deployment, its ReplicaSet and its Pods are one subject.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from adapters.kubernetes.kinds import Kinds, Takes, group_of
from adapters.kubernetes.lifecycle import read_life
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.payload import mapping
from adapters.kubernetes.review import API_VERSION, KIND
from adapters.kubernetes.scaling import target_of
from adapters.kubernetes.surroundings import surrounded
from adapters.kubernetes.view import UNWATCHED, ClusterView, KindName
from service.cluster.held import decode
from service.errors import RequestRefused
from service.model.base import Binding, Role
from service.model.request import Actor, Request
from service.model.resource import Resource
from service.scan.reading import Candidate, Found

CALLER = "local"


class LeftOut(StrEnum):
    """Why an object is not asked about."""

    CHILD = "made by an object that was scanned"
    NOTHING = "takes nothing"
    OVER = "over, or being deleted"


class Question(NamedTuple):
    """An object that is asked about.

    Attributes:
        candidate: The object.
        api_version: As it states it.
        request: What is asked; ``None`` where the object cannot be read.
        error: Why it cannot be.
        counts: Whether it takes something itself, and is not only about what another object takes.
    """

    candidate: Candidate
    api_version: str
    request: Request | None
    error: RequestRefused | None
    counts: bool


class _Takes(NamedTuple):
    """What an object takes, as far as it is compared with what its owner takes."""

    units: dict[str | None, int | None] | None
    bypasses: frozenset[str]


class Asking:
    """Makes questions of what was found in a cluster."""

    def __init__(self, found: Found, cluster: str, kinds: Kinds, *, is_watched: bool) -> None:
        """*is_watched* says whether decisions may depend on what the cluster holds besides."""
        self.left_out: Counter[LeftOut] = Counter()
        self._found = found
        self._cluster = cluster
        self._kinds = kinds
        self._view: ClusterView = found.view if is_watched else UNWATCHED
        self._keys = {each.key for each in found.candidates}
        self._by_uid = {each.uid: each for each in found.candidates if each.uid}
        self._takes = {uid: self._taken(each) for uid, each in self._by_uid.items()}
        self._over: dict[str, bool] = {}

    def questions(self) -> Iterator[Question]:
        """What is asked, in the order in which it was found."""
        for candidate in self._found.candidates:
            document = decode(candidate.body)
            reason = self._reason(candidate, document)
            question = None if reason is not None else self._question(candidate, document)
            if question is not None and not _takes_something(question.request):
                reason = LeftOut.NOTHING
            if reason is not None:
                self.left_out[reason] += 1
            elif question is not None:
                yield question

    def _reason(self, candidate: Candidate, document: dict[str, Any]) -> LeftOut | None:
        """Why *candidate* is not asked about, as far as that shows before it is read."""
        if self._is_over(candidate, document):
            return LeftOut.OVER
        if self._is_child(candidate):
            return LeftOut.CHILD
        return LeftOut.NOTHING if self._scales_nothing(candidate, document) else None

    def _is_over(self, candidate: Candidate, document: dict[str, Any] | None = None) -> bool:
        if candidate.uid not in self._over:
            # Of its owner nothing is asked here.
            alone = _alone(decode(candidate.body) if document is None else document)
            life = read_life(alone, cluster=self._cluster, kinds=self._kinds)
            self._over[candidate.uid] = life is not None and (
                life.is_going or life.outcome is not None
            )
        return self._over[candidate.uid]

    def _is_child(self, candidate: Candidate) -> bool:
        """Whether an object that made it answers for it, or the one that made that one.

        Owners that lead back to where they began answer for nothing.
        """
        seen = {candidate.uid}
        owner = self._answers_for(candidate)
        is_child = owner is not None
        while owner is not None:
            if owner.uid in seen:
                return False
            seen.add(owner.uid)
            owner = self._answers_for(owner)
        return is_child

    def _answers_for(self, candidate: Candidate) -> Candidate | None:
        """The object that made it, if that goes on and takes at least as much.

        A reference to an owner may be written by anyone, so what is not the owner's is asked about.
        """
        owner = self._by_uid.get(candidate.owner) if candidate.owner else None
        if owner is None or self._is_over(owner):
            return None
        own, whole = self._takes.get(candidate.uid), self._takes.get(owner.uid)
        return owner if own is not None and whole is not None and _is_within(own, whole) else None

    def _scales_nothing(self, candidate: Candidate, document: dict[str, Any]) -> bool:
        """Whether an autoscaler scales an object that is there and takes nothing."""
        kind = self._kinds.find(*candidate.key.kind)
        if kind is None or kind.takes is not Takes.ELSEWHERE:
            return False
        try:
            target = target_of(document)
        except RequestRefused:
            return False
        if target is None:
            return False
        name = KindName(target.group, target.kind)
        key = candidate.key._replace(kind=name, name=target.name)
        return (
            self._found.view.find(name, key.namespace, key.name) is not None
            and key not in self._keys
        )

    def _question(self, candidate: Candidate, document: dict[str, Any]) -> Question:
        api_version = str(document.get("apiVersion") or "")
        kind = self._kinds.find(*candidate.key.kind)
        counts = kind is None or kind.takes is not Takes.ELSEWHERE
        try:
            request = surrounded(self._request(candidate, document, self._view), self._view)
        except RequestRefused as error:
            return Question(candidate, api_version, None, error, counts)
        return Question(candidate, api_version, request, None, counts)

    def _request(
        self, candidate: Candidate, document: dict[str, Any], view: ClusterView
    ) -> Request:
        """The request to make *document*, as what already runs.

        Raises:
            RequestRefused: The object cannot be read.
        """
        request = normalise_review(
            _review(candidate, document),
            cluster=self._cluster,
            caller=CALLER,
            kinds=self._kinds,
            view=view,
        )
        version = mapping(document, "metadata").get("resourceVersion") or ""
        return request.model_copy(
            update={
                "key": f"{candidate.uid}/{version}",
                "operation": "scan",
                "binding": Binding.SCAN,
                "actor": Actor(),
            }
        )

    def _taken(self, candidate: Candidate) -> _Takes | None:
        try:
            request = self._request(candidate, decode(candidate.body), self._found.view)
        except RequestRefused:
            return None
        return _taken_by(request.resources)


def _review(candidate: Candidate, document: dict[str, Any]) -> dict[str, Any]:
    api_version = str(document.get("apiVersion") or "")
    group = group_of(api_version)
    named = {"group": group, "version": api_version.rpartition("/")[2]}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "request": {
            "uid": candidate.uid,
            "kind": {**named, "kind": candidate.key.kind.kind},
            "resource": {**named, "resource": candidate.plural},
            "name": candidate.key.name,
            "namespace": candidate.key.namespace,
            "operation": "CREATE",
            "userInfo": {"username": CALLER},
            "object": document,
            "oldObject": None,
            "dryRun": False,
        },
    }


def _alone(document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or "ownerReferences" not in metadata:
        return document
    own = {key: value for key, value in metadata.items() if key != "ownerReferences"}
    return {**document, "metadata": own}


def _takes_something(request: Request | None) -> bool:
    """Whether anything is asked; an object that cannot be read may take anything."""
    if request is None or request.not_covered:
        return True
    return any(
        resource.role is Role.CAPACITY
        or resource.accelerators != ()
        or resource.placement.bypasses
        or resource.placement.admin_access
        for resource in request.resources
    )


def _taken_by(resources: Iterable[Resource]) -> _Takes:
    units: dict[str | None, int | None] | None = {}
    bypasses: set[str] = set()
    for resource in resources:
        bypasses.update(resource.placement.bypasses)
        if resource.accelerators is None:
            units = None
        for item in resource.accelerators or ():
            if units is not None:
                units[item.resource] = _sum(units.get(item.resource, 0), item.total.max)
    return _Takes(units, frozenset(bypasses))


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _is_within(own: _Takes, owner: _Takes) -> bool:
    """Whether *own* is no more than *owner*, whose numbers may have no bound."""
    if not own.bypasses <= owner.bypasses:
        return False
    if own.units is None or owner.units is None:
        # Only what is known of the one and not of the other says more than the owner does.
        return owner.units is None and own.units is None
    for name, most in own.units.items():
        if most == 0:
            continue
        if name not in owner.units:
            return False
        allowed = owner.units[name]
        if allowed is not None and (most is None or most > allowed):
            return False
    return True
