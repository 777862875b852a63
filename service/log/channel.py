"""What a service and the process that writes for it tell one another, over a pair of sockets.

Both ends are one program and nobody else can reach them, so frames are Python's own ``marshal``: a
tenth of the cost of JSON on the path of every decision.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from typing import Any

from service.errors import LogUnavailable
from service.log.event_rows import PreparedEvents
from service.log.rows import Prepared
from service.store.statements import Statements

LENGTH_BYTES = 8
# The number under which the service learns whether the log could be opened.
OPENED = 0

# A number that the service gave, and what became of that entry.
Outcome = tuple[int, bytes | LogUnavailable | OSError | None]


class Frames:
    """Puts together what arrives in pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The values that *data* completes."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= LENGTH_BYTES:
            end = start + LENGTH_BYTES
            end += int.from_bytes(buffer[start:end], "big")
            if end > len(buffer):
                break
            with memoryview(buffer) as view:
                value = marshal.loads(view[start + LENGTH_BYTES : end])  # noqa: S302 - ours
            start = end
            yield value
        del buffer[:start]


def begin(statements: Statements) -> bytes:
    """The first frame: what the process needs of the tables, so that it need not know them."""
    return _frame(tuple(statements))


def asked(number: int, prepared: Prepared | PreparedEvents | None) -> bytes:
    """The frame of an entry, or of the question whether one could be written."""
    if prepared is None:
        return _frame((number, None, None))
    return _frame((number, isinstance(prepared, PreparedEvents), tuple(prepared)))


def entry_of(value: Any) -> tuple[int, Prepared | PreparedEvents | None]:
    """What ``asked`` was given."""
    number, are_events, fields = value
    if fields is None:
        return number, None
    return number, PreparedEvents(*fields) if are_events else Prepared(*fields)


def told(outcomes: Sequence[Outcome]) -> bytes:
    """The frame of what became of some entries."""
    return _frame([(number, _plain(outcome)) for number, outcome in outcomes])


def outcomes_of(value: Any) -> list[Outcome]:
    """What ``told`` was given."""
    return [(number, _whole(plain)) for number, plain in value]


def _frame(value: Any) -> bytes:
    body = marshal.dumps(value)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def _plain(
    outcome: bytes | LogUnavailable | OSError | None,
) -> bytes | tuple[str, str, str] | None:
    if isinstance(outcome, LogUnavailable):
        return outcome.message, outcome.hint, outcome.code
    if isinstance(outcome, OSError):
        return str(outcome), "", ""
    return outcome


def _whole(plain: Any) -> bytes | LogUnavailable | None:
    if isinstance(plain, tuple):
        message, hint, code = plain
        return LogUnavailable(message, hint=hint, code=code)
    whole: bytes | None = plain
    return whole
