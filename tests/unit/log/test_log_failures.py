"""A log that cannot keep a record says so, and never pretends."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from records import entry

from service.errors import LogUnavailable
from service.log import group
from service.log.entry import DecisionLog
from service.log.query import DecisionReader, Filter
from service.log.sqlite import DecisionLogFile
from service.model.decision import Decision
from service.store.opening import SCHEMA_VERSION

SCRAP = b"this is a text and no database at all, whatever its name may promise" * 20


def failing(code: int, name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    error.sqlite_errorname = name
    return error


FLUSH_FAILED = failing(sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC")


class Faulty:
    """A connection on which one statement fails, as often as it is told to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.fails: dict[str, sqlite3.Error] = {}
        self.asked: list[str] = []

    def execute(self, statement: str, parameters: Any = ()) -> sqlite3.Cursor:
        self.asked.append(statement)
        for begin, error in self.fails.items():
            if statement.startswith(begin):
                raise error
        return self._connection.execute(statement, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> list[Faulty]:
    """The connections that logs opened from now on write to."""
    made: list[Faulty] = []
    initialise = group.GroupStore.__init__

    def wrapped(store: group.GroupStore, connection: Any, *others: Any) -> None:
        made.append(Faulty(connection))
        initialise(store, made[-1], *others)  # type: ignore[arg-type]  # all that a store asks for

    monkeypatch.setattr(group.GroupStore, "__init__", wrapped)
    return made


async def attempt(log: DecisionLog) -> Decision | LogUnavailable:
    try:
        return await log.record(entry())
    except LogUnavailable as refusal:
        return refusal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


async def test_a_folder_below_a_file_is_named_as_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LogUnavailable, match=r"cannot be written: .*is not a folder") as refused:
        await DecisionLogFile.open(tmp_path / "file" / "state" / "decisions.db")

    assert "folder" in refused.value.hint


async def test_a_folder_that_takes_no_files_is_refused() -> None:
    with pytest.raises(LogUnavailable, match=r"`/proc/nothing/decisions\.db` cannot be written"):
        await DecisionLogFile.open(Path("/proc/nothing/decisions.db"))


async def test_a_folder_in_place_of_the_log_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(LogUnavailable, match="cannot be written: it is a folder"):
        await DecisionLogFile.open(path)
    with pytest.raises(LogUnavailable, match="cannot be read"):
        DecisionReader(path).find(Filter())


async def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(SCRAP)
    with pytest.raises(LogUnavailable, match="damaged or no SQLite database"):
        await DecisionLogFile.open(path)
    with pytest.raises(LogUnavailable, match="damaged or no SQLite database"):
        DecisionReader(path).find(Filter())

    assert path.read_bytes() == SCRAP


async def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LogUnavailable, match="not a decision log"):
        await DecisionLogFile.open(path)
    with pytest.raises(LogUnavailable, match="not a decision log"):
        DecisionReader(path).find(Filter())

    assert path.read_bytes() == before


