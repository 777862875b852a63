"""The decision log in one SQLite file, for as many processes as want to write it.

Whoever gets the lock writes, for itself and for all others; the others hand their records over.
When the writing process ends, the next record of any other takes its place.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import structlog

from service.errors import LogUnavailable
from service.log.entry import Entry
from service.log.group import GroupStore
from service.log.handover import Ask, listen, remove
from service.log.lock import WriterLock, holder
from service.log.receiver import Receiver
from service.log.rows import Prepared, prepare
from service.log.sender import Sender
from service.log.writer import Settled, Waiting, Writer
from service.model.decision import Decision
from service.store.opening import open_writer, refusal, unwritable

# How long a record looks for somebody who writes it, while processes come and go.
PATIENCE_S = 5.0
PAUSE_S = 0.02
READY_S = 2.0

logger = structlog.get_logger(__name__)


class DecisionLogFile:
    """A ``DecisionLog`` in a file; belongs to the event loop it was opened in."""

    def __init__(self, path: Path) -> None:
        """Use ``open`` instead: it says at once when *path* cannot be written."""
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._sender = Sender(path)
        self._taking = asyncio.Lock()
        self._lock: WriterLock | None = None
        self._writer: Writer | None = None
        self._receiver: Receiver | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the log at *path*, made with its folder where it is missing.

        Raises:
            LogUnavailable: It can neither be written nor handed to whoever writes it.
        """
        try:
            path = await asyncio.to_thread(path.resolve)
        except (OSError, RuntimeError) as error:
            raise unwritable(path, str(error)) from error
        log = cls(path)
        try:
            await log._ask(None)
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
        return await self._ask(entry) or entry.decision

    async def ready(self) -> bool:
        """Whether a record could be made now; after a full disk, a small one is tried."""
        try:
            async with asyncio.timeout(READY_S):
                await self._ask(None)
        except (LogUnavailable, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Write what is waiting and release the log."""
        self._closed = True
        async with self._taking:
            await self._sender.close()
            if self._lock is not None:
                await asyncio.to_thread(self._leave, self._lock)
                self._lock = None

    async def _ask(self, entry: Entry | None) -> Decision | None:
        """Record *entry*, or ask whether anything could be; the decision where it is another."""
        if self._writer is None:
            ask = Ask() if entry is None else Ask.of(entry)
            until = self._loop.time() + PATIENCE_S
            while not await self._take_over():
                try:
                    async with asyncio.timeout_at(until):
                        return await self._hand_over(ask)
                except OSError as error:
                    await self._pause(until, error)
        prepared = None if entry is None else prepare(entry)
        return await self._write(prepared)

    async def _write(self, prepared: Prepared | None) -> Decision | None:
        if self._writer is None or self._closed:
            raise LogUnavailable(f"the decision log `{self._path}` is closed")
        future: asyncio.Future[Decision | None] = self._loop.create_future()
        self._writer.submit(Waiting(prepared, future, self._answer))
        return await future

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

    async def _take_over(self) -> bool:
        """Become the writer unless another process is; whether this one is now.

        Raises:
            LogUnavailable: Nobody writes, and the file cannot be opened.
        """
        async with self._taking:
            if self._closed:
                raise LogUnavailable(f"the decision log `{self._path}` is closed")
            if self._writer is not None:
                return True
            lock = WriterLock.take(self._path)
            if lock is None:
                return False
            try:
                self._writer = await asyncio.to_thread(_open, self._path)
            except BaseException:
                lock.release()
                raise
            self._lock = lock
            self._receiver = _receive(self._path, self._writer)
            await self._sender.close()
            return True

    def _leave(self, lock: WriterLock) -> None:
        if self._receiver is not None:
            self._receiver.close()
        if self._writer is not None:
            self._writer.close()
        with suppress(OSError):
            remove(self._path)
        lock.release()

    def _answer(self, settled: Sequence[Settled]) -> None:
        with suppress(RuntimeError):  # the loop ended, and with it whoever waited
            self._loop.call_soon_threadsafe(_resolve, settled)


async def open_log(path: Path) -> DecisionLogFile:
    """The decision log in the file at *path*.

    Raises:
        LogUnavailable: It can neither be written nor handed to whoever writes it.
    """
    return await DecisionLogFile.open(path)


def _open(path: Path) -> Writer:
    connection = open_writer(path)
    try:
        store = GroupStore(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise refusal(path, error) from error
    except OSError as error:
        connection.close()
        raise unwritable(path, error.strerror or str(error)) from error
    return Writer(store, path)


def _receive(path: Path, writer: Writer) -> Receiver | None:
    """Take records of other processes, where the file system has sockets."""
    try:
        return Receiver(listen(path), writer)
    except OSError as error:
        logger.warning("log_takes_no_records_of_others", path=str(path), reason=str(error))
        return None


def _resolve(settled: Sequence[Settled]) -> None:
    for waiting, outcome in settled:
        future = waiting.token
        if not isinstance(future, asyncio.Future) or future.done():
            continue
        if isinstance(outcome, LogUnavailable):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
