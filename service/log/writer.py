"""Writes entries: takes what is waiting, commits it as one group, then answers.

A thread of its own does so for whoever hands entries in; a process that has nothing else to do
hands in whole groups and writes them in its own thread, which spares a change of threads each time.

After a failed flush the kernel may have dropped the pages it could not write, and a second flush
would succeed without them (https://wiki.postgresql.org/wiki/Fsync_Errors). So the first error that
is not a full disk or a busy database poisons the writer: it refuses everything until the process
is started again. A full disk loses nothing, because SQLite takes the whole group back; records are
taken again once there is room. A file system that reports a full disk only when flushing (some
network file systems do) poisons as well.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

import structlog

from service.errors import LogUnavailable
from service.log.event_rows import PreparedEvents
from service.log.group import GroupStore, Replaced
from service.log.rows import Prepared
from service.store.opening import is_busy, is_full, refusal

LARGEST_GROUP = 256
# How long a group waits for as many entries as the last one had: a fraction of one flush.
GATHERING_S = 0.001
MOST_WAITING = 4096
MOST_WAITING_BYTES = 64 * 2**20

# Every step of a statement gives up Python's lock, and a busy event loop may keep it for a whole
# switch interval each time: with the usual 5 ms a commit of 1 ms takes ten times as long.
SWITCH_S = 0.0005

POISONED_HINT = (
    "Nothing is decided until Portreeve is started again; find out first what happened to the disk."
)

# What SQLite's driver says of a value: too large an integer, too long a text, an unknown type.
UNSTORABLE = (ValueError, OverflowError, sqlite3.DataError, sqlite3.ProgrammingError)

logger = structlog.get_logger(__name__)

# Nothing where the entry was recorded, or could be; the first decision's stored form where the
# question had been recorded before; an ``OSError`` where whoever writes ended, and the entry should
# be handed in again.
Settled = tuple["Waiting", bytes | LogUnavailable | OSError | None]
Answer = Callable[[Sequence[Settled]], None]


class Waiting(NamedTuple):
    """An entry in the queue.

    ``answer`` takes all of its entries of one group at once, in the writer's thread; ``token`` is
    for its own use. ``prepared`` is ``None`` for a question whether anything could be written.
    """

    prepared: Prepared | PreparedEvents | None
    token: object
    answer: Answer

    @property
    def size(self) -> int:
        """About how many bytes wait."""
        return 0 if self.prepared is None else self.prepared.size


class Gathering:
    """Forms groups of what comes in one by one.

    Callers that got their answers together come back together: so a group waits shortly until it
    is as large as the last one was, and a lone caller is never kept waiting.
    """

    def __init__(self, take: Callable[[float | None], Sequence[Waiting] | None]) -> None:
        """Take from *take*, which is given the seconds to wait (``None``: until something comes).

        It returns nothing where nothing came in time, and ``None`` where nothing follows any more.
        """
        self._take = take
        self._last = 1

    def next(self) -> tuple[list[Waiting], bool]:
        """The next group, and whether more may follow."""
        group: list[Waiting] = []
        until = 0.0
        while len(group) < LARGEST_GROUP:
            taken = self._take(0.0 if group else None)
            if group and not taken and taken is not None:
                if len(group) >= self._last:
                    break
                until = until or time.monotonic() + GATHERING_S
                taken = self._take(max(0.0, until - time.monotonic()))
            if taken is None:
                return group, False
            if not taken:
                break
            group += taken
        self._last = len(group)
        return group, True


class Writer:
    """Writes entries of any thread, in groups, in a thread of its own."""

    def __init__(self, store: GroupStore, path: Path) -> None:
        """Start writing to *store*, which belongs to the writer from now on."""
        self._store = store
        self._path = path
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._lock = Lock()
        self._writing = Lock()
        self._waiting_bytes = 0
        self._closed = False
        self._poison: LogUnavailable | None = None
        self._full = False
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        self._thread = Thread(target=self._run, name="portreeve-log", daemon=True)
        self._thread.start()

    def submit(self, waiting: Waiting) -> None:
        """Queue one entry; its ``answer`` is called once it is durable, or is known not to be.

        Raises:
            LogUnavailable: Nothing is written any more, or too much is waiting.
        """
        with self._lock:
            if self._poison is not None:
                raise again(self._poison)
            if self._closed:
                raise LogUnavailable(f"the decision log `{self._path}` is closed")
            refuse_when_busy(self._path, self._queue.qsize(), self._waiting_bytes)
            self._waiting_bytes += waiting.size
            self._queue.put(waiting)

    def write(self, group: Sequence[Waiting]) -> None:
        """Write *group* in the caller's thread, then answer; not after ``close``."""
        with self._writing:
            settled = self._settle(group)
        _answer(settled)
        with self._writing:
            self._checkpoint()

    def close(self) -> None:
        """Write what is waiting, then close the store; returns when both are done."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        gathering = Gathering(self._take)
        running = True
        while running:
            group, running = gathering.next()
            if not group:
                continue
            size = sum(waiting.size for waiting in group)
            self.write(group)
            with self._lock:
                self._waiting_bytes -= size
        self._store.close()

    def _take(self, seconds: float | None) -> Sequence[Waiting] | None:
        try:
            waiting = self._queue.get(block=seconds != 0, timeout=seconds)
        except Empty:
            return ()
        return None if waiting is None else (waiting,)

    def _settle(self, group: Sequence[Waiting]) -> list[Settled]:
        if self._poison is not None:
            failure = self._poison
        else:
            try:
                return self._write(group)
            except sqlite3.Error as error:
                failure = refusal(self._path, error)
                self._full = is_full(error)
                if not self._full and not is_busy(error):
                    failure = self._poisoned(failure.message)
            except Replaced as error:
                failure = self._poisoned(
                    f"the decision log `{self._path}` is not the file that was opened: {error}"
                )
            except Exception as error:  # noqa: BLE001 - the thread's edge: whoever waits is told
                failure = self._poisoned(f"the decision log `{self._path}` failed: {error}")
        return [(waiting, again(failure)) for waiting in group]

    def _write(self, group: Sequence[Waiting]) -> list[Settled]:
        entries = [waiting.prepared for waiting in group if waiting.prepared is not None]
        if not entries:
            self._store.check_files()
            if self._full:
                self._store.probe()
                self._full = False
            return [(waiting, None) for waiting in group]
        try:
            first = iter(self._store.write(entries))
        except UNSTORABLE as error:
            # The others of the group are not to blame for a value that SQLite cannot take.
            if len(group) > 1:
                return [settled for waiting in group for settled in self._settle([waiting])]
            return [(group[0], LogUnavailable(f"this record cannot be stored: {error}"))]
        self._full = False
        return [(waiting, None if waiting.prepared is None else next(first)) for waiting in group]

    def _checkpoint(self) -> None:
        if self._poison is not None or not self._store.checkpoint_due:
            return
        try:
            self._store.checkpoint()
        except sqlite3.Error as error:
            failure = refusal(self._path, error)
            if is_full(error) or is_busy(error):
                logger.warning("log_checkpoint_put_off", reason=failure.message)
            else:
                self._poisoned(failure.message)

    def _poisoned(self, message: str) -> LogUnavailable:
        with self._lock:
            self._poison = LogUnavailable(message, hint=POISONED_HINT)
        logger.error("log_poisoned", reason=message)
        return self._poison


def refuse_when_busy(path: Path, count: int, size: int) -> None:
    """Refuse one more entry where *count* entries of *size* bytes are waiting.

    Raises:
        LogUnavailable: That is too much.
    """
    if count >= MOST_WAITING or size > MOST_WAITING_BYTES:
        raise LogUnavailable(
            f"the decision log `{path}` has {count} records waiting",
            hint="Send the request again in a moment; the disk does not keep up.",
            code="SYS-BUSY",
        )


def again(failure: LogUnavailable) -> LogUnavailable:
    """A copy of *failure* to raise: one exception cannot carry the tracebacks of many callers."""
    return LogUnavailable(failure.message, hint=failure.hint, code=failure.code)


def _answer(settled: Sequence[Settled]) -> None:
    together: defaultdict[Answer, list[Settled]] = defaultdict(list)
    for one in settled:
        together[one[0].answer].append(one)
    for answer, some in together.items():
        answer(some)
