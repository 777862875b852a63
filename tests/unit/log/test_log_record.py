"""What ``record`` promises: durable before it returns, each question once, in groups."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from records import entry, rejected, resource

from service.errors import LogUnavailable
from service.log import writer
from service.log.group import GroupStore
from service.log.query import DecisionReader, Filter
from service.log.sqlite import DecisionLogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "decisions.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[DecisionLogFile]:
    opened = await DecisionLogFile.open(path)
    yield opened
    await opened.close()


class Groups:
    """Notes the size of each group, and can hold the writer before it writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.go = threading.Event()
        self.go.set()
        write = GroupStore.write

        def noted(store: GroupStore, group: list) -> list:
            self.go.wait(10)
            self.sizes.append(len(group))
            return write(store, group)

        monkeypatch.setattr(GroupStore, "write", noted)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Groups:
    return Groups(monkeypatch)


def count(path: Path, table: str = "decisions") -> int:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    connection.close()
    return found


def size(path: Path) -> int:
    return path.stat().st_size


async def test_a_recorded_decision_is_found_with_all_it_was_made_from(
    log: DecisionLogFile, path: Path
) -> None:
    made = entry(resources=(resource(0), resource(1)))

    assert await log.record(made) == made.decision

    stored = DecisionReader(path).get(made.decision.decision_id)
    assert stored is not None
    assert stored.decision == made.decision
    assert (stored.request, stored.context) == (made.request, made.context)
    assert stored.resolved_digest == made.resolved_digest
    assert stored.seq == 1
    assert count(path, "decision_resources") == 2


async def test_a_rejected_input_is_a_record_without_bodies(
    log: DecisionLogFile, path: Path
) -> None:
    made = await log.record(rejected())

    stored = DecisionReader(path).get(made.decision_id)
    assert stored is not None
    assert (stored.decision.kind, stored.request, stored.context) == ("rejected", b"", b"")


async def test_the_same_request_is_stored_once(log: DecisionLogFile, path: Path) -> None:
    await asyncio.gather(log.record(entry("plan")), log.record(entry("plan")))
    await log.record(entry("plan"))

    assert (count(path), count(path, "bodies")) == (3, 1)


async def test_entries_that_wait_are_committed_as_one_group(
    log: DecisionLogFile, groups: Groups
) -> None:
    groups.go.clear()
    first = asyncio.create_task(log.record(entry()))
    await asyncio.sleep(0.05)
    others = [asyncio.create_task(log.record(entry())) for _ in range(100)]
    await asyncio.sleep(0.05)
    groups.go.set()
    await asyncio.gather(first, *others)

    assert groups.sizes == [1, 100]


async def test_callers_that_come_back_together_share_a_commit(
    log: DecisionLogFile, groups: Groups
) -> None:
    for _ in range(20):
        await asyncio.gather(*(log.record(entry()) for _ in range(16)))

    assert sum(groups.sizes) == 320
    assert len(groups.sizes) <= 60


async def test_numbers_have_no_gaps(log: DecisionLogFile, path: Path) -> None:
    await asyncio.gather(*(log.record(entry(str(n % 7), unique=True)) for n in range(50)))
    await asyncio.gather(*(log.record(entry()) for _ in range(50)))

    with sqlite3.connect(path) as connection:
        numbers = [n for (n,) in connection.execute("SELECT seq FROM decisions ORDER BY seq")]
    connection.close()
    assert numbers == list(range(1, 58))


async def test_a_repeated_question_gets_the_first_answer_and_no_record(
    log: DecisionLogFile, path: Path
) -> None:
    first = await log.record(entry("uid", unique=True))
    again = await log.record(entry("uid", unique=True, caller="another"))

    assert again == first
    assert count(path) == 1


async def test_another_request_under_the_same_key_gets_the_first_decision_to_compare(
    log: DecisionLogFile, path: Path
) -> None:
    first = await log.record(entry("uid", unique=True))
    other = await log.record(entry("uid", unique=True, request_digest="sha256:other"))

    assert other == first
    assert count(path) == 1


async def test_a_question_repeated_within_one_group_gets_one_record(
    log: DecisionLogFile, path: Path, groups: Groups
) -> None:
    groups.go.clear()
    asked = [asyncio.create_task(log.record(entry("uid", unique=True))) for _ in range(40)]
    await asyncio.sleep(0.05)
    groups.go.set()
    answers = await asyncio.gather(*asked)

    assert {answer.decision_id for answer in answers} == {answers[0].decision_id}
    assert count(path) == 1


