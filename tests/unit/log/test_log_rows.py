"""A decision comes back from its stored form as it was."""

from __future__ import annotations

import sqlite3

import pytest
from records import entry, finding, resource

from service.errors import LogUnavailable
from service.log.rows import prepare, restore
from service.model.base import Range
from service.model.decision import DecidedAccelerator
from service.store import schema
from service.store.compiled import compiled
from service.store.packing import WORTH_DEFLATING, pack, unpack
from service.store.statements import MOST_ROWS


def test_a_decision_is_restored_as_it_was_decided() -> None:
    unknown = resource().model_copy(update={"accelerators": None, "cost": None})
    made = entry(resources=(resource(), unknown), findings=(finding(undetermined=("/region",)),))

    assert restore(prepare(made).body) == made.decision


def test_a_large_body_is_stored_deflated_and_a_small_one_as_it_is() -> None:
    large = b'{"key":"' + b"x" * WORTH_DEFLATING + b'"}'

    assert len(pack(large)) < 200
    assert unpack(pack(large)) == large
    assert pack(b"{}") == b"{}" == unpack(b"{}")


def test_a_damaged_body_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(pack(b"x" * WORTH_DEFLATING)[:-9])


@pytest.mark.parametrize("time", ["yesterday", "2026-05-04T12:00:00"])
def test_a_decision_without_a_time_in_utc_is_not_recorded(time: str) -> None:
    with pytest.raises(LogUnavailable, match="cannot be recorded"):
        prepare(entry(time=time))


def test_only_a_question_that_must_be_recorded_once_has_a_repetition() -> None:
    assert prepare(entry("uid")).repetition is None
    assert prepare(entry("uid", unique=True)).repetition is not None


def test_questions_that_only_read_alike_when_joined_are_different() -> None:
    first = entry("a", request_digest="bc", unique=True)
    second = entry("ab", request_digest="c", unique=True)

    assert prepare(first).repetition != prepare(second).repetition


def test_a_resource_row_says_unknown_where_a_part_of_the_accelerators_is_unknown() -> None:
    known = DecidedAccelerator(model="nvidia-l4", total=Range(min=1, max=8))
    unknown = DecidedAccelerator(model=None, total=Range())

    def columns(*entries: DecidedAccelerator) -> tuple[str | None, int | None]:
        one = resource().model_copy(update={"accelerators": entries})
        row = prepare(entry(resources=(one,))).resources[0]
        return row[11], row[12]

    assert columns(known, known) == ("nvidia-l4", 16)
    assert columns(known, unknown) == ("nvidia-l4", None)
    assert columns() == (None, 0)


def test_every_row_has_a_value_for_every_column() -> None:
    prepared = prepare(entry(unique=True))

    assert len(prepared.row) + 1 == len(schema.decisions.columns)
    assert [len(row) + 1 for row in prepared.resources] == [len(schema.resources.columns)]
    assert [len(row) + 1 for row in prepared.findings] == [len(schema.findings.columns)]


@pytest.mark.parametrize("count", [0, 1, 3, MOST_ROWS, MOST_ROWS + 1, 3 * MOST_ROWS - 1])
def test_any_number_of_rows_is_inserted_by_a_few_statements(count: int) -> None:
    rows = [(f"digest {n}".encode(), f"body {n}".encode()) for n in range(count)]
    statements = list(compiled().insert("bodies", rows))
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE bodies (digest BLOB, body BLOB)")
        for statement, parameters in statements:
            connection.execute(statement, parameters)
        stored = connection.execute("SELECT * FROM bodies").fetchall()
    connection.close()

    assert stored == rows
    assert len(statements) <= 2 + MOST_ROWS.bit_length()


def test_rows_are_inserted_in_the_order_of_the_columns() -> None:
    statement, _ = next(compiled().insert("findings", [tuple(range(7))]))
    names = statement.partition("(")[2].partition(")")[0]

    assert names.split(", ") == [column.name for column in schema.findings.columns]
