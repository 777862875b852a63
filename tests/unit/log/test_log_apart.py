"""A log that is written in a process of its own keeps every promise of one that is not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from records import entry, rejected

from service.errors import LogUnavailable
from service.log import apart, writer
from service.log.apart import Apart, write_apart
from service.log.channel import Frames, asked, entry_of, outcomes_of, told
from service.log.query import DecisionReader, Filter
from service.log.rows import prepare
from service.log.sqlite import DecisionLogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "decisions.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[DecisionLogFile]:
    opened = await DecisionLogFile.open(path, start=write_apart)
    yield opened
    await opened.close()


def process_of(log: DecisionLogFile) -> subprocess.Popen[bytes]:
    assert isinstance(log._writer, Apart)
    return log._writer._process


def found(path: Path) -> list[str]:
    page = DecisionReader(path).find(Filter(), limit=1000)
    return [decision.decision_id for decision in page.decisions]


async def test_a_recorded_decision_is_found_with_all_it_was_made_from(
    log: DecisionLogFile, path: Path
) -> None:
    made = entry()
    assert await log.record(made) == made.decision
    unreadable = await log.record(rejected())
    assert await log.ready()

    stored = DecisionReader(path).get(made.decision.decision_id)
    assert stored is not None
    assert (stored.decision, stored.request, stored.context) == (
        made.decision,
        made.request,
        made.context,
    )
    assert found(path) == [unreadable.decision_id, made.decision.decision_id]


async def test_a_repeated_question_gets_the_first_answer(log: DecisionLogFile, path: Path) -> None:
    first = await log.record(entry("uid", unique=True))
    others = await asyncio.gather(*(log.record(entry("uid", unique=True)) for _ in range(50)))

    assert {other.decision_id for other in others} == {first.decision_id}
    assert others[0] == first
    assert found(path) == [first.decision_id]


async def test_other_processes_hand_over_to_it(log: DecisionLogFile, path: Path) -> None:
    other = await DecisionLogFile.open(path)
    made = [await log.record(entry()), await other.record(entry())]
    await other.close()

    assert not other.writes
    assert found(path) == [decision.decision_id for decision in reversed(made)]


async def test_close_writes_what_is_waiting_and_leaves_the_file_to_the_next(path: Path) -> None:
    log = await DecisionLogFile.open(path, start=write_apart)
    records = [asyncio.create_task(log.record(entry())) for _ in range(300)]
    await asyncio.sleep(0)
    process = process_of(log)
    await log.close()
    await asyncio.gather(*records)
    assert process.returncode == 0
    with pytest.raises(LogUnavailable, match="is closed"):
        await log.record(entry())

    files = sorted(file.name for file in path.parent.iterdir())
    assert files == ["decisions.db", "decisions.db.lock"]
    assert len(found(path)) == 300


async def test_a_killed_process_is_replaced_and_what_was_under_way_is_recorded_once(
    log: DecisionLogFile, path: Path
) -> None:
    made = []
    for _ in range(3):
        records = [asyncio.create_task(log.record(entry())) for _ in range(100)]
        await asyncio.sleep(0)
        process_of(log).kill()
        made += await asyncio.gather(*records)

    assert sorted(found(path)) == sorted(decision.decision_id for decision in made)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_for_the_whole_group_does_not_end_it(
    log: DecisionLogFile, path: Path, number: signal.Signals
) -> None:
    os.kill(process_of(log).pid, number)
    await log.record(entry())

    assert len(found(path)) == 1


async def test_what_cannot_be_opened_is_told_as_in_one_process(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(LogUnavailable, match="damaged or no SQLite database") as refused:
        await DecisionLogFile.open(path, start=write_apart)

    assert "Name another file" in refused.value.hint


async def test_a_deleted_database_poisons_the_log_there_too(
    log: DecisionLogFile, path: Path
) -> None:
    path.unlink()
    with pytest.raises(LogUnavailable, match="was deleted"):
        await log.record(entry())

    assert not await log.ready()


async def test_a_value_that_cannot_be_stored_fails_alone(log: DecisionLogFile) -> None:
    too_large = entry()
    object.__setattr__(too_large.decision, "duration_ms", 2**63)
    results = await asyncio.gather(
        log.record(entry()), log.record(too_large), log.record(entry()), return_exceptions=True
    )

    assert [isinstance(result, LogUnavailable) for result in results] == [False, True, False]


async def test_too_many_waiting_entries_are_refused_as_busy(
    log: DecisionLogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 5)
    results = await asyncio.gather(
        *(log.record(entry()) for _ in range(20)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, LogUnavailable)]

    assert len(refused) == 15
    assert {refusal.code for refusal in refused} == {"SYS-BUSY"}
    assert await log.ready()


async def test_a_program_that_ends_at_once_is_an_error_in_words(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart.sys, "executable", "/bin/true")
    with pytest.raises(LogUnavailable, match="could not be started"):
        await DecisionLogFile.open(path, start=write_apart)
    monkeypatch.setattr(apart.sys, "executable", "/nothing/there")
    with pytest.raises(LogUnavailable, match="could not be started"):
        await DecisionLogFile.open(path, start=write_apart)


async def test_a_program_that_does_not_get_ready_is_ended(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(apart.sys, "executable", str(slow))
    monkeypatch.setattr(apart, "START_S", 0.2)
    with pytest.raises(LogUnavailable, match="could not be started"):
        await DecisionLogFile.open(path, start=write_apart)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 4096, 10**6])
def test_frames_are_put_together_from_pieces_of_any_size(size: int) -> None:
    entries = [prepare(entry(unique=n % 2 == 0)) for n in range(5)]
    sent = b"".join(asked(n, one) for n, one in enumerate(entries)) + asked(9, None)
    frames = Frames()
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    received = [entry_of(value) for piece in pieces for value in frames.feed(piece)]

    assert received == [*enumerate(entries), (9, None)]


def test_outcomes_are_told_as_they_are() -> None:
    refusal = LogUnavailable("full", hint="Free some.", code="SYS-X")
    frame = told([(1, None), (2, b"{}"), (3, refusal), (4, OSError("gone"))])
    ((first, second, third, fourth),) = [outcomes_of(value) for value in Frames().feed(frame)]

    assert (first, second) == ((1, None), (2, b"{}"))
    assert isinstance(third[1], LogUnavailable)
    assert (third[1].message, third[1].hint, third[1].code) == ("full", "Free some.", "SYS-X")
    assert str(fourth[1]) == "gone"