async def test_a_log_of_a_newer_release_is_refused(path: Path) -> None:
    await (await DecisionLogFile.open(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ?", (str(SCHEMA_VERSION + 1),))
    connection.close()
    with pytest.raises(LogUnavailable, match=f"schema version `{SCHEMA_VERSION + 1}`") as refused:
        await DecisionLogFile.open(path)
    with pytest.raises(LogUnavailable, match="schema version"):
        DecisionReader(path).find(Filter())

    assert "newer" in refused.value.hint


async def test_an_open_that_failed_leaves_the_log_to_the_next_one(path: Path) -> None:
    path.write_bytes(SCRAP)
    with pytest.raises(LogUnavailable):
        await DecisionLogFile.open(path)
    path.unlink()
    log = await DecisionLogFile.open(path)
    await log.record(entry())
    await log.close()

    assert len(DecisionReader(path).find(Filter()).decisions) == 1


async def test_a_damaged_log_is_refused_where_the_damage_is_met(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    for _ in range(50):
        await log.record(entry())
    await log.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 200_000)
    with pytest.raises(LogUnavailable, match="damaged"):
        await DecisionLogFile.open(path)


async def test_a_failed_flush_poisons_the_log_for_good(path: Path, faulty: list[Faulty]) -> None:
    log = await DecisionLogFile.open(path)
    kept = await log.record(entry())
    faulty[0].fails["COMMIT"] = FLUSH_FAILED
    with pytest.raises(LogUnavailable, match="SQLITE_IOERR_FSYNC") as refused:
        await log.record(entry())
    assert "started again" in refused.value.hint
    assert not await log.ready()

    faulty[0].fails.clear()
    faulty[0].asked.clear()
    with pytest.raises(LogUnavailable, match="SQLITE_IOERR_FSYNC"):
        await log.record(entry())
    assert not await log.ready()
    assert faulty[0].asked == []
    await log.close()
    page = DecisionReader(path).find(Filter())
    assert [decision.decision_id for decision in page.decisions] == [kept.decision_id]


async def test_everybody_in_a_failed_group_and_behind_it_is_told(
    path: Path, faulty: list[Faulty]
) -> None:
    log = await DecisionLogFile.open(path)
    faulty[0].fails["COMMIT"] = FLUSH_FAILED
    results = await asyncio.gather(
        *(log.record(entry()) for _ in range(300)), return_exceptions=True
    )
    await log.close()

    assert all(isinstance(result, LogUnavailable) for result in results)
    assert len({id(result) for result in results}) == 300


async def test_a_failed_checkpoint_poisons_too_after_its_group_was_answered(
    path: Path, faulty: list[Faulty], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "CHECKPOINT_BYTES", 1)
    log = await DecisionLogFile.open(path)
    faulty[0].fails["PRAGMA wal_checkpoint"] = FLUSH_FAILED
    kept = await log.record(entry())
    await asyncio.sleep(0.05)
    with pytest.raises(LogUnavailable, match="SQLITE_IOERR_FSYNC"):
        await log.record(entry())
    await log.close()

    assert DecisionReader(path).get(kept.decision_id) is not None


async def test_a_checkpoint_without_room_is_put_off(
    path: Path, faulty: list[Faulty], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "CHECKPOINT_BYTES", 1)
    log = await DecisionLogFile.open(path)
    faulty[0].fails["PRAGMA wal_checkpoint"] = failing(sqlite3.SQLITE_FULL, "SQLITE_FULL")
    await log.record(entry())
    await log.record(entry())
    assert await log.ready()
    await log.close()

    assert len(DecisionReader(path).find(Filter()).decisions) == 2


async def test_a_full_database_refuses_and_recovers_once_there_is_room(
    path: Path, faulty: list[Faulty]
) -> None:
    log = await DecisionLogFile.open(path)
    kept = [await log.record(entry())]
    (pages,) = faulty[0].execute("PRAGMA page_count").fetchone()
    faulty[0].execute(f"PRAGMA max_page_count={pages}")
    results = [await attempt(log) for _ in range(100)]
    kept += [result for result in results if isinstance(result, Decision)]
    refused = [result for result in results if isinstance(result, LogUnavailable)]
    assert {refusal.message for refusal in refused} == {
        f"the decision log `{path}` has no space left on its disk"
    }

    faulty[0].execute("PRAGMA max_page_count=1000000")
    assert await log.ready()
    kept.append(await log.record(entry()))
    await log.close()
    page = DecisionReader(path).find(Filter(), limit=1000)
    assert list(page.decisions) == kept[::-1]


async def test_a_full_log_is_not_ready_while_nothing_can_be_written(
    path: Path, faulty: list[Faulty]
) -> None:
    log = await DecisionLogFile.open(path)
    faulty[0].fails = {
        "COMMIT": failing(sqlite3.SQLITE_FULL, "SQLITE_FULL"),
        "INSERT INTO meta": failing(sqlite3.SQLITE_FULL, "SQLITE_FULL"),
    }
    with pytest.raises(LogUnavailable, match="no space left"):
        await log.record(entry())
    assert not await log.ready()

    faulty[0].fails.clear()
    assert await log.ready()
    await log.record(entry())
    await log.close()


async def test_another_program_that_writes_is_waited_for_and_then_named(
    path: Path, faulty: list[Faulty]
) -> None:
    log = await DecisionLogFile.open(path)
    faulty[0].execute("PRAGMA busy_timeout=50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnavailable, match="another program") as refused:
        await log.record(entry())
    other.execute("ROLLBACK")
    other.close()

    assert refused.value.code == "SYS-BUSY"
    await log.record(entry())
    await log.close()


async def test_records_of_a_second_writer_poison_the_log(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    await log.record(entry())
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE decisions SET seq = 2")
        other.execute("DELETE FROM decision_resources")
    other.close()
    with pytest.raises(LogUnavailable, match="SQLITE_CONSTRAINT"):
        await log.record(entry())
    assert not await log.ready()
    await log.close()


async def test_a_deleted_database_poisons_the_log(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    await log.record(entry())
    path.unlink()
    with pytest.raises(LogUnavailable, match=r"not the file that was opened.*deleted"):
        await log.record(entry())
    assert not await log.ready()
    await log.close()


async def test_a_deleted_log_is_noticed_without_a_record(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    path.unlink()

    assert not await log.ready()
    await log.close()


@pytest.mark.parametrize("suffix", ["", "-wal", ".lock"])
async def test_a_replaced_file_poisons_the_log(path: Path, suffix: str) -> None:
    log = await DecisionLogFile.open(path)
    await log.record(entry())
    name = f"{path}{suffix}"
    shutil.copy(name, f"{name}.copy")
    os.replace(f"{name}.copy", name)  # noqa: PTH105 - a test may wait
    with pytest.raises(LogUnavailable, match=r"not the file that was opened: .*replaced"):
        await log.record(entry())
    await log.close()


async def test_a_defect_of_ours_poisons_the_log_instead_of_leaving_callers_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await DecisionLogFile.open(path)

    def broken(*_: object) -> None:
        raise KeyError("seq")

    monkeypatch.setattr(group.GroupStore, "_insert", broken)
    with pytest.raises(LogUnavailable, match="failed: 'seq'"):
        await log.record(entry())
    assert not await log.ready()
    await log.close()
