"""The process that writes for a service: ``python -m service.log.process LOG``.

Standard input is a socket to the service. It ends when the service does, however that ended, after
writing what it was sent; a signal that goes to a whole group does not reach what is being recorded.
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


def serve(service: socket.socket, path: Path) -> None:
    """Write what *service* sends until it ends."""
    answers = Answers(service)
    frames = Frames()
    statements = _first(service, frames)
    if statements is None:
        return
    try:
        here = Here(path, statements)
    except LogUnavailable as failure:
        answers.tell([(OPENED, failure)])
        return
    answers.tell([(OPENED, None)])
    gathering = Gathering(Inbox(service, frames, answers).take)
    follows = True
    while follows:
        group, follows = gathering.next()
        if group:
            here.write(group)
    here.shut()


class Inbox:
    """What the service sends, as entries to be written."""

    def __init__(self, service: socket.socket, frames: Frames, answers: Answers) -> None:
        self._service = service
        self._frames = frames
        self._settle = answers.settle
        # The socket itself stays blocking, for the answers that are sent through it.
        self._arrival = select.poll()
        self._arrival.register(service, select.POLLIN)

    def take(self, seconds: float | None) -> Sequence[Waiting] | None:
        """What arrives within *seconds* (``None``: at any time); ``None`` at the service's end."""
        found: list[Waiting] = []
        # Part of a frame is no entry yet: the rest is on its way.
        while not found:
            if seconds is not None and not self._arrival.poll(seconds * 1000):
                break
            try:
                data = self._service.recv(PIECE_BYTES)
            except ConnectionResetError:
                return None
            if not data:
                return None
            found = [
                Waiting(prepared, number, self._settle)
                for number, prepared in map(entry_of, self._frames.feed(data))
            ]
        return found


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
    with socket.socket(fileno=sys.stdin.fileno()) as service:
        serve(service, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
