"""Opens the SQLite file of the decision log, for the one writer and for readers.

The writer commits with ``synchronous=FULL`` in WAL mode, so that a commit has been flushed when it
returns (https://www.sqlite.org/pragma.html#pragma_synchronous). Checkpoints are the writer's own:
a reader opens ``mode=ro`` and cannot start one. Two connections that checkpoint at once are what
the WAL-reset bug of SQLite before 3.51.3 needs (https://www.sqlite.org/wal.html#walresetbug).
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from service.errors import LogUnavailable
from service.store.statements import Statements

# Of the tables in ``service.store.schema``.
SCHEMA_VERSION = 3
BUSY_MS = 2_000
CACHE_KIB = 8_192
WAL_KEPT_BYTES = 64 * 2**20
# A record is two to three KiB: pages of four would hold one each and waste a third of the file.
PAGE_BYTES = 8_192
WRITER_PRAGMAS = (
    f"page_size={PAGE_BYTES}",
    f"busy_timeout={BUSY_MS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "wal_autocheckpoint=0",
    f"journal_size_limit={WAL_KEPT_BYTES}",
    f"cache_size=-{CACHE_KIB}",
)

NOT_OPEN = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")

UNWRITABLE_HINT = "Make its folder writable, or name another file for the log."
FULL_HINT = "Free some space; records are taken again as soon as there is room."
FOREIGN_HINT = "Name another file for the log, or put back the one that belongs here."


def open_writer(path: Path, statements: Statements) -> sqlite3.Connection:
    """A connection that writes *path*, made with its folder and tables where they are missing.

    The caller holds the writer's lock. What an earlier process left in the write-ahead log is
    flushed into the database first: after a failed flush it may exist in memory only.

    Raises:
        LogUnavailable: The file cannot be created or written, or is no decision log of ours.
    """
    try:
        make_folder(path.parent)
        _make_file(path)
    except OSError as error:
        raise unwritable(path, error.strerror or str(error)) from error
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
    except sqlite3.Error as error:
        raise refusal(path, error) from error
    try:
        _settle(connection, path, statements)
    except sqlite3.Error as error:
        connection.close()
        raise refusal(path, error) from error
    except LogUnavailable:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection | None:
    """A connection that can only read *path*, or ``None`` while there is no log there.

    Raises:
        LogUnavailable: The file cannot be read, or is no decision log of ours.
    """
    try:
        if path.stat().st_size == 0:
            return None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise unreadable(path, str(error)) from error
    try:
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute("PRAGMA trusted_schema=OFF")
        present = _check_version(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise reading_refusal(path, error) from error
    except LogUnavailable:
        connection.close()
        raise
    if not present:
        connection.close()
        return None
    return connection


def make_folder(folder: Path) -> None:
    """Create *folder* for its owner only, and flush its name into the folder above.

    Raises:
        OSError: It cannot be created.
    """
    if folder.is_dir():
        return
    if folder.exists():
        raise NotADirectoryError(errno.ENOTDIR, f"`{folder}` is not a folder")
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush_folder(folder.parent)


class Files(NamedTuple):
    """Which files a path meant: device and number of the database, its log ahead and the lock."""

    database: tuple[int, int]
    ahead: tuple[int, int]
    lock: tuple[int, int]

    @classmethod
    def of(cls, path: Path) -> Files:
        """What *path* means now.

        Raises:
            OSError: One of them is missing.
        """
        return cls(*(_identity(name) for name in (f"{path}", f"{path}-wal", f"{path}.lock")))


def refusal(path: Path, error: sqlite3.Error) -> LogUnavailable:
    """What to tell about *error*, in words instead of SQLite's numbers."""
    name = _name(error)
    if is_full(error):
        return LogUnavailable(
            f"the decision log `{path}` has no space left on its disk", hint=FULL_HINT
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return LogUnavailable(
            f"the decision log `{path}` is damaged or no SQLite database: {error}",
            hint=FOREIGN_HINT,
        )
    if is_busy(error):
        return LogUnavailable(
            f"the decision log `{path}` is held by another program that writes to it",
            hint="End that program; only Portreeve may write the decision log.",
            code="SYS-BUSY",
        )
    if name.startswith(NOT_OPEN):
        return unwritable(path, str(error))
    return LogUnavailable(f"the decision log `{path}` failed: {error} ({name})")


def reading_refusal(path: Path, error: sqlite3.Error) -> LogUnavailable:
    """What to tell about *error* of a connection that only reads."""
    if _name(error).startswith(NOT_OPEN):
        return unreadable(path, str(error))
    return refusal(path, error)


def is_full(error: sqlite3.Error) -> bool:
    """Whether *error* says that the disk is full, after which SQLite has lost nothing."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def is_busy(error: sqlite3.Error) -> bool:
    """Whether *error* says that another connection is writing."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def unwritable(path: Path, why: str) -> LogUnavailable:
    """The error for a log that cannot be written."""
    return LogUnavailable(
        f"the decision log `{path}` cannot be written: {why[:1].lower()}{why[1:]}",
        hint=UNWRITABLE_HINT,
    )


def unreadable(path: Path, why: str) -> LogUnavailable:
    """The error for a log that cannot be read."""
    return LogUnavailable(
        f"the decision log `{path}` cannot be read: {why[:1].lower()}{why[1:]}",
        hint="Make the file and its folder readable, or name another file for the log.",
    )


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or type(error).__name__


def _identity(name: str) -> tuple[int, int]:
    found = os.stat(name)  # noqa: PTH116 - a Path would cost more than the call, on every commit
    return found.st_dev, found.st_ino


def _make_file(path: Path) -> None:
    # SQLite gives its side files the mode of the database: its owner's only.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder") from None
        return
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _settle(connection: sqlite3.Connection, path: Path, statements: Statements) -> None:
    present = _check_version(connection, path)
    for pragma in WRITER_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise unwritable(path, f"its file system has no write-ahead log, only `{mode}`")
    if not present:
        _create_tables(connection, statements)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _create_tables(connection: sqlite3.Connection, statements: Statements) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements.schema:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),)
        )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _check_version(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there, in the version this release reads; refuse any other."""
    with closing(connection.execute("SELECT name FROM sqlite_schema")) as names:
        present = {name for (name,) in names}
    if not present:
        return False
    found = None
    if "meta" in present:
        query = "SELECT value FROM meta WHERE name = 'schema_version'"
        with closing(connection.execute(query)) as values:
            found = values.fetchone()
    if found is None:
        raise LogUnavailable(
            f"`{path}` is a SQLite database of something else, not a decision log",
            hint=FOREIGN_HINT,
        )
    if found[0] != str(SCHEMA_VERSION):
        raise LogUnavailable(
            f"the decision log `{path}` has schema version `{found[0]}`; "
            f"this release reads version {SCHEMA_VERSION}",
            hint="Use the release that wrote it, or a newer one.",
        )
    return True
