"""Tells the log what becomes of a cluster's objects, from what a listener holds of them.

The service's first listener does so, a few objects at a time, so that no request waits for it. What
is not recorded is tried again until it is; a service that ends before finds it out by itself when
it starts anew, from what the log has and what is there then.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from adapters.kubernetes.kinds import Kinds, in_use
from adapters.kubernetes.lifecycle import deleted_at, is_governed, may_take, read_life, uid_of
from adapters.kubernetes.view import KindName
from service.cluster.held import Held, Key, Seen, decode
from service.cluster.subjects import Subjects
from service.errors import LogUnavailable
from service.log.entry import EventLog
from service.log.event_query import EventReader
from service.model.subject_event import Observed, SubjectEvent
from service.pipeline import utc_now

_LOG = structlog.get_logger("portreeve")
_MOST_AT_ONCE = 64
_SLICE_SECONDS = 0.001
_REST_SECONDS = 0.01
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0


class _Change(NamedTuple):
    """What became of one object since it was looked at last."""

    before: bytes | None
    after: bytes | None
    is_listed: bool

    def then(self, seen: Seen) -> _Change:
        """This and *seen* in one: whoever comes late learns where it began and where it stands."""
        return _Change(self.before, seen.after, self.is_listed or seen.is_listed)


class _Look(NamedTuple):
    """A change on its way to being told; without ``observed``: all objects of ``kind`` were seen.

    ``uid`` is that of ``after`` where that is worth reading.
    """

    kind: KindName
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    observed: Observed | None = None
    uid: str = ""


@contextlib.asynccontextmanager
async def recording(
    held: Held,
    log: EventLog,
    reader: EventReader,
    *,
    cluster: str | None,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[None]:
    """Have *log* told of the objects in *held*, which is not told of them before, while this lasts.

    *reader* reads that log, and *cluster* is the name of where the objects are. The kinds in use
    are those of the process.
    """
    records = Recording(held, log, reader, cluster=cluster, kinds=in_use(), clock=clock)
    task = asyncio.create_task(records.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Recording:
    """Waits for what *held* is told, and has the log keep what that means."""

    def __init__(
        self,
        held: Held,
        log: EventLog,
        reader: EventReader,
        *,
        cluster: str | None,
        kinds: Kinds,
        clock: Callable[[], datetime],
    ) -> None:
        """Begin before *held* is told anything."""
        self._held = held
        self._log = log
        self._reader = reader
        self._cluster = cluster
        self._kinds = kinds
        self._clock = clock
        self._waiting: dict[Key | KindName, _Change | None] = {}
        self._listed: set[KindName] = set()
        self._wake = asyncio.Event()
        held.observe(self._changed, completed=self._completed)

    async def run(self) -> None:
        """Record, for ever."""
        living = await self._read(lambda: self._reader.living(self._cluster))
        subjects = Subjects(self._cluster, living, clock=self._clock)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                if events := await self._next(subjects):
                    await self._record(events)
                await asyncio.sleep(_REST_SECONDS)

    def _changed(self, seen: Seen) -> None:
        if not is_governed(seen.key.kind, self._kinds):
            return
        # In its old place, which is before the word that all of its kind were told.
        waiting = self._waiting.get(seen.key)
        change = _Change(seen.before, seen.after, seen.is_listed)
        self._waiting[seen.key] = change if waiting is None else waiting.then(seen)
        self._wake.set()

    def _completed(self, kind: KindName) -> None:
        if kind not in self._listed and is_governed(kind, self._kinds):
            self._listed.add(kind)
            self._waiting[kind] = None
            self._wake.set()

    async def _next(self, subjects: Subjects) -> list[SubjectEvent]:
        """What the next few changes mean; other things are done in between."""
        taken = self._take()
        uids = [one.uid for one in taken if one.uid and not subjects.remembers(one.uid)]
        if uids:
            subjects.recall(await self._read(lambda: self._reader.last(self._cluster, uids)))
        events: list[SubjectEvent] = []
        until = time.monotonic() + _SLICE_SECONDS
        for one in taken:
            try:
                events += self._told(subjects, one)
            except Exception:  # noqa: BLE001 - one object must not end what is told of others
                _LOG.exception("defect", kind=one.kind.kind, group=one.kind.group)
            if time.monotonic() >= until:
                await asyncio.sleep(_REST_SECONDS)
                until = time.monotonic() + _SLICE_SECONDS
        return events

    def _take(self) -> list[_Look]:
        """The next few changes, decoded, for as long as nobody notices that it takes time."""
        until = time.monotonic() + _SLICE_SECONDS
        taken: list[_Look] = []
        while self._waiting and len(taken) < _MOST_AT_ONCE and time.monotonic() < until:
            key = next(iter(self._waiting))
            change = self._waiting.pop(key)
            if isinstance(key, KindName) or change is None:
                taken.append(_Look(key if isinstance(key, KindName) else key.kind))
                continue
            before = decode(change.before) if change.before is not None else None
            after = decode(change.after) if change.after is not None else None
            observed = Observed.LIST if change.is_listed else Observed.WATCH
            uid = ""
            if after is not None and may_take(after, self._kinds, self._held):
                uid = uid_of(after)
            taken.append(_Look(key.kind, before, after, observed, uid))
        return taken

    def _told(self, subjects: Subjects, one: _Look) -> list[SubjectEvent]:
        if one.observed is None:
            return subjects.listed(one.kind)
        events: list[SubjectEvent] = []
        uid = uid_of(one.after) if one.after is not None else ""
        if one.before is not None and (former := uid_of(one.before)) != uid:
            events += subjects.lose(former, one.observed, deleted_at(one.before))
        if one.after is not None and (one.uid or subjects.knows(uid)):
            life = read_life(one.after, cluster=self._cluster, kinds=self._kinds)
            if life is not None:
                events += subjects.see(life, one.observed)
            else:
                subjects.keep(uid)
        return events

    async def _read(self, read: Callable[[], Sequence[SubjectEvent]]) -> Sequence[SubjectEvent]:
        """What *read* finds in the log, once that can be read."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await asyncio.to_thread(read)
            except LogUnavailable as error:
                if pause == _FIRST_PAUSE:
                    _LOG.error("subject_events_not_read", reason=error.message)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _record(self, events: Sequence[SubjectEvent]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._log.record_events(events)
                break
            except LogUnavailable as error:
                if pause == _FIRST_PAUSE:
                    _LOG.error("subject_events_not_recorded", reason=error.message)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
        counts = Counter(event.event.value for event in events)
        _LOG.info("subject_events", **counts, ids=[event.event_id for event in events])
