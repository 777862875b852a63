"""Writes a group of entries in one transaction, so that they share one flush to the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from service.log.event_rows import PreparedEvents
from service.log.rows import Prepared
from service.store.opening import PAGE_BYTES, Files
from service.store.statements import Statements

# Pages that one commit dirties whatever it writes: a leaf of each table and index.
PAGES_OF_A_COMMIT = 15
CHECKPOINT_BYTES = 8 * 2**20


class Replaced(Exception):
    """The files that the path means are not the ones being written."""


class GroupStore:
    """The one connection that writes; used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path, statements: Statements) -> None:
        """Write to *connection*, which ``open_writer`` made for *path*."""
        self._statements = statements
        self._connection = connection
        self._path = path
        self._files = Files.of(path)
        (last,) = connection.execute("SELECT max(seq) FROM decisions").fetchone()
        self._last: int = last or 0
        self._ahead = 0

    def write(self, group: Sequence[Prepared | PreparedEvents]) -> list[bytes | None]:
        """Make *group* durable; for each entry the decision that was recorded before it, if any.

        A question that is recorded already, or earlier in the group, adds nothing: the stored form
        of its first decision is returned.

        Raises:
            sqlite3.Error: Nothing of the group was recorded, or it is not known whether it was.
            Replaced: The database was moved or deleted; nothing may be acknowledged.
        """
        execute = self._connection.execute
        events = [one for one in group if isinstance(one, PreparedEvents)]
        execute("BEGIN IMMEDIATE")
        try:
            first, new = self._sort([one for one in group if isinstance(one, Prepared)])
            self._insert(new)
            self._insert_events(events)
            execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        self._last += len(new)
        written = sum(entry.size for entry in new) + sum(one.size for one in events)
        self._ahead += PAGES_OF_A_COMMIT * PAGE_BYTES + 4 * written
        self.check_files()
        if not events:
            return first
        decided = iter(first)
        return [next(decided) if isinstance(one, Prepared) else None for one in group]

    def check_files(self) -> None:
        """Compare what the path means with what was opened.

        Raises:
            Replaced: They differ.
        """
        try:
            found = Files.of(self._path)
        except OSError as error:
            raise Replaced(f"`{error.filename}` was deleted") from error
        if found != self._files:
            raise Replaced("its files were replaced by others")

    def probe(self) -> None:
        """Write and flush a small row, to see whether the disk takes anything.

        Raises:
            sqlite3.Error: It does not.
        """
        self._connection.execute(
            "INSERT INTO meta (name, value) VALUES ('probed', datetime('now')) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )

    @property
    def checkpoint_due(self) -> bool:
        """Whether the log ahead has grown enough to be carried into the database."""
        return self._ahead >= CHECKPOINT_BYTES

    def checkpoint(self) -> None:
        """Carry the log ahead into the database, as far as readers allow.

        Raises:
            sqlite3.Error: It could not be written or flushed.
        """
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._ahead = 0

    def close(self) -> None:
        """Close the connection, which carries the log ahead into the database."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _sort(self, group: Sequence[Prepared]) -> tuple[list[bytes | None], list[Prepared]]:
        known: dict[str | bytes, bytes] = {}
        ids = [entry.decision_id for entry in group]
        for statement, parameters in self._statements.find(
            ids, [entry.repetition for entry in group]
        ):
            for id_, repetition, body in self._connection.execute(statement, parameters):
                known[id_] = body
                if repetition is not None:
                    known[repetition] = body
        first: list[bytes | None] = []
        new: list[Prepared] = []
        for entry in group:
            body = known.get(entry.decision_id)
            if body is None and entry.repetition is not None:
                body = known.get(entry.repetition)
            first.append(body)
            if body is None:
                new.append(entry)
                known[entry.decision_id] = entry.body
                if entry.repetition is not None:
                    known[entry.repetition] = entry.body
        return first, new

    def _insert(self, new: Sequence[Prepared]) -> None:
        numbered = list(enumerate(new, start=self._last + 1))
        for table, rows in (
            ("bodies", [entry.request for entry in new if entry.request is not None]),
            ("decisions", [(seq, *entry.row) for seq, entry in numbered]),
            ("decision_resources", [(s, *row) for s, entry in numbered for row in entry.resources]),
            ("findings", [(s, *row) for s, entry in numbered for row in entry.findings]),
        ):
            for statement, parameters in self._statements.insert(table, rows):
                self._connection.execute(statement, parameters)

    def _insert_events(self, events: Sequence[PreparedEvents]) -> None:
        rows = [row for one in events for row in one.rows]
        for statement, parameters in self._statements.insert("subject_events", rows):
            self._connection.execute(statement, parameters)
