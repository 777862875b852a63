"""How a process hands its records to the one that writes: a Unix socket beside the log.

Frames are a length of four bytes, high byte first, and JSON. One frame asks, one answers; an answer
comes after the commit. Only the owner of the log may connect: the socket has mode 0600.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import Self

from service.errors import LogUnavailable
from service.log.entry import Entry
from service.model.base import Value
from service.model.decision import Decision
from service.model.subject_event import SubjectEvent

LENGTH_BYTES = 4
LARGEST_FRAME = 64 * 2**20
# Room in ``sun_path`` with its final zero (unix(7)); a name this short fits below /proc/self/fd.
LONGEST_ADDRESS = 107
LONGEST_NAME = 80


class Ask(Value):
    """What to record: a decision or events; with neither, the question whether one could be."""

    decision: Decision | None = None
    events: tuple[SubjectEvent, ...] = ()
    request: str = ""
    context: str = ""
    resolved_digest: str = ""
    unique: bool = False

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The frame for *entry*."""
        return cls(
            decision=entry.decision,
            request=entry.request.decode(),
            context=entry.context.decode(),
            resolved_digest=entry.resolved_digest,
            unique=entry.unique,
        )

    def entry(self, decision: Decision) -> Entry:
        """The entry that was sent with *decision*."""
        return Entry(
            decision=decision,
            request=self.request.encode(),
            context=self.context.encode(),
            resolved_digest=self.resolved_digest,
            unique=self.unique,
        )


class Problem(Value):
    """Why there is no record, as ``LogUnavailable`` says it."""

    message: str
    hint: str = ""
    code: str = ""

    @classmethod
    def of(cls, failure: LogUnavailable) -> Self:
        """The frame for *failure*."""
        return cls(message=failure.message, hint=failure.hint, code=failure.code)

    def failure(self) -> LogUnavailable:
        """The error to raise on this side."""
        return LogUnavailable(self.message, hint=self.hint, code=self.code)


class Told(Value):
    """The answer: the decision that stands where it is another one, or what went wrong."""

    decision: Decision | None = None
    problem: Problem | None = None


def frame(value: Value) -> bytes:
    """*value* as a frame.

    Raises:
        LogUnavailable: It is larger than a frame may be.
    """
    body = value.model_dump_json().encode()
    if len(body) > LARGEST_FRAME:
        raise LogUnavailable(
            f"a record of {len(body)} bytes is too large to hand over; at most {LARGEST_FRAME} are",
            hint="End the other process that writes the log, or name another file for the log.",
        )
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def body_length(head: bytes) -> int:
    """How many bytes follow *head*.

    Raises:
        ConnectionError: More than a frame may have; whoever sent it is not Portreeve.
    """
    length = int.from_bytes(head, "big")
    if length > LARGEST_FRAME:
        raise ConnectionError(f"a frame of {length} bytes, at most {LARGEST_FRAME} expected")
    return length


@contextmanager
def address(path: Path) -> Iterator[str]:
    """The address of the socket of the log at *path*, always in the log's own folder.

    A path too long for an address is reached through an open handle on the folder.

    Raises:
        OSError: The folder cannot be opened.
    """
    name = f"{path.name}.sock"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f"{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.sock"
    whole = str(path.parent / name)
    if len(os.fsencode(whole)) <= LONGEST_ADDRESS:
        yield whole
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket:
    """A socket for the log at *path* that accepts connections; the caller holds the lock.

    Raises:
        OSError: It cannot be made, or a file that is no socket lies there.
    """
    listener = socket(AF_UNIX, SOCK_STREAM)
    try:
        # Linux makes the file with the socket's own mode, so that it is never open to others.
        os.fchmod(listener.fileno(), 0o600)
        with address(path) as name:
            _remove_stale(name)
            listener.bind(name)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def remove(path: Path) -> None:
    """Remove the socket of the log at *path*; the caller holds the lock.

    Raises:
        OSError: It cannot be removed.
    """
    with address(path) as name:
        _remove_stale(name)


def _remove_stale(name: str) -> None:
    try:
        mode = os.lstat(name).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(f"`{name}` is in the way: a socket is expected there")
    os.unlink(name)  # noqa: PTH108 - beside lstat
