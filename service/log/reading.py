"""What every question to the log has in common: a connection that cannot write, pages, cursors.

Pages go by the number each record got when it was written: records that arrive meanwhile are newer
than any cursor, so that the pages after a first one hold what was there, each record once.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Column, ColumnElement, Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from service.errors import LogUnavailable, RequestRefused
from service.store.opening import open_reader, reading_refusal, unreadable

LARGEST_PAGE = 1000
CURSOR_PREFIX = b"seq:"


@contextmanager
def connected(path: Path) -> Iterator[Connection | None]:
    """A connection that reads the log at *path*; ``None`` while there is no log there.

    Raises:
        LogUnavailable: The log cannot be read; also where a question fails within.
    """
    opened = open_reader(path)
    if opened is None:
        yield None
        return
    engine = create_engine("sqlite://", creator=lambda: opened, poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        cause = error.orig if isinstance(error.orig, sqlite3.Error) else sqlite3.Error(error)
        raise reading_refusal(path, cause) from error
    finally:
        engine.dispose()
        opened.close()


def check_limit(limit: int) -> None:
    """Refuse a page of another size than 1 to 1000.

    Raises:
        RequestRefused: It is.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise RequestRefused(
            f"`limit` is `{limit}`: a number from 1 to {LARGEST_PAGE} is expected",
            code="SYS-INPUT-PARAMETER",
        )


def equal(*pairs: tuple[Column[str], str | None]) -> list[ColumnElement[bool]]:
    """That each column has its value; ``None`` asks nothing."""
    return [column == str(value) for column, value in pairs if value is not None]


def cursor_at(seq: int) -> str:
    """What the page after the record *seq* is asked for with."""
    return base64.urlsafe_b64encode(CURSOR_PREFIX + str(seq).encode()).decode().rstrip("=")


def before(cursor: str) -> int:
    """The number that ``cursor_at`` was given.

    Raises:
        RequestRefused: The cursor is none of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True)
        if text.startswith(CURSOR_PREFIX) and text[4:].isdigit() and len(text) <= 24:
            return min(int(text[4:]), 2**63 - 1)
    except (UnicodeEncodeError, binascii.Error):
        pass
    raise RequestRefused(
        f"`cursor` is `{cursor[:64]}`: one that an earlier page ended with is expected",
        code="SYS-INPUT-PARAMETER",
    )


def damaged(path: Path, what: str) -> LogUnavailable:
    """The error for a record, called *what*, that is there and cannot be read."""
    return unreadable(path, f"{what} is damaged or of a newer release")
