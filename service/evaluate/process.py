"""One evaluator process, as its parent sees it: started, asked, stopped and buried."""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from service.evaluate.evaluator import HEADER, NOTES_HEAD, NUMBER

_REAP_SECONDS = 0.002
_PROGRAM = Path(__file__).with_name("evaluator.py")


@dataclass(frozen=True)
class Load:
    """What every evaluator of one bundle is started with.

    Attributes:
        job: Modules and queries, as JSON.
        data: The documents below ``data``, as JSON.
        memory_mib: Limit of address space.
    """

    job: bytes
    data: bytes
    memory_mib: int


@dataclass(frozen=True)
class End:
    """How an evaluator ended.

    Attributes:
        rule: The number of the rule that was running, 0 if none was.
        printed: What the engine printed, cut; it may quote a request and is shown to nobody.
    """

    rule: int
    printed: str


class Evaluator(asyncio.Protocol):
    """A running evaluator; it is asked one thing at a time.

    Args:
        answered: Called with each answer.
        ended: Called once, when the process is gone; never after ``stop``.
    """

    def __init__(
        self,
        answered: Callable[[Evaluator, int, bytes], None],
        ended: Callable[[Evaluator, End], None],
    ) -> None:
        self._answered = answered
        self._ended = ended
        self._buffer = bytearray()
        self._notes = os.memfd_create("evaluator")
        self._transport: asyncio.Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._burial: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        os.ftruncate(self._notes, NOTES_HEAD)
        os.lseek(self._notes, NOTES_HEAD, os.SEEK_SET)
        self._running = memoryview(mmap.mmap(self._notes, NOTES_HEAD)).cast("H")

    async def start(self, load: Load) -> None:
        """Start the process and hand it the bundle; requests may follow at once.

        ``ended`` follows a failure too.

        Raises:
            OSError: It cannot be started.
        """
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            # A session of its own: a terminal's Ctrl-C must not take evaluators from requests that
            # are being finished.
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - ours; a millisecond
                [
                    sys.executable,
                    "-I",
                    str(_PROGRAM),
                    str(os.getpid()),
                    str(load.memory_mib),
                ],
                stdin=theirs.fileno(),
                stdout=self._notes,
                stderr=self._notes,
                env={},
                start_new_session=True,
            )
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()
            self.connection_lost(None)
            raise
        finally:
            theirs.close()
        self.ask(0, load.job)
        self.ask(0, load.data)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> int:
        """The number of the rule that is running now, 0 if none is."""
        return self._running[0]

    def ask(self, number: int, body: bytes) -> None:
        """Send *body* under *number*; its answer goes to ``answered`` with the same number."""
        if self._transport is not None:
            length = (NUMBER + len(body)).to_bytes(HEADER, "big")
            self._transport.write(length + number.to_bytes(NUMBER, "big") + body)

    def kill(self) -> None:
        """End the process at once, whatever it is doing; ``ended`` follows."""
        if self._process is not None:
            self._process.kill()

    async def stop(self) -> None:
        """End the process and wait until it is gone, without a word to ``ended``."""
        self._ended = _ignore
        self.kill()
        if self._transport is not None:
            self._transport.abort()
        await self._gone.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready (``asyncio.Protocol``)."""
        # No check of its class: uvloop's transports do not derive from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of answers came (``asyncio.Protocol``)."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= HEADER:
            end = start + HEADER + int.from_bytes(buffer[start : start + HEADER], "big")
            if len(buffer) < end:
                break
            body = start + HEADER + NUMBER
            number = int.from_bytes(buffer[start + HEADER : body], "big")
            answer = bytes(buffer[body:end])
            start = end
            self._answered(self, number, answer)
        del buffer[:start]

    def connection_lost(self, _: Exception | None) -> None:
        """The process closed its end, which it does only when it ends (``asyncio.Protocol``)."""
        self._burial = asyncio.get_running_loop().create_task(self._bury())

    async def _bury(self) -> None:
        self.kill()
        # It is dying already. The event loops' own child watchers race with Popen for its status.
        while self._process is not None and self._process.poll() is None:  # noqa: ASYNC110 - it ends
            await asyncio.sleep(_REAP_SECONDS)
        printed = os.pread(self._notes, NOTES_HEAD, NOTES_HEAD).decode(errors="replace")
        os.close(self._notes)
        self._gone.set()
        self._ended(self, End(self._running[0], printed))


def job(modules: object, queries: object) -> bytes:
    """The first message to an evaluator."""
    return json.dumps({"modules": modules, "queries": queries}).encode()


def _ignore(_: Evaluator, __: End) -> None:
    """Nobody waits for this evaluator any more."""
