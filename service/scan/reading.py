"""Reads a cluster page by page: what is to be decided, and what that is decided with.

Everything is read before anything is decided, because an object may be made by one of a kind that
is read later, and because claims, classes and nodes are looked up as a service does that watches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from adapters.kubernetes.claims import FORMS
from adapters.kubernetes.kinds import Kinds, Takes
from adapters.kubernetes.pruning import prune, takes_nothing
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import NODE, POD, watched_kinds
from service.cluster.held import Held, Key, encode
from service.errors import ClusterUnavailable
from service.scan.idle import Usage

if TYPE_CHECKING:
    from service.cluster.client import Page, Served

_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED, _GONE = 403, 404, 405, 410
_UNREADABLE = frozenset({_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED})
_ATTEMPTS = 6
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0

_Answer = TypeVar("_Answer")


class Cluster(Protocol):
    """What is asked of a cluster, such as by ``service.cluster.client.Client``."""

    def served(self) -> list[Served]:
        """Every kind that the server serves."""
        ...

    def page(self, served: Served, *, token: str = "", limit: int = ...) -> Page:
        """A page of objects."""
        ...


class Candidate(NamedTuple):
    """An object that may take something.

    Attributes:
        key: Where it is.
        plural: How the API's paths call its kind.
        uid: Tells it from others of the same name.
        owner: The uid of the controller that made it; empty where none did.
        body: The object as ``held.decode`` reads it.
    """

    key: Key
    plural: str
    uid: str
    owner: str
    body: bytes


class Unread(NamedTuple):
    """A kind that could not be read, and why."""

    kind: str
    why: str


class Found(NamedTuple):
    """What was read of a cluster.

    Attributes:
        view: What objects name of others.
        candidates: What may take something, in the order of kinds.
        read: How many objects of each kind there are.
        unread: Kinds of which that is not known.
        usage: What nodes have, and what of it pods have asked for.
    """

    view: Held
    candidates: list[Candidate]
    read: dict[str, int]
    unread: list[Unread]
    usage: Usage


Progress = Callable[[str, int, int | None], None]
"""Told of a kind, how many of its objects were read, and how many there are if that is known."""


def read_cluster(
    cluster: Cluster,
    kinds: Kinds,
    *,
    progress: Progress,
    pause: Callable[[float], None] = time.sleep,
) -> Found:
    """Read what is governed in *cluster*, and what decisions about it depend on.

    Kinds that may not be listed are told of; a server that is away for a moment is asked again.

    Raises:
        ClusterUnavailable: The server gave no usable answer, several times.
    """
    reader = _Reader(cluster, kinds, progress, pause)
    served = {KindName(one.group, one.kind): one for one in reversed(reader.served())}
    for name in dict.fromkeys((*watched_kinds(kinds), *(KindName(*form) for form in FORMS))):
        if name in served and "list" in served[name].verbs:
            reader.read(name, served[name])
    return reader.found


class _Reader:
    def __init__(
        self,
        cluster: Cluster,
        kinds: Kinds,
        progress: Progress,
        pause: Callable[[float], None],
    ) -> None:
        self.found = Found(Held(), [], {}, [], Usage())
        self._cluster = cluster
        self._kinds = kinds
        self._progress = progress
        self._pause = pause

    def served(self) -> Sequence[Served]:
        return self._patiently(self._cluster.served)

    def read(self, name: KindName, served: Served) -> None:
        """Read all objects of a kind, from the start again where the list grew too old."""
        shown = f"{served.plural}.{served.group}" if served.group else served.plural
        for attempt in range(_ATTEMPTS):
            view, before = self.found.view, len(self.found.candidates)
            view.begin(name)
            if name == POD:
                self.found.usage.forget_pods()
            started, count = time.time(), 0
            try:
                for page in self._pages(served):
                    self._take(name, served, page.items)
                    count += len(page.items)
                    total = None if page.remaining is None else count + page.remaining
                    self._progress(shown, count, total)
            except ClusterUnavailable as error:
                del self.found.candidates[before:]
                if error.answered == _GONE and attempt < _ATTEMPTS - 1:
                    continue
                if error.answered not in _UNREADABLE:
                    raise
                self.found.unread.append(Unread(shown, error.message))
                return
            view.listed(name, started)
            self.found.read[shown] = count
            return

    def _pages(self, served: Served) -> Iterator[Page]:
        token = ""
        while True:
            page = self._patiently(partial(self._cluster.page, served, token=token))
            yield page
            token = page.token
            if not token:
                return

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """What *ask* answers, asked again where the server could not for a moment."""
        for attempt in range(_ATTEMPTS):
            try:
                return ask()
            except ClusterUnavailable as error:
                passing = error.answered in {0, 408, 429} or error.answered >= 500
                if not passing or attempt == _ATTEMPTS - 1:
                    raise
                wait = max(float(error.retry_after), _FIRST_PAUSE_S * 2**attempt)
                self._pause(min(wait, _LONGEST_PAUSE_S))
        raise AssertionError("the last attempt returns or raises")

    def _take(self, name: KindName, served: Served, items: Sequence[dict[str, Any]]) -> None:
        kind = self._kinds.find(*name)
        is_governed = name in FORMS or (kind is not None and kind.takes is not Takes.NOTHING)
        for document in items:
            metadata = document.get("metadata") or {}
            key = Key(name, metadata.get("namespace") or "", metadata.get("name") or "")
            version = metadata.get("resourceVersion") or ""
            nothing = False
            try:
                if name == NODE:
                    self.found.usage.add_node(document)
                elif name == POD:
                    self.found.usage.add_pod(document)
                kept = prune(document, kind)
                # A view has no Pods that others made, and the makers of some are not known here.
                own = kept if kept is not None or name != POD else _pruned_pod(document, kind)
                nothing = takes_nothing(document, kind)
            except (AttributeError, TypeError, ValueError):
                kept = own = document  # not as the API has it, which whoever reads it says
            if kept is not None:
                self.found.view.put(key, encode(kept, version))
            if is_governed and own is not None and not nothing:
                uid, owner = metadata.get("uid") or "", _controller(metadata)
                body = encode(own, version)
                self.found.candidates.append(Candidate(key, served.plural, uid, owner, body))


def _pruned_pod(document: dict[str, Any], kind: Any) -> dict[str, Any] | None:
    """What is kept of a Pod that another object made; ``None`` if it takes nothing."""
    metadata = document.get("metadata") or {}
    owners = metadata.get("ownerReferences")
    kept = prune({**document, "metadata": {**metadata, "ownerReferences": []}}, kind)
    if kept is not None and owners:
        kept["metadata"]["ownerReferences"] = owners
    return kept


def _controller(metadata: dict[str, Any]) -> str:
    owners = metadata.get("ownerReferences") or ()
    return next((owner.get("uid") or "" for owner in owners if owner.get("controller") is True), "")
