"""Compiles the tables into the SQL texts of the write path, once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Insert, LargeBinary, Text, bindparam, insert, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.schema import CreateIndex, CreateTable

from service.store.schema import (
    bodies,
    decisions,
    findings,
    metadata,
    resources,
    subject_events,
)
from service.store.statements import MOST_ROWS, Statements

DIALECT = sqlite.dialect(paramstyle="qmark")


@cache
def compiled() -> Statements:
    """The statements of the write path."""
    # The same request is stored once.
    insertions = [insert(bodies).prefix_with("OR IGNORE")]
    insertions += [insert(table) for table in (decisions, resources, findings)]
    # SQLite numbers events: one that is recorded already then takes no number. Unlike OR IGNORE
    # this lets nothing else pass in silence.
    columns = [column.name for column in subject_events.columns if not column.primary_key]
    event = sqlite_insert(subject_events).values(dict.fromkeys(columns))
    insertions.append(event.on_conflict_do_nothing(index_elements=[subject_events.c.event_id]))
    sizes = [1 << exponent for exponent in range(MOST_ROWS.bit_length())]
    return Statements(
        schema=_schema(),
        insertions={str(one.table.name): _insertion(one) for one in insertions},
        recorded={size: _recorded(size) for size in sizes},
    )


def _schema() -> tuple[str, ...]:
    tables = [str(CreateTable(table).compile(dialect=DIALECT)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=DIALECT))
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    return (*tables, *indexes)


def _insertion(one: Insert) -> tuple[str, str, str]:
    head, rest = str(one.compile(dialect=DIALECT)).split(" VALUES ")
    places, closing, tail = rest.partition(")")
    return head, places + closing, tail


def _recorded(size: int) -> str:
    ids = [bindparam(None, type_=Text) for _ in range(size)]
    repetitions = [bindparam(None, type_=LargeBinary) for _ in range(size)]
    return str(
        select(decisions.c.decision_id, decisions.c.repetition, decisions.c.body)
        .where(or_(decisions.c.decision_id.in_(ids), decisions.c.repetition.in_(repetitions)))
        .compile(dialect=DIALECT)
    )
