"""A relay in front of a real server, that makes it slow, or has it say nothing any more."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from running import free_port

_PIECE = 64 * 1024
_LOOK_SECONDS = 0.02


@dataclass
class Relay:
    """Passes on what comes for ``port`` to another port.

    Each piece of an answer waits ``delay`` seconds. While ``holds`` is set nothing is passed on in
    either direction: connections are accepted, and stay open.
    """

    port: int
    to: int
    delay: float = 0.0
    holds: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def accept(self, listener: socket.socket) -> None:
        while not self.ended.is_set():
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            near.close()
            return
        threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
        self._pass(far, near, True)

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                time.sleep(self.delay if answers else 0)
                while self.holds.is_set() and not self.ended.is_set():
                    time.sleep(_LOOK_SECONDS)
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextlib.contextmanager
def relay(to: int) -> Iterator[Relay]:
    """A relay to port *to* of loopback."""
    made = Relay(free_port(), to)
    with socket.create_server(("127.0.0.1", made.port)) as listener:
        threading.Thread(target=made.accept, args=(listener,), daemon=True).start()
        try:
            yield made
        finally:
            made.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
