"""What is open is read from the log, seldom, and never at the cost of those who wait."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from glass import event, glass
from records import NOON, entry, finding

from service.errors import LogUnavailable
from service.log.break_glass import AGAIN_S, MOMENT_S, USABLE_S, OpenBreakGlass
from service.log.filters import Filter
from service.log.query import DecisionReader
from service.log.sqlite import DecisionLogFile
from service.model.break_glass import BreakGlass


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[DecisionLogFile]:
    opened = await DecisionLogFile.open(tmp_path / "decisions.db")
    yield opened
    await opened.close()


@pytest.fixture
def reader(tmp_path: Path) -> DecisionReader:
    return DecisionReader(tmp_path / "decisions.db")


def _open(reader: DecisionReader, seconds: float) -> list[str]:
    return [item.id for item in reader.break_glass(NOON + timedelta(seconds=seconds))]


async def test_the_log_says_what_is_open(log: DecisionLogFile, reader: DecisionReader) -> None:
    first, second = glass("B-1", minutes=60), glass("B-2", at=60, minutes=240)
    for made in (event(first), entry(), event(second)):
        await log.record(made)

    assert _open(reader, -1) == []
    assert _open(reader, 0) == ["B-1"]
    assert _open(reader, 3599) == ["B-1", "B-2"]
    assert _open(reader, 3600) == ["B-2"]
    assert _open(reader, 60 + 240 * 60 - 1) == ["B-2"]
    assert _open(reader, 60 + 240 * 60) == []


async def test_what_was_ended_is_over(log: DecisionLogFile, reader: DecisionReader) -> None:
    first, second = glass("B-1"), glass("B-2")
    for made in (event(first), event(second), event(first, "end", at=5)):
        await log.record(made)

    assert _open(reader, 10) == ["B-2"]


async def test_records_of_a_kind_are_found(log: DecisionLogFile, reader: DecisionReader) -> None:
    waived = finding().model_copy(update={"waived_by": "B-1"})
    await log.record(event(glass()))
    under = await log.record(entry(findings=(finding("GPU-001"), waived)))
    await log.record(entry(findings=(finding("GPU-001"),)))

    [opened] = reader.find(Filter.of(kind="break_glass")).decisions
    assert opened.break_glass == glass()
    assert reader.find(Filter.of(waived_by="B-1")).decisions == (under,)
    assert reader.find(Filter.of(waived_by="B-1", code="GPU-002")).decisions == (under,)
    assert reader.find(Filter.of(waived_by="B-1", code="GPU-001")).decisions == ()


async def test_a_handed_over_record_is_whole(
    log: DecisionLogFile, reader: DecisionReader, tmp_path: Path
) -> None:
    other = await DecisionLogFile.open(tmp_path / "decisions.db")
    await other.record(event(glass(codes=("GPU-001",), groups=("sre",))))
    await other.close()

    assert log.writes
    assert reader.break_glass(NOON) == (glass(codes=("GPU-001",), groups=("sre",)),)


async def test_looking_costs_what_is_open_and_not_what_is_stored(
    log: DecisionLogFile, reader: DecisionReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.record(event(glass()))
    asked: list[str] = []
    connect = sqlite3.connect

    def tracing(*given: object, **named: object) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*given, **named)  # type: ignore[call-overload]
        made.set_trace_callback(asked.append)
        return made

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", tracing)
        assert _open(reader, 0) == ["B-1"]
    [statement] = [text for text in asked if "break_glass" in text]
    with sqlite3.connect(tmp_path / "decisions.db") as direct:
        plan = [row[3] for row in direct.execute(f"EXPLAIN QUERY PLAN {statement}")]
    direct.close()

    assert plan[0] == "SEARCH decisions USING INDEX decisions_break_glass (kind=? AND time>?)"


def test_without_a_log_nothing_is_open(reader: DecisionReader) -> None:
    assert reader.break_glass(NOON) == ()


async def test_a_damaged_record_is_no_record(
    log: DecisionLogFile, reader: DecisionReader, tmp_path: Path
) -> None:
    await log.record(event(glass()))
    with sqlite3.connect(tmp_path / "decisions.db") as direct:
        direct.execute("UPDATE decisions SET body = ?", (b"{}",))
    direct.close()

    with pytest.raises(LogUnavailable, match="record 1 is damaged"):
        reader.break_glass(NOON)


async def test_a_record_that_says_nothing_of_it_is_damaged(
    log: DecisionLogFile, reader: DecisionReader
) -> None:
    await log.record(entry(kind="break_glass"))

    with pytest.raises(LogUnavailable, match="record 1 is damaged"):
        reader.break_glass(NOON)


class _Log:
    """Answers with what a test says, and counts."""

    def __init__(self) -> None:
        self.opened: tuple[BreakGlass, ...] = ()
        self.failure: Exception | None = None
        self.asked = 0
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Event()

    def __call__(self) -> tuple[BreakGlass, ...]:
        self.asked += 1
        self.begun.set()
        found, failure = self.opened, self.failure
        self.free.wait(10)
        if failure is not None:
            raise failure
        return found


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


Known = tuple[OpenBreakGlass, _Log, _Clock]


@pytest.fixture
async def known() -> AsyncIterator[Known]:
    log, clock = _Log(), _Clock()
    made = OpenBreakGlass(log, clock=clock)
    yield made, log, clock
    log.free.set()
    await made.close()


async def test_the_first_request_waits_and_the_next_do_not_ask(known: Known) -> None:
    opened, log, clock = known
    log.opened = (glass(),)

    assert await opened() == (glass(),)
    clock.now += AGAIN_S - 0.01
    assert await asyncio.gather(*(opened() for _ in range(20))) == [(glass(),)] * 20
    assert log.asked == 1


async def test_after_a_second_it_is_read_again_while_requests_go_on(known: Known) -> None:
    opened, log, clock = known
    await opened()
    log.opened = (glass(),)
    log.free.clear()
    clock.now += AGAIN_S

    assert await asyncio.gather(*(opened() for _ in range(20))) == [()] * 20
    log.free.set()
    assert opened._reading is not None
    await asyncio.wait({opened._reading}, timeout=5)
    assert await opened() == (glass(),)
    assert log.asked == 2


async def test_what_is_older_than_two_seconds_is_not_used(known: Known) -> None:
    opened, log, clock = known
    log.opened = (glass(),)
    await opened()
    log.opened = ()
    clock.now += USABLE_S

    assert await opened() == ()
    assert log.asked == 2


async def test_nobody_waits_longer_than_a_moment_for_a_log_that_hangs(known: Known) -> None:
    opened, log, clock = known
    log.opened = (glass(),)
    log.free.clear()

    started = time.monotonic()
    assert await opened() == ()
    assert time.monotonic() - started < MOMENT_S + 1

    clock.now += 60
    started = time.monotonic()
    assert [await opened() for _ in range(200)] == [()] * 200
    assert time.monotonic() - started < MOMENT_S
    assert log.asked == 1


@pytest.mark.parametrize("failure", [LogUnavailable("it is gone"), OSError("broken")])
async def test_what_cannot_be_read_waives_nothing(known: Known, failure: Exception) -> None:
    opened, log, clock = known
    log.opened = (glass(),)
    assert await opened() == (glass(),)
    log.failure = failure
    clock.now += USABLE_S

    assert await opened() == ()
    assert await opened() == ()
    assert log.asked == 2

    log.failure = None
    clock.now += USABLE_S
    assert await opened() == (glass(),)


async def test_what_this_process_recorded_is_seen_at_once(known: Known) -> None:
    opened, log, _ = known
    assert await opened() == ()
    log.opened = (glass(),)

    assert await opened() == ()
    opened.forget()
    assert await opened() == (glass(),)


async def test_a_reading_that_began_before_a_record_is_not_believed(known: Known) -> None:
    opened, log, _ = known
    log.free.clear()
    waiting = asyncio.create_task(opened())
    assert await asyncio.to_thread(log.begun.wait, 5)
    log.opened = (glass(),)
    opened.forget()
    after = asyncio.create_task(opened())
    await asyncio.sleep(0)
    log.free.set()

    assert await after == (glass(),)
    await waiting
    assert await opened() == (glass(),)
