"""SQL text of the write path, compiled once from the tables.

Statements insert many rows at a time. Python gives up its global lock around every step of a
statement, and a busy event loop may keep the writer waiting each time to get it back: one step for
a whole group instead of one per row is what keeps a group short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import LargeBinary, Table, Text, bindparam, insert, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from service.store.schema import decisions, metadata

DIALECT = sqlite.dialect(paramstyle="qmark")
# Rows of one statement: powers of two up to this many, so that few statements are ever prepared.
MOST_ROWS = 64

Row = tuple[Any, ...]


@cache
def schema() -> tuple[str, ...]:
    """The statements that make an empty database a decision log."""
    tables = [str(CreateTable(table).compile(dialect=DIALECT)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=DIALECT))
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    return (*tables, *indexes)


@cache
def _insertion(table: Table, rows: int, prefix: str) -> str:
    one = insert(table).prefix_with(prefix) if prefix else insert(table)
    head, values = str(one.compile(dialect=DIALECT)).split(" VALUES ")
    return f"{head} VALUES {', '.join([values] * rows)}"


def insertions(
    table: Table, rows: Sequence[Row], *, prefix: str = ""
) -> Iterator[tuple[str, list[Any]]]:
    """Statements with their parameters that insert *rows*, whose values are in column order."""
    start = 0
    while start < len(rows):
        size = min(MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        part = rows[start : start + size]
        yield _insertion(table, size, prefix), list(chain.from_iterable(part))
        start += size


@cache
def _recorded(size: int) -> str:
    ids = [bindparam(None, type_=Text) for _ in range(size)]
    repetitions = [bindparam(None, type_=LargeBinary) for _ in range(size)]
    return str(
        select(decisions.c.decision_id, decisions.c.repetition, decisions.c.body)
        .where(or_(decisions.c.decision_id.in_(ids), decisions.c.repetition.in_(repetitions)))
        .compile(dialect=DIALECT)
    )


def recorded(
    ids: Sequence[str], repetitions: Sequence[bytes | None]
) -> Iterator[tuple[str, list[Any]]]:
    """Statements that find what is recorded already: rows of id, repetition and body.

    Both sequences are of one length; ``None`` finds nothing.
    """
    for start in range(0, len(ids), MOST_ROWS):
        some = ids[start : start + MOST_ROWS]
        size = 1 << (len(some) - 1).bit_length()
        padding = [None] * (size - len(some))
        found = repetitions[start : start + MOST_ROWS]
        yield _recorded(size), [*some, *padding, *found, *padding]
