"""The decision log in one SQLite file, for as many processes as want to write it.

Whoever gets the lock writes, for itself and for all others; the others hand their records over.
When the writing process ends, the next record of any other takes its place.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from service.errors import LogUnavailable
from service.log.entry import Entry
from service.log.event_rows import PreparedEvents, prepare_events
from service.log.handover import Ask
from service.log.here import Here, LogWriter
from service.log.lock import WriterLock, holder
from service.log.rows import Prepared, first_decision, prepare
from service.log.sender import Sender
from service.log.writer import Settled, Waiting
from service.model.decision import Decision
from service.model.subject_event import SubjectEvent
from service.store.compiled import compiled
from service.store.opening import unwritable

# How long a record looks for somebody who writes it, while processes come and go.
PATIENCE_S = 5.0
PAUSE_S = 0.02
READY_S = 2.0

Start = Callable[[Path, WriterLock], Awaitable[LogWriter]]


async def write_here(path: Path, _: WriterLock) -> LogWriter:
    """Write the log at *path* in this process.

    Raises:
        LogUnavailable: The file cannot be written, or is no decision log of ours.
    """
    return await asyncio.to_thread(Here, path, compiled())


class DecisionLogFile:
    """A ``DecisionLog`` in a file; belongs to the event loop it was opened in."""

    def __init__(self, path: Path, start: Start) -> None:
        """Use ``open`` instead: it says at once when *path* cannot be written."""
        self._path = path
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._sender = Sender(path)
        self._taking = asyncio.Lock()
        self._lock: WriterLock | None = None
        self._writer: LogWriter | None = None
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path, *, start: Start = write_here, writer: LogWriter | None = None
    ) -> Self:
        """Open the log at *path*, made with its folder where it is missing.

        *writer* writes it already, for this process too. Where nobody does, *start* begins to: in
        this process, unless told otherwise.

        Raises:
            LogUnavailable: It can neither be written nor handed to whoever writes it.
        """
        try:
            path = await asyncio.to_thread(path.resolve)
        except (OSError, RuntimeError) as error:
            raise unwritable(path, str(error)) from error
        log = cls(path, start)
        log._writer = writer
        try:
            await log._ask(None, Ask)
        except BaseException:
            await log.close()
            raise
        return log

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes the file."""
        return self._writer is not None

    async def record(self, entry: Entry) -> Decision:
        """Make *entry* durable, then return the decision that stands for it.

        Raises:
            LogUnavailable: It cannot be made durable; no answer may leave.
        """
        return await self._ask(prepare(entry), lambda: Ask.of(entry)) or entry.decision

    async def record_events(self, events: Sequence[SubjectEvent]) -> None:
        """Make *events* durable, all or none; those that are recorded already add nothing.

        Raises:
            LogUnavailable: It is not known whether they are durable; they may be recorded again.
        """
        if events:
            given = tuple(events)
            await self._ask(prepare_events(given), lambda: Ask(events=given))

    async def ready(self) -> bool:
        """Whether a record could be made now; after a full disk, a small one is tried."""
        try:
            async with asyncio.timeout(READY_S):
                await self._ask(None, Ask)
        except (LogUnavailable, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Write what is waiting and release the log."""
        self._closed = True
        async with self._taking:
            await self._sender.close()
            if self._writer is not None:
                await self._writer.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    async def _ask(
        self, prepared: Prepared | PreparedEvents | None, ask: Callable[[], Ask]
    ) -> Decision | None:
        """Record what is *prepared*, or ask whether anything could be recorded.

        Args:
            prepared: What this process writes, where it does.
            ask: Makes what is handed to another process, where that writes.

        Returns:
            The decision that stands for it where that is another one.
        """
        until = self._loop.time() + PATIENCE_S
        while True:
            try:
                writer = self._writer
                if writer is None or not writer.alive:
                    writer = await self._take_over()
                if writer is not None:
                    return await self._write(writer, prepared)
                async with asyncio.timeout_at(until):
                    return await self._hand_over(ask())
            except OSError as error:
                await self._pause(until, error)

    async def _write(
        self, writer: LogWriter, prepared: Prepared | PreparedEvents | None
    ) -> Decision | None:
        if self._closed:
            raise self._is_closed()
        future: asyncio.Future[bytes | None] = self._loop.create_future()
        writer.submit(Waiting(prepared, future, self._answer))
        first = await future
        return None if first is None else first_decision(first)

    async def _hand_over(self, ask: Ask) -> Decision | None:
        told = await self._sender.send(ask)
        if told.problem is not None:
            raise told.problem.failure()
        return told.decision

    async def _pause(self, until: float, error: OSError) -> None:
        # Whoever wrote may just be ending or beginning: look again, out of step with others.
        if self._loop.time() >= until:
            raise LogUnavailable(
                f"the decision log `{self._path}` is held by {holder(self._path)}, "
                f"which took no record within {PATIENCE_S:g} s",
                hint="End that process, or name another file for the log.",
            ) from error
        await asyncio.sleep(PAUSE_S * (1 + random.random()))  # noqa: S311 - no secret

    async def _take_over(self) -> LogWriter | None:
        """Whoever writes for this process; ``None`` while another process has the lock.

        Raises:
            LogUnavailable: Nobody writes, and the file cannot be opened.
        """
        async with self._taking:
            if self._closed:
                raise self._is_closed()
            if self._writer is not None and self._writer.alive:
                return self._writer
            if self._writer is not None:
                await self._writer.close()
            lock = self._lock or WriterLock.take(self._path)
            if lock is None:
                return None
            try:
                self._writer = await self._start(self._path, lock)
            except BaseException:
                lock.release()
                self._lock = None
                raise
            self._lock = lock
            await self._sender.close()
            return self._writer

    def _is_closed(self) -> LogUnavailable:
        return LogUnavailable(f"the decision log `{self._path}` is closed")

    def _answer(self, settled: Sequence[Settled]) -> None:
        with suppress(RuntimeError):  # the loop ended, and with it whoever waited
            self._loop.call_soon_threadsafe(_resolve, settled)


def _resolve(settled: Sequence[Settled]) -> None:
    for waiting, outcome in settled:
        future = waiting.token
        if not isinstance(future, asyncio.Future) or future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
