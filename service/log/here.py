"""Writes a log in this process, for it and for all others that hand their records over."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from service.log.group import GroupStore
from service.log.handover import listen, remove
from service.log.receiver import Receiver
from service.log.writer import Waiting, Writer
from service.store.opening import open_writer, refusal, unwritable
from service.store.statements import Statements

logger = structlog.get_logger(__name__)


class LogWriter(Protocol):
    """Whoever makes records durable; exists only while the log's lock is held."""

    @property
    def alive(self) -> bool:
        """Whether it can still be asked; a log that refuses everything is alive."""
        ...

    def submit(self, waiting: Waiting) -> None:
        """Queue one entry; its ``answer`` is called once it is durable, or is known not to be.

        Raises:
            LogUnavailable: Nothing is written any more, or too much is waiting.
        """
        ...

    async def close(self) -> None:
        """Write what is waiting, then leave the file."""
        ...


class Here:
    """A ``LogWriter`` in this process."""

    alive = True

    def __init__(self, path: Path, statements: Statements) -> None:
        """Open the log at *path*; the caller holds its lock.

        Raises:
            LogUnavailable: The file cannot be written, or is no decision log of ours.
        """
        self._path = path
        self._writer = Writer(_open(path, statements), path)
        self.submit = self._writer.submit
        self.write = self._writer.write
        self._receiver: Receiver | None = None
        try:
            self._receiver = Receiver(listen(path), self._writer)
        except OSError as error:
            # Not every file system has sockets; this process can record all the same.
            logger.warning("log_takes_no_records_of_others", path=str(path), reason=str(error))

    def shut(self) -> None:
        """Write what is waiting, then leave the file; returns when both are done."""
        if self._receiver is not None:
            self._receiver.close()
        self._writer.close()
        with suppress(OSError):
            remove(self._path)

    async def close(self) -> None:
        """Do the same without blocking the event loop."""
        await asyncio.to_thread(self.shut)


def _open(path: Path, statements: Statements) -> GroupStore:
    connection = open_writer(path, statements)
    try:
        return GroupStore(connection, path, statements)
    except sqlite3.Error as error:
        connection.close()
        raise refusal(path, error) from error
    except OSError as error:
        connection.close()
        raise unwritable(path, error.strerror or str(error)) from error
