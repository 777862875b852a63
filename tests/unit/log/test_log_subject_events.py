"""Subject events in the log: as durable as decisions, each once, and found again."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from records import NOON, entry
from subject_events import applied, ended

from service.errors import LogUnavailable, RequestRefused
from service.log.apart import Apart, write_apart
from service.log.channel import Frames, asked, entry_of
from service.log.event_query import EventReader
from service.log.event_rows import prepare_events, restore_event
from service.log.filters import EventFilter
from service.log.query import DecisionReader, Filter
from service.log.sqlite import DecisionLogFile, Start, write_here
from service.model.subject_event import SubjectEvent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


def found(path: Path, **wanted: str | None) -> list[SubjectEvent]:
    return list(EventReader(path).find(EventFilter.of(**wanted), limit=1000).events)


async def keep(path: Path, *events: SubjectEvent) -> None:
    log = await DecisionLogFile.open(path)
    await log.record_events(events)
    await log.close()


def numbers(path: Path) -> list[int]:
    with sqlite3.connect(path) as log:
        rows = log.execute("SELECT seq FROM subject_events ORDER BY seq").fetchall()
    log.close()
    return [seq for (seq,) in rows]


@pytest.mark.parametrize("start", [write_here, write_apart])
async def test_what_is_recorded_is_found_as_it_was(path: Path, start: Start) -> None:
    made = [applied("ключ \u2028"), ended(namespace=None, cluster=None, generation=None)]
    log = await DecisionLogFile.open(path, start=start)
    await log.record_events(made)
    await log.record_events([])
    assert isinstance(log._writer, Apart) == (start is write_apart)
    await log.close()

    assert found(path) == made[::-1]


async def test_events_and_decisions_of_one_group_are_all_recorded_and_answered(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    one, again = entry("uid", unique=True), entry("uid", unique=True)
    events = [[applied(), applied()] for _ in range(10)]
    answers = await asyncio.gather(
        log.record_events(events[0]),
        log.record(one),
        *(log.record_events(some) for some in events[1:]),
        log.record(again),
    )
    await log.close()

    assert answers[1] == answers[-1] == one.decision
    assert {*found(path)} == {event for some in events for event in some}
    assert len(DecisionReader(path).find(Filter()).decisions) == 1


async def test_an_event_that_is_recorded_already_adds_nothing_and_leaves_no_gap(path: Path) -> None:
    first, second = applied(), applied()
    later = first.model_copy(update={"time": "2026-05-05T12:00:00Z"})
    log = await DecisionLogFile.open(path)
    await log.record_events([first, first, later])
    await log.record_events([later, second])
    await log.close()
    await keep(path, first, applied("next"))

    assert found(path)[1:] == [second, first]
    assert numbers(path) == [1, 2, 3]


async def test_another_process_hands_them_over(path: Path) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    made = [applied(), ended()]
    await second.record_events(made)
    assert (first.writes, second.writes) == (True, False)
    await first.close()
    await second.record_events(made)
    assert second.writes
    await second.close()

    assert found(path) == made[::-1]


async def test_an_event_without_a_time_is_refused_before_it_waits(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    with pytest.raises(LogUnavailable, match="cannot be recorded"):
        await log.record_events([applied(), applied(time="noon")])
    await log.close()

    assert found(path) == []


def test_frames_carry_them() -> None:
    events = prepare_events([applied(), ended()])
    frames = Frames()
    received = [entry_of(value) for value in frames.feed(asked(3, events) + asked(4, None))]

    assert received == [(3, events), (4, None)]
    assert [restore_event(row[-1]).event.value for row in events.rows] == ["applied", "ended"]


async def test_each_condition_of_a_filter_is_met(path: Path) -> None:
    one = applied("a", at=0, uid="u1", namespace="prod")
    two = ended("b", at=60, uid="u2", cluster="prod-us", kind="Job")
    three = applied("c", at=120, namespace=None, uid="u3")
    await keep(path, one, two, three)

    assert found(path, event="ended") == [two]
    assert found(path, cluster="prod-us") == [two]
    assert found(path, namespace="prod") == [two, one]
    assert found(path, kind="Deployment") == [three, one]
    assert found(path, subject=one.subject) == [one]
    assert found(path, uid="u3") == [three]
    assert found(path, since="2026-05-04T12:01:00Z") == [three, two]
    assert found(path, until="2026-05-04T12:01:00Z") == [one]
    assert found(path, since="2026-05-04T12:01:00Z", event="applied", kind="Deployment") == [three]


async def test_pages_hold_each_event_once_while_others_arrive(path: Path) -> None:
    await keep(path, *(made := [applied() for _ in range(5)]))
    reader = EventReader(path)
    page = reader.find(EventFilter(), limit=2)
    seen = list(page.events)
    while page.next_cursor is not None:
        await keep(path, applied())
        page = reader.find(EventFilter(), cursor=page.next_cursor, limit=2)
        seen += page.events

    assert seen == made[::-1]


def test_without_a_log_nothing_is_found(path: Path) -> None:
    reader = EventReader(path)

    assert (found(path), reader.living("a"), reader.about(["x"], since=NOON)) == ([], (), ())


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_has_bounds(path: Path, limit: int) -> None:
    with pytest.raises(RequestRefused, match="`limit`"):
        EventReader(path).find(EventFilter(), limit=limit)


def test_a_cursor_of_something_else_is_refused(path: Path) -> None:
    with pytest.raises(RequestRefused, match="`cursor`"):
        EventReader(path).find(EventFilter(), cursor="seven")


async def test_those_live_whose_last_event_says_so(path: Path) -> None:
    again = applied("again", uid="u1", at=9)
    elsewhere = applied("a", cluster="prod-us", uid="u2")
    nowhere = applied("a", cluster=None, uid="u2")
    gone = [applied("b", uid="u3"), ended("b", uid="u3"), ended("c", uid="u4")]
    rerun = [applied("d", uid="u5"), ended("d", uid="u5"), applied("d", uid="u5", at=3)]
    await keep(path, applied("again", uid="u1"), elsewhere, nowhere, *gone, *rerun, again)
    reader = EventReader(path)

    assert set(reader.living("prod-eu")) == {again, rerun[-1]}
    assert reader.living("prod-us") == (elsewhere,)
    assert reader.living(None) == (nowhere,)


async def test_the_last_event_of_each_object_is_found(path: Path) -> None:
    ends = ended("a", uid="u1")
    changed = applied("b", uid="u2", at=1)
    await keep(path, applied("a", uid="u1"), applied("b", uid="u2"), ends, changed)
    await keep(path, applied("a", uid="u1", cluster="prod-us"), applied("c", uid="u3"))
    reader = EventReader(path)

    assert set(reader.last("prod-eu", ["u1", "u2", "u9"])) == {ends, changed}
    assert reader.last(None, ["u1"]) == ()


async def test_events_about_some_subjects_come_in_their_order(path: Path) -> None:
    before, one = applied("a", at=-1), applied("a", at=0)
    two, three = ended("b", at=1), ended("a", at=2)
    await keep(path, before, one, applied("c", at=1), two, three)
    reader = EventReader(path)
    subjects = [one.subject, two.subject, one.subject]

    assert reader.about(subjects, since=NOON) == (one, two, three)
    assert reader.about(subjects, since=NOON + timedelta(seconds=1), limit=1) == (two,)


async def test_a_damaged_event_is_told_of(path: Path) -> None:
    await keep(path, applied())
    with sqlite3.connect(path) as log:
        log.execute("UPDATE subject_events SET body = CAST('{' AS BLOB)")
    log.close()

    with pytest.raises(LogUnavailable, match="subject event 1 is damaged"):
        found(path)
