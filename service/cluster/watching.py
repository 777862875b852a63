"""Watches the kinds of a cluster that it serves, and keeps what is held of them as they are."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import structlog

from adapters.kubernetes.kinds import Kind, Kinds
from adapters.kubernetes.pruning import prune
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import watched_kinds
from service.cluster.client import Served
from service.cluster.held import Held, Key, encode
from service.cluster.reflector import Reflector, Source
from service.cluster.telling import Telling
from service.errors import ClusterUnavailable
from service.memory import give_back

_LOG = structlog.get_logger("portreeve")
_LISTS_AT_ONCE = 2
_LOOK_SECONDS = 60.0
_FIRST_PAUSE = 1.0
_ABSENCES = 3
_UNAUTHORIZED = 401
_REFUSALS = 4
_TIDY_SECONDS = 2.0
_CONFIRM_SECONDS = 1.0
_NEEDED = frozenset({"list", "watch"})
_STACK_BYTES = 1 << 19


class Cluster(Source, Protocol):
    """What is asked of a cluster, such as by ``Client``."""

    def served(self) -> list[Served]:
        """Every kind that the server serves."""
        ...


class _Reflection(NamedTuple):
    reflector: Reflector
    thread: threading.Thread


class KindSink:
    """Prunes objects of one kind in the thread that reads them, and hands them to the loop."""

    def __init__(self, name: KindName, kind: Kind | None, watching: Watching) -> None:
        self._name = name
        self._kind = kind
        self._watching = watching
        self._confirmed = 0.0

    def begin(self) -> None:
        """All objects are told from now on."""
        self._post(lambda: self._watching.held.begin(self._name))

    def put(self, documents: Sequence[dict[str, Any]]) -> None:
        """These are there."""
        found = [(self._key(document), self._pruned(document)) for document in documents]

        def hold() -> None:
            for key, body in found:
                if body is not None:
                    self._watching.held.put(key, body)
                else:
                    self._watching.held.drop(key)

        self._post(hold)

    def drop(self, document: dict[str, Any]) -> None:
        """This is gone."""
        key = self._key(document)
        self._post(lambda: self._watching.held.drop(key))

    def listed(self, current: float) -> None:
        """All objects have been told, as they were at *current*."""

        def end() -> None:
            self._watching.held.listed(self._name, current)
            self._watching.telling.moment(self._name)
            self._watching.tidy()

        self._post(end)

    def confirm(self, current: float) -> None:
        """All changes until *current* have been told; said once in a second at the most."""
        if 0 <= current - self._confirmed < _CONFIRM_SECONDS:
            return
        self._confirmed = current

        def confirm() -> None:
            self._watching.held.confirm(self._name, current)
            self._watching.telling.moment(self._name)

        self._post(confirm)

    def _post(self, action: Callable[[], object]) -> None:
        self._watching.loop.call_soon_threadsafe(action)

    def _key(self, document: dict[str, Any]) -> Key:
        metadata = document["metadata"]
        return Key(self._name, metadata.get("namespace") or "", metadata["name"])

    def _pruned(self, document: dict[str, Any]) -> bytes | None:
        try:
            kept = prune(document, self._kind)
        except (AttributeError, TypeError, ValueError):
            # Not as the API has it, which whoever reads it finds again and says.
            kept = document
        version = document["metadata"].get("resourceVersion") or ""
        return encode(kept, version) if kept is not None else None


class Watching:
    """Everything that is watched of one cluster."""

    def __init__(self, cluster: Cluster, kinds: Kinds, held: Held, telling: Telling) -> None:
        """Made in the event loop that alone touches *held* and *telling*."""
        self.held = held
        self.telling = telling
        self.loop = asyncio.get_running_loop()
        self._cluster = cluster
        self._kinds = kinds
        self._wanted = set(watched_kinds(kinds))
        self._running: dict[KindName, _Reflection] = {}
        self._absent: Counter[KindName] = Counter()
        self._lists = threading.Semaphore(_LISTS_AT_ONCE)
        self._tidying: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Watch what the cluster serves, for ever; it is asked again and again what that is.

        Raises:
            ClusterUnavailable: The server knows the credentials no longer: there may be others.
        """
        threading.stack_size(_STACK_BYTES)
        failures = 0
        while True:
            try:
                served = await asyncio.to_thread(self._cluster.served)
            except ClusterUnavailable as error:
                if failures == 0:
                    _LOG.warning("cluster_not_reached", error=error.message)
                failures += 1
                if error.answered == _UNAUTHORIZED and failures >= _REFUSALS:
                    raise
                await asyncio.sleep(
                    max(error.retry_after, min(_LOOK_SECONDS, _FIRST_PAUSE * 1.5**failures))
                )
                continue
            failures = 0
            self.follow(served)
            await asyncio.sleep(_LOOK_SECONDS)

    def follow(self, served: Sequence[Served]) -> None:
        """Watch what is wanted of *served*; no longer what is missing from it several times.

        Once proves nothing: what an aggregated server serves is missing while that is away.
        """
        found: dict[KindName, Served] = {}
        for one in served:
            name = KindName(one.group, one.kind)
            if name in self._wanted and one.verbs >= _NEEDED:
                found.setdefault(name, one)
        gone = [name for name in self._running if self._is_gone(name, found)]
        changed = [
            name
            for name, one in found.items()
            if name in self._running and self._running[name].reflector.served != one
        ]
        for name in (*gone, *changed):
            self._running.pop(name).reflector.stop()
        new = [name for name in found if name not in self._running]
        if gone or new or not self._running:
            self.held.keep_only({*self._running, *new})
            self.telling.kinds()
        for name in new:
            self._start(name, found[name])

    def tidy(self) -> None:
        """Give back soon what reading all objects needed for a moment."""
        if self._tidying is None:
            self._tidying = self.loop.call_later(_TIDY_SECONDS, self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        give_back()

    def _is_gone(self, name: KindName, found: dict[KindName, Served]) -> bool:
        self._absent[name] = 0 if name in found else self._absent[name] + 1
        return self._absent[name] >= _ABSENCES

    def _start(self, name: KindName, served: Served) -> None:
        sink = KindSink(name, self._kinds.find(*name), self)
        reflector = Reflector(self._cluster, served, sink, lists=self._lists)
        thread = threading.Thread(target=reflector.run, name=f"watch-{served.plural}", daemon=True)
        self._running[name] = _Reflection(reflector, thread)
        thread.start()
