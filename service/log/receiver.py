"""Takes records from other processes, in threads of their own: a busy event loop delays nobody."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from socket import SHUT_RD, SHUT_RDWR, socket
from threading import Lock, Thread

from pydantic import ValidationError

from service.errors import LogUnavailable
from service.log.event_rows import PreparedEvents, prepare_events
from service.log.handover import LENGTH_BYTES, Ask, Problem, Told, body_length, frame
from service.log.rows import Prepared, first_decision, prepare
from service.log.writer import Settled, Waiting, Writer
from service.model.decision import Decision

MOST_CONNECTIONS = 256
PAUSE_S = 0.05


class Receiver:
    """Serves the processes that connect to a socket with what a writer does."""

    def __init__(self, listener: socket, writer: Writer) -> None:
        """Accept on *listener*, which is closed with the receiver, and record with *writer*."""
        self._listener = listener
        self._writer = writer
        self._lock = Lock()
        self._connections: dict[socket, Thread] = {}
        self._closed = False
        self._thread = Thread(target=self._accept, name="portreeve-log-accept", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer what has been asked, then drop all connections."""
        with self._lock:
            self._closed = True
            open_now = dict(self._connections)
        with suppress(OSError):
            self._listener.shutdown(SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection, thread in open_now.items():
            with suppress(OSError):
                connection.shutdown(SHUT_RD)
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                time.sleep(PAUSE_S)  # out of file handles, or a peer that gave up: others may come
                continue
            thread = Thread(
                target=self._serve, args=(connection,), name="portreeve-log-peer", daemon=True
            )
            with self._lock:
                if self._closed or len(self._connections) >= MOST_CONNECTIONS:
                    connection.close()
                    continue
                self._connections[connection] = thread
                thread.start()

    def _serve(self, connection: socket) -> None:
        # A peer may go away at any moment; what it asked for is recorded all the same.
        with connection, suppress(OSError):
            while (asked := _receive(connection)) is not None:
                connection.sendall(self._answer(asked))
        with self._lock:
            self._connections.pop(connection, None)

    def _answer(self, asked: bytes) -> bytes:
        try:
            decision = self._record(Ask.model_validate_json(asked))
        except ValidationError:
            told = Told(
                problem=Problem(
                    message="the process that writes the decision log does not understand a record",
                    hint="Use the same release of Portreeve for every process on one log.",
                )
            )
        except LogUnavailable as failure:
            told = Told(problem=Problem.of(failure))
        else:
            told = Told(decision=decision)
        return frame(told)

    def _record(self, ask: Ask) -> Decision | None:
        prepared: Prepared | PreparedEvents | None = None
        if ask.decision is not None:
            prepared = prepare(ask.entry(ask.decision))
        elif ask.events:
            prepared = prepare_events(ask.events)
        future: Future[bytes | None] = Future()
        self._writer.submit(Waiting(prepared, future, _resolve))
        first = future.result()
        return None if first is None else first_decision(first)


def _resolve(settled: Sequence[Settled]) -> None:
    for waiting, outcome in settled:
        future = waiting.token
        if isinstance(future, Future):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def _receive(connection: socket) -> bytes | None:
    head = _exactly(connection, LENGTH_BYTES)
    return None if head is None else _exactly(connection, body_length(head))


def _exactly(connection: socket, count: int) -> bytes | None:
    """The next *count* bytes, or ``None`` where the peer has ended before."""
    received = bytearray()
    while len(received) < count:
        part = connection.recv(min(count - len(received), 2**20))
        if not part:
            return None
        received += part
    return bytes(received)
