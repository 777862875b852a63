"""Questions to the log: each condition, pages that fit together, and a log that is not there."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import NOON, entry, finding, rejected, resource

from service.errors import LogUnavailable, RequestRefused
from service.log.entry import Entry
from service.log.filters import Kind
from service.log.query import DecisionReader, Filter
from service.log.reading import connected
from service.log.sqlite import DecisionLogFile
from service.model.base import Binding, EnforcementPoint
from service.model.decision import Decision, Outcome

TEAMS = (None, "vision", "nlp")
VENDORS = ("aws", "gcp")
CODES = ("GPU-002", "BUD-001")


def various(n: int) -> Entry:
    """The *n*-th of many entries that differ in everything a filter asks for."""
    if n % 11 == 0:
        return rejected(at=n)
    return entry(
        at=n if n % 5 else n - 3,
        outcome=list(Outcome)[n % 3],
        enforcement_point=list(EnforcementPoint)[n % 2],
        binding=list(Binding)[n % 3],
        findings=tuple(finding(code) for code in CODES[: n % 3]),
        resources=tuple(
            resource(i, team=TEAMS[(n + i) % 3], vendor=VENDORS[(n // 3 + i) % 2])
            for i in range(n % 4)
        ),
    )


def meets(decision: Decision, wanted: Filter) -> bool:
    """What a filter means, said in Python."""
    time = decision.time.replace("Z", "+00:00")
    places = [
        (wanted.team, wanted.vendor)
        == (item.team if wanted.team else None, item.vendor if wanted.vendor else None)
        for item in decision.resources
    ]
    return all(
        (
            wanted.outcome in {None, decision.outcome},
            wanted.enforcement_point in {None, decision.enforcement_point},
            wanted.binding in {None, decision.binding},
            wanted.kind in {None, decision.kind},
            wanted.code is None or wanted.code in {item.code for item in decision.findings},
            (wanted.team is None and wanted.vendor is None) or any(places),
            wanted.since is None or wanted.since.isoformat() <= time,
            wanted.until is None or time < wanted.until.isoformat(),
        )
    )


@pytest.fixture(scope="module")
def stored() -> Any:
    """A log of 150 decisions, and these decisions, newest first."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "decisions.db"

    async def fill() -> list[Decision]:
        log = await DecisionLogFile.open(path)
        made = [await log.record(various(n)) for n in range(150)]
        await log.close()
        return made

    yield DecisionReader(path), asyncio.run(fill())[::-1]
    shutil.rmtree(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


def pages(reader: DecisionReader, wanted: Filter, limits: Any) -> list[list[Decision]]:
    found: list[list[Decision]] = []
    cursor = None
    for limit in limits:
        page = reader.find(wanted, cursor=cursor, limit=limit)
        found.append(list(page.decisions))
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


MOMENTS = st.none() | st.integers(-5, 155).map(lambda n: NOON + timedelta(seconds=n))
FILTERS = st.builds(
    Filter,
    outcome=st.none() | st.sampled_from(Outcome),
    code=st.none() | st.sampled_from([*CODES, "NO-000"]),
    team=st.none() | st.sampled_from(["vision", "nlp", "nobody"]),
    vendor=st.none() | st.sampled_from(VENDORS),
    enforcement_point=st.none() | st.sampled_from(list(EnforcementPoint)[:3]),
    binding=st.none() | st.sampled_from(Binding),
    kind=st.none() | st.sampled_from(Kind),
    since=MOMENTS,
    until=MOMENTS,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=FILTERS, limits=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_pages_partition_exactly_what_meets_the_filter(
    stored: Any, wanted: Filter, limits: list[int]
) -> None:
    reader, decisions = stored
    found = pages(reader, wanted, itertools.cycle(limits))

    expected = [decision for decision in decisions if meets(decision, wanted)]
    assert list(itertools.chain(*found)) == expected
    assert all(found[1:])


async def test_pages_hold_what_was_there_while_records_arrive(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    reader = DecisionReader(path)
    before = [await log.record(various(n)) for n in range(60)]
    seen: list[Decision] = []
    cursor = None
    while True:
        page = await asyncio.to_thread(reader.find, Filter(), cursor=cursor, limit=7)
        seen += page.decisions
        cursor = page.next_cursor
        if cursor is None:
            break
        await asyncio.gather(*(log.record(various(n)) for n in range(5)))
    await log.close()

    assert seen == before[::-1]


def test_nothing_is_found_where_there_is_no_log(path: Path) -> None:
    reader = DecisionReader(path / "not" / "there")

    assert reader.find(Filter()).decisions == ()
    assert reader.get("any") is None
    assert not list(path.parent.iterdir())


def test_nothing_is_found_in_a_log_that_is_just_being_made(path: Path) -> None:
    path.touch()
    assert DecisionReader(path).find(Filter()).decisions == ()

    sqlite3.connect(path).execute("PRAGMA journal_mode=WAL").connection.close()
    assert DecisionReader(path).find(Filter()).decisions == ()


def erase(path: Path) -> None:
    with connected(path) as connection:
        assert connection is not None
        connection.exec_driver_sql("DELETE FROM decisions")


async def test_a_reader_cannot_write(path: Path) -> None:
    await (await DecisionLogFile.open(path)).close()
    with pytest.raises(LogUnavailable, match="readonly"):
        erase(path)


async def test_the_log_is_read_before_it_is_carried_into_the_database(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    made = await log.record(entry())
    shown = DecisionReader(path).find(Filter())
    await log.close()

    assert shown.decisions == (made,)


def test_an_unknown_decision_is_none(stored: Any) -> None:
    assert stored[0].get("' OR 1=1 --") is None


@pytest.mark.parametrize("name", ["code", "team", "vendor"])
def test_text_of_a_filter_is_compared_and_never_executed(stored: Any, name: str) -> None:
    for text in ("' OR 1=1 --", "%", "GPU-%", "\x00", ""):
        assert stored[0].find(Filter.of(**{name: text})).decisions == ()


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_bounds_is_refused(stored: Any, limit: int) -> None:
    with pytest.raises(RequestRefused, match="from 1 to 1000"):
        stored[0].find(Filter(), limit=limit)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "abc=",
        "ключ",
        base64.b64encode(b"seq:").decode(),
        "c2VxOjE!",
        "c2VxOi0x",
        "A" * 999,
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(stored: Any, cursor: str) -> None:
    with pytest.raises(RequestRefused, match="`cursor` is"):
        stored[0].find(Filter(), cursor=cursor)


def test_a_cursor_beyond_any_record_finds_everything(stored: Any) -> None:
    cursor = base64.urlsafe_b64encode(b"seq:99999999999999999999").decode().rstrip("=")

    assert len(stored[0].find(Filter(), cursor=cursor, limit=1000).decisions) == 150


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("outcome", "maybe", "`outcome` is `maybe`: input should be 'allow', 'warn' or 'deny'"),
        ("enforcement_point", "moon", "`enforcement_point` is `moon`"),
        ("kind", "x", "`kind` is `x`"),
        ("since", "yesterday", "`since` is `yesterday`: a time in RFC 3339"),
        ("since", "2026-05-04", "`since` is `2026-05-04`"),
        ("until", "2026-05-04T12:00:00", "`until` is `2026-05-04T12:00:00`"),
        ("until", "2026-13-04T12:00:00Z", "`until` is"),
        ("since", "999999d", "`since` is `999999d`"),
        ("invented", "x", "`invented` is `x`"),
    ],
)
def test_a_malformed_condition_is_refused_by_name(name: str, text: str, message: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        Filter.of(**{name: text})

    assert refused.value.message.startswith(message)
    assert refused.value.code == "SYS-INPUT-PARAMETER"


def test_a_time_may_be_an_age_or_have_any_offset() -> None:
    assert Filter.of(since="2026-05-04T14:00:00+02:00").since == NOON
    assert Filter.of(since="2026-05-04t12:00:00z").since == NOON
    recent = Filter.of(since="90m", until="1h")
    assert recent.since is not None
    assert recent.until is not None
    assert timedelta(minutes=29) < recent.until - recent.since < timedelta(minutes=31)


async def test_a_record_that_cannot_be_read_is_named(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    made = await log.record(entry())
    await log.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE decisions SET body = ?", (b'{"schema_version":1}',))
    connection.close()
    with pytest.raises(LogUnavailable, match="record 1 is damaged or of a newer release"):
        DecisionReader(path).find(Filter())
    with pytest.raises(LogUnavailable, match="record 1 is damaged"):
        DecisionReader(path).get(made.decision_id)


async def test_an_erased_request_leaves_the_decision_readable(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    made = await log.record(entry())
    await log.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM bodies")
    connection.close()

    stored = DecisionReader(path).get(made.decision_id)
    assert stored is not None
    assert (stored.decision, stored.request) == (made, b"")


async def test_a_missing_table_is_an_error_in_words(path: Path) -> None:
    await (await DecisionLogFile.open(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE decisions")
    connection.close()
    with pytest.raises(LogUnavailable, match="no such table"):
        DecisionReader(path).find(Filter())
