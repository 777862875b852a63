"""Writes a log in a process of its own, so that commits and requests do not wait for one another.

In one process they share Python's lock: a commit gives it up at every step, and on a busy service
each time waits for the event loop to let go of it again.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from socket import socket, socketpair
from typing import Any, cast

from service.errors import LogUnavailable
from service.log.channel import OPENED, Frames, asked, begin, outcomes_of
from service.log.here import LogWriter
from service.log.lock import WriterLock
from service.log.writer import Answer, Settled, Waiting, refuse_when_busy
from service.store.compiled import compiled

START_S = 30.0


class Apart(asyncio.Protocol):
    """A ``LogWriter`` in another process; used in the event loop it was made in."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        """Speak for *process*, which opens the log at *path*; without one for somebody else's."""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._path = path
        self._process = process
        self._frames = Frames()
        self._numbers = count(OPENED + 1)
        self._waiting: dict[int, Waiting] = {}
        self._waiting_bytes = 0
        self._transport: asyncio.Transport | None = None
        self._gone = asyncio.Event()
        self._closing = False

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return not self._gone.is_set()

    def begin(self) -> None:
        """Send what the process needs before it can open the log."""
        if self._transport is not None:
            self._transport.write(begin(compiled()))

    def submit(self, waiting: Waiting) -> None:
        """Send one entry; its ``answer`` is called once it is durable, or is known not to be.

        Raises:
            LogUnavailable: Too much is waiting, or the log is being closed.
        """
        transport = self._transport
        if transport is None or self._closing:
            raise LogUnavailable(f"the decision log `{self._path}` is closed")
        refuse_when_busy(self._path, len(self._waiting), self._waiting_bytes)
        number = next(self._numbers)
        self._waiting[number] = waiting
        self._waiting_bytes += waiting.size
        transport.write(asked(number, waiting.prepared))

    async def close(self) -> None:
        """End the process once it has written what it was sent."""
        self._closing = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
        await self._gone.wait()
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the process."""
        # The transports of other event loops need not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what became of some entries."""
        for value in self._frames.feed(data):
            self._settle(value)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever still waits may ask again: it is not known what became of their entries."""
        self._gone.set()
        if not self.opened.done():
            self.opened.set_exception(_ended(exc))
        lost = list(self._waiting.values())
        self._waiting.clear()
        for waiting in lost:
            waiting.answer([(waiting, _ended(exc))])

    def _settle(self, value: Any) -> None:
        together: defaultdict[Answer, list[Settled]] = defaultdict(list)
        for number, outcome in outcomes_of(value):
            if number == OPENED:
                if isinstance(outcome, LogUnavailable):
                    self.opened.set_exception(outcome)
                else:
                    self.opened.set_result(None)
                continue
            waiting = self._waiting.pop(number)
            self._waiting_bytes -= waiting.size
            together[waiting.answer].append((waiting, outcome))
        for answer, settled in together.items():
            answer(settled)


class Channels:
    """Ways to the process that writes, for other processes of the same service.

    Made before that process is, which inherits one end of each. A writer that follows it knows
    nothing of them: whoever had one hands its records over as any other process does.
    """

    def __init__(self, number: int) -> None:
        """Make *number* of them."""
        pairs = [socketpair() for _ in range(number)]
        self.ours = [ours for ours, _ in pairs]
        self._theirs = [theirs for _, theirs in pairs]

    async def write_apart(self, path: Path, lock: WriterLock) -> LogWriter:
        """Do what ``write_apart`` does, with a writer that reads from these too."""
        theirs, self._theirs = self._theirs, []
        try:
            return await write_apart(path, lock, theirs)
        finally:
            for end in theirs:
                end.close()

    def close(self) -> None:
        """Close what nobody took."""
        for end in (*self.ours, *self._theirs):
            end.close()


async def join(path: Path, channel: socket) -> LogWriter:
    """Whoever writes the log at *path* and reads from the other end of *channel*.

    Raises:
        OSError: It is no socket.
    """
    channel.setblocking(False)
    loop = asyncio.get_running_loop()
    _, apart = await loop.create_connection(lambda: Apart(path), sock=channel)
    return apart


async def write_apart(path: Path, lock: WriterLock, others: Sequence[socket] = ()) -> LogWriter:
    """Write the log at *path* in a process of its own, which shares *lock* until it ends.

    *others* are ends of sockets from which it takes entries too.

    Raises:
        LogUnavailable: The process cannot be started, or cannot write the file.
    """
    ours, theirs = socketpair()
    ours.setblocking(False)
    with theirs:
        try:
            process = _start(path, lock, theirs, others)
        except OSError as error:
            ours.close()
            raise _not_started(path) from error
    loop = asyncio.get_running_loop()
    _, apart = await loop.create_connection(lambda: Apart(path, process), sock=ours)
    try:
        async with asyncio.timeout(START_S):
            apart.begin()
            await apart.opened
    except BaseException as error:
        process.kill()
        await apart.close()
        if isinstance(error, OSError):
            raise _not_started(path) from error
        raise
    return apart


def _start(
    path: Path, lock: WriterLock, channel: socket, others: Sequence[socket]
) -> subprocess.Popen[bytes]:
    handles = [other.fileno() for other in others]
    # A session of its own: a terminal's Ctrl-C must not end it before the service has finished.
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", "service.log.process", str(path), *map(str, handles)],
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        pass_fds=(lock.handle, *handles),
        start_new_session=True,
    )


def _ended(cause: Exception | None) -> ConnectionResetError:
    ended = ConnectionResetError("the process that writes the decision log ended")
    ended.__cause__ = cause
    return ended


def _not_started(path: Path) -> LogUnavailable:
    return LogUnavailable(
        f"the process that writes the decision log `{path}` could not be started",
        hint="The service's own log may say why.",
    )
