"""The process that writes for a service: ``python -m service.log.process LOG [HANDLE ...]``.

Standard input is a socket to the service, and each handle is one to another process of it. It ends
when the service does, however that ended, after writing what it was sent; a signal that goes to a
whole group does not reach what is being recorded.
"""

from __future__ import annotations

import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from service import events
from service.errors import LogUnavailable
from service.log.channel import OPENED, Frames, Outcome, entry_of, told
from service.log.here import Here
from service.log.writer import Gathering, Settled, Waiting
from service.store.statements import Statements

PIECE_BYTES = 2**18


class Answers:
    """Tells the service what became of its entries."""

    def __init__(self, service: socket.socket) -> None:
        self._service = service
        self._lock = Lock()

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Send *outcomes*; a service that is gone need not know."""
        with self._lock, suppress(OSError):
            self._service.sendall(told(outcomes))

    def settle(self, settled: Sequence[Settled]) -> None:
        """Send what became of a group."""
        self.tell([(int(str(waiting.token)), outcome) for waiting, outcome in settled])


def serve(service: socket.socket, path: Path, others: Sequence[socket.socket] = ()) -> None:
    """Write what *service*, and *others* of its processes, send until it ends."""
    first = Sending.of(service)
    statements = _first(service, first.frames)
    if statements is None:
        return
    try:
        here = Here(path, statements)
    except LogUnavailable as failure:
        first.answers.tell([(OPENED, failure)])
        return
    first.answers.tell([(OPENED, None)])
    gathering = Gathering(Inbox(first, [Sending.of(other) for other in others]).take)
    follows = True
    while follows:
        group, follows = gathering.next()
        if group:
            here.write(group)
    here.shut()


class Sending(NamedTuple):
    """A process that sends entries: its socket, what of a frame has come, and its answers."""

    channel: socket.socket
    frames: Frames
    answers: Answers

    @classmethod
    def of(cls, peer: socket.socket) -> Sending:
        """Nothing has come from *peer* yet."""
        return cls(peer, Frames(), Answers(peer))


class Inbox:
    """What the processes of the service send, as entries to be written."""

    def __init__(self, service: Sending, others: Sequence[Sending]) -> None:
        self._service = service
        self._senders = {sender.channel.fileno(): sender for sender in (service, *others)}
        self._ended = False
        # The sockets themselves stay blocking, for the answers that are sent through them.
        self._arrival = select.poll()
        for handle in self._senders:
            self._arrival.register(handle, select.POLLIN)

    def take(self, seconds: float | None) -> Sequence[Waiting] | None:
        """What arrives within *seconds* (``None``: at any time); ``None`` at the service's end."""
        milliseconds = None if seconds is None else seconds * 1000
        found: list[Waiting] = []
        # Part of a frame is no entry yet: the rest is on its way.
        while not found and not self._ended:
            arrived = self._arrival.poll(milliseconds)
            if not arrived:
                return found
            for handle, _ in arrived:
                found += self._read(handle)
        return found or None

    def _read(self, handle: int) -> list[Waiting]:
        sender = self._senders[handle]
        try:
            data = sender.channel.recv(PIECE_BYTES)
        except ConnectionResetError:
            data = b""
        if not data:
            self._leave(handle)
        return [
            Waiting(prepared, number, sender.answers.settle)
            for number, prepared in map(entry_of, sender.frames.feed(data))
        ]

    def _leave(self, handle: int) -> None:
        """A process ended; the log is left once the service itself has."""
        self._arrival.unregister(handle)
        sender = self._senders.pop(handle)
        if sender is self._service:
            self._ended = True
        else:
            sender.channel.close()


def _first(service: socket.socket, frames: Frames) -> Statements | None:
    """What the service sends first, and alone; nothing where it ended before."""
    while data := service.recv(PIECE_BYTES):
        if values := list(frames.feed(data)):
            return Statements(*values[0])
    return None


def main() -> None:
    """Write the log that the first argument names."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    events.configure("warning")
    path, *handles = sys.argv[1:]
    others = [socket.socket(fileno=int(handle)) for handle in handles]
    with socket.socket(fileno=sys.stdin.fileno()) as service:
        serve(service, Path(path), others)


if __name__ == "__main__":
    main()
