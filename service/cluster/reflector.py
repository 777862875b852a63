"""Reads all objects of a kind, then every change of them, for ever.

As Kubernetes' own clients do (client-go, ``tools/cache/reflector.go``): a list in pages, a watch
from the version at which it was read, the list anew where the server has forgotten that version.
Watches are short: each that ends proves that nothing was missed until then, so that a connection
that died in silence makes the view old instead of wrong.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import structlog

from service.cluster.client import GONE, Event, Page, Served, patient
from service.errors import ClusterUnavailable

_LOG = structlog.get_logger("portreeve")
# Decoded, an object takes ten times as much as is kept of it: pages are small.
_PAGE = 100
_WATCH_SECONDS = 30
_AT_ONCE_SECONDS = 1.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class Source(Protocol):
    """Where objects are read, such as ``Client``."""

    def page(self, served: Served, *, token: str = "", limit: int = _PAGE) -> Page:
        """A page of at most *limit* objects (0: all), the one that *token* asks for."""
        ...

    def watch(self, served: Served, *, resource_version: str, seconds: int) -> Iterator[Event]:
        """What happens after *resource_version*, for *seconds*."""
        ...


class Sink(Protocol):
    """Where objects of one kind go; moments are seconds since 1970."""

    def begin(self) -> None:
        """All objects are told from now on."""
        ...

    def put(self, documents: Sequence[dict[str, Any]]) -> None:
        """These are there."""
        ...

    def drop(self, document: dict[str, Any]) -> None:
        """This is gone."""
        ...

    def listed(self, current: float) -> None:
        """All objects have been told, as they were at *current*."""
        ...

    def confirm(self, current: float) -> None:
        """All changes until *current* have been told."""
        ...


class Reflector:
    """Keeps *sink* as the objects of one kind are; runs in a thread of its own."""

    def __init__(
        self,
        source: Source,
        served: Served,
        sink: Sink,
        *,
        lists: threading.Semaphore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """*lists* bounds how many kinds are read at once."""
        self.served = served
        self._source = source
        self._sink = sink
        self._lists = lists
        self._clock = clock
        self._version = ""
        self._limit = _PAGE
        self._failures = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End at the next occasion."""
        self._stopping.set()

    def run(self) -> None:
        """List and watch until it is stopped; what fails is tried again, ever more seldom."""
        while not self._stopping.is_set():
            try:
                self.step()
            except ClusterUnavailable as error:
                self._failed(error)
                self._stopping.wait(self._pause(error))
            # A thread that ended would leave its kind as it is, and nobody would know.
            except Exception:  # noqa: BLE001
                _LOG.exception("defect", kind=self.served.kind, group=self.served.group)
                self._version = ""
                self._failures += 1
                self._stopping.wait(_LONGEST_PAUSE)

    def step(self) -> None:
        """Read all objects if that is needed, then one watch to its end.

        Raises:
            ClusterUnavailable: The server gave no usable answer, or the connection broke.
        """
        if not self._version:
            self._list()
        began = self._clock()
        told = self._watch()
        if not told and self._clock() - began < _AT_ONCE_SECONDS:
            raise ClusterUnavailable("the API server ended a watch at once")
        self._succeeded()

    def _list(self) -> None:
        with self._lists:
            began = self._clock()
            self._sink.begin()
            token = ""
            while True:
                try:
                    page = self._source.page(self.served, token=token, limit=self._limit)
                except ClusterUnavailable as error:
                    if error.answered == GONE and token:
                        # Slower than the server remembers: the next time all in one answer.
                        self._limit = 0
                    raise
                if page.items:
                    self._sink.put(page.items)
                token = page.token
                if not token:
                    break
                if self._stopping.is_set():
                    return
        self._version = page.resource_version
        self._limit = _PAGE
        self._sink.listed(began)

    def _watch(self) -> int:
        """How many events one watch had."""
        told = 0
        seconds = patient(_WATCH_SECONDS)
        events = self._source.watch(self.served, resource_version=self._version, seconds=seconds)
        try:
            for event in events:
                told += 1
                self._take(event)
                if self._stopping.is_set():
                    return told
        except ClusterUnavailable as error:
            if error.answered == GONE:
                self._version = ""
            raise
        self._sink.confirm(self._clock())
        return told

    def _take(self, event: Event) -> None:
        document = event.object
        if event.type == "DELETED":
            self._sink.drop(document)
        elif event.type in {"ADDED", "MODIFIED"}:
            # Items of a watch state their kind, some servers' only the plain one.
            document["apiVersion"], document["kind"] = self.served.api_version, self.served.kind
            self._sink.put([document])
        version = (document.get("metadata") or {}).get("resourceVersion")
        if version:
            self._version = version
        self._sink.confirm(self._clock())

    def _pause(self, error: ClusterUnavailable) -> float:
        grown = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10))
        return max(float(error.retry_after), grown * random.uniform(0.7, 1.3))  # noqa: S311 - no secret

    def _failed(self, error: ClusterUnavailable) -> None:
        self._failures += 1
        # A version that the server has forgotten is its right, and no trouble of anybody's.
        if self._failures == 1 and error.answered != GONE:
            _LOG.warning("cluster_kind_not_read", **self._named(), error=error.message)

    def _succeeded(self) -> None:
        if self._failures > 0:
            _LOG.info("cluster_kind_read_again", **self._named(), failures=self._failures)
        self._failures = 0

    def _named(self) -> dict[str, str]:
        return {"group": self.served.group, "kind": self.served.kind}
