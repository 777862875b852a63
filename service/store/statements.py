"""SQL texts of the write path, as plain text: whoever writes needs neither SQLAlchemy nor tables.

Statements insert many rows at a time. Python gives up its global lock around every step of a
statement, and a busy event loop may keep the writer waiting each time to get it back: one step for
a whole group instead of one per row is what keeps a group short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

# Rows of one statement: powers of two up to this many, so that few statements are ever prepared.
MOST_ROWS = 64

Row = tuple[Any, ...]


class Statements(NamedTuple):
    """What ``service.store.compiled`` makes of the tables.

    Attributes:
        schema: Makes an empty database a decision log.
        insertions: By table: how an insertion begins, the places of one row, and how it ends.
        recorded: By a power of two: finds that many ids, and as many repetitions.
    """

    schema: tuple[str, ...]
    insertions: Mapping[str, tuple[str, str, str]]
    recorded: Mapping[int, str]

    def insert(self, table: str, rows: Sequence[Row]) -> Iterator[tuple[str, list[Any]]]:
        """Statements with their parameters that insert *rows*, whose values are in column order."""
        start = 0
        while start < len(rows):
            size = min(MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
            part = rows[start : start + size]
            yield _repeated(*self.insertions[table], size), list(chain.from_iterable(part))
            start += size

    def find(
        self, ids: Sequence[str], repetitions: Sequence[bytes | None]
    ) -> Iterator[tuple[str, list[Any]]]:
        """Statements that find what is recorded already: rows of id, repetition and body.

        Both sequences are of one length; ``None`` finds nothing.
        """
        for start in range(0, len(ids), MOST_ROWS):
            some = ids[start : start + MOST_ROWS]
            size = 1 << (len(some) - 1).bit_length()
            padding = [None] * (size - len(some))
            found = repetitions[start : start + MOST_ROWS]
            yield self.recorded[size], [*some, *padding, *found, *padding]


@cache
def _repeated(head: str, places: str, tail: str, rows: int) -> str:
    return f"{head} VALUES {', '.join([places] * rows)}{tail}"