async def test_the_first_answer_stands_after_a_restart(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    first = await log.record(entry("uid", unique=True))
    await log.close()
    log = await DecisionLogFile.open(path)
    again = await log.record(entry("uid", unique=True))
    await log.close()

    assert again == first


async def test_questions_that_are_not_unique_are_recorded_each_time(
    log: DecisionLogFile, path: Path
) -> None:
    await log.record(entry("plan"))
    await log.record(entry("plan"))
    await log.record(entry("plan", unique=True))

    assert count(path) == 3


async def test_a_decision_handed_in_twice_is_recorded_once(
    log: DecisionLogFile, path: Path
) -> None:
    made = entry()
    await log.record(made)

    assert await log.record(made) == made.decision
    assert count(path) == 1


async def test_a_value_that_cannot_be_stored_fails_alone(
    log: DecisionLogFile, path: Path, groups: Groups
) -> None:
    too_large = entry()
    object.__setattr__(too_large.decision, "duration_ms", 2**63)
    groups.go.clear()
    asked = [asyncio.create_task(log.record(one)) for one in (entry(), too_large, entry(), entry())]
    await asyncio.sleep(0.05)
    groups.go.set()
    results = await asyncio.gather(*asked, return_exceptions=True)

    assert [isinstance(result, LogUnavailable) for result in results] == [False, True, False, False]
    assert count(path) == 3
    assert await log.ready()


async def test_too_many_waiting_entries_are_refused_as_busy(
    log: DecisionLogFile, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 3)
    groups.go.clear()
    asked = [asyncio.create_task(log.record(entry()))]
    await asyncio.sleep(0.05)
    asked += [asyncio.create_task(log.record(entry())) for _ in range(3)]
    await asyncio.sleep(0.05)
    with pytest.raises(LogUnavailable, match="3 records waiting") as refused:
        await log.record(entry())
    assert not await log.ready()
    groups.go.set()
    await asyncio.gather(*asked)

    assert refused.value.code == "SYS-BUSY"
    assert await log.ready()


async def test_large_waiting_entries_are_bounded_by_their_bytes(
    log: DecisionLogFile, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING_BYTES", 1)
    groups.go.clear()
    asked = asyncio.create_task(log.record(entry()))
    await asyncio.sleep(0.05)
    with pytest.raises(LogUnavailable, match="waiting"):
        await log.record(entry())
    groups.go.set()
    await asked

    # The writer answers first, and counts what has gone a moment later.
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(LogUnavailable):
                await log.record(entry())
                break
            await asyncio.sleep(0.01)


async def test_a_caller_that_gave_up_does_not_disturb_the_group(
    log: DecisionLogFile, path: Path, groups: Groups
) -> None:
    groups.go.clear()
    gone = asyncio.create_task(log.record(entry()))
    stays = asyncio.create_task(log.record(entry()))
    await asyncio.sleep(0.05)
    gone.cancel()
    groups.go.set()
    await stays

    assert count(path) == 2


async def test_a_slow_disk_does_not_block_the_event_loop(
    log: DecisionLogFile, groups: Groups
) -> None:
    groups.go.clear()
    asked = asyncio.create_task(log.record(entry()))
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(10):
        await asyncio.sleep(0.001)
    waited = loop.time() - started
    assert not asked.done()
    groups.go.set()
    await asked

    assert waited < 5


async def test_close_writes_what_is_waiting(path: Path, groups: Groups) -> None:
    log = await DecisionLogFile.open(path)
    groups.go.clear()
    asked = [asyncio.create_task(log.record(entry())) for _ in range(30)]
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(log.close())
    await asyncio.sleep(0.05)
    groups.go.set()
    await asyncio.gather(closing, *asked)

    assert count(path) == 30


async def test_a_closed_log_refuses(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    await log.close()

    assert not await log.ready()
    with pytest.raises(LogUnavailable, match="is closed"):
        await log.record(entry())


async def test_the_log_ahead_is_carried_into_the_database_from_time_to_time(
    log: DecisionLogFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.log.group.CHECKPOINT_BYTES", 200_000)
    for _ in range(40):
        await asyncio.gather(*(log.record(entry()) for _ in range(8)))

    assert size(path) > 320 * 1024
    assert size(Path(f"{path}-wal")) < 4_000_000
    assert len(DecisionReader(path).find(Filter(), limit=1000).decisions) == 320


async def test_the_files_are_for_their_owner_only(log: DecisionLogFile, path: Path) -> None:
    await log.record(entry())

    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert modes == {
        "decisions.db": "0o600",
        "decisions.db-wal": "0o600",
        "decisions.db-shm": "0o600",
        "decisions.db.lock": "0o600",
        "decisions.db.sock": "0o600",
    }
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
