"""Several logs on one file: one writes, the others hand over, and any can take its place."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from records import entry, rejected

from service.errors import LogUnavailable
from service.log import handover, receiver
from service.log import sqlite as log_module
from service.log.lock import WriterLock
from service.log.query import DecisionReader, Filter
from service.log.sqlite import DecisionLogFile
from service.model.decision import Decision


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.3)


def found(path: Path) -> list[str]:
    page = DecisionReader(path).find(Filter(), limit=1000)
    return [decision.decision_id for decision in page.decisions]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The lock, as a process has it that takes no records."""
    lock = WriterLock.take(path)
    assert lock is not None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def peer(path: Path, answer: bytes) -> Iterator[None]:
    """Whoever writes the log, but answers the first record with *answer*."""
    listener = handover.listen(path)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(2**20)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with held(path):
            yield
    finally:
        thread.join()
        listener.close()


async def test_only_one_writes_and_both_record(path: Path) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    made = [await first.record(entry()), await second.record(entry())]
    made.append(await second.record(rejected()))
    assert (first.writes, second.writes) == (True, False)
    assert await second.ready()
    await second.close()
    await first.close()

    assert found(path) == [decision.decision_id for decision in reversed(made)]


async def test_what_is_handed_over_is_stored_as_it_was(path: Path) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    made = entry("ключ \u2028 \x00 \U0001f600", unique=True)
    assert await second.record(made) == made.decision
    stored = DecisionReader(path).get(made.decision.decision_id)
    await second.close()
    await first.close()

    assert stored is not None
    assert (stored.decision, stored.request, stored.context, stored.resolved_digest) == (
        made.decision,
        made.request,
        made.context,
        made.resolved_digest,
    )


async def test_a_question_is_recorded_once_whoever_asks(path: Path) -> None:
    logs = [await DecisionLogFile.open(path) for _ in range(3)]
    asked = (log.record(entry("uid", unique=True)) for log in logs * 20)
    answers = await asyncio.gather(*asked)
    for log in logs:
        await log.close()

    assert {answer.decision_id for answer in answers} == set(found(path))
    assert len(found(path)) == 1


async def test_records_of_many_callers_are_handed_over_at_once(path: Path) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    made = await asyncio.gather(*(second.record(entry()) for _ in range(200)))
    await second.close()
    await first.close()

    assert set(found(path)) == {decision.decision_id for decision in made}


async def test_the_next_record_takes_over_when_the_writer_ends(path: Path) -> None:
    first, second, third = (
        await DecisionLogFile.open(path),
        await DecisionLogFile.open(path),
        await DecisionLogFile.open(path),
    )
    await second.record(entry())
    await first.close()
    await asyncio.gather(*(log.record(entry()) for log in (second, third) * 10))
    assert second.writes != third.writes
    await second.close()
    await third.record(entry())
    assert third.writes
    await third.close()

    assert len(found(path)) == 22


async def test_nothing_acknowledged_is_lost_while_writers_come_and_go(path: Path) -> None:
    acknowledged: list[Decision] = []

    async def visitor() -> None:
        for _ in range(4):
            log = await DecisionLogFile.open(path)
            acknowledged.extend([await log.record(entry()) for _ in range(3)])
            await log.close()

    await asyncio.gather(*(visitor() for _ in range(5)))

    assert sorted(found(path)) == sorted(decision.decision_id for decision in acknowledged)


async def test_a_record_whose_answer_was_lost_is_not_made_twice(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    answer = receiver.Receiver._answer
    lost = iter([True])

    def cut_off(server: receiver.Receiver, asked: bytes) -> bytes:
        told = answer(server, asked)
        if next(lost, False):
            raise ConnectionResetError
        return told

    monkeypatch.setattr(receiver.Receiver, "_answer", cut_off)
    made = entry()
    assert await second.record(made) == made.decision
    await second.close()
    await first.close()

    assert found(path) == [made.decision.decision_id]


async def test_a_refusal_of_the_writer_reaches_whoever_handed_over(path: Path) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    path.unlink()
    with pytest.raises(LogUnavailable, match="was deleted") as refused:
        await second.record(entry())
    assert refused.value.hint
    assert not await second.ready()
    await second.close()
    await first.close()


@pytest.mark.parametrize("name", ["decisions.db", "f" * 150 + ".db"])
async def test_a_path_too_long_for_a_socket_is_served_all_the_same(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / ("d" * 100) / name
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    await second.record(entry())
    assert first.writes
    await second.close()
    await first.close()

    assert len(found(path)) == 1
    assert not list(path.parent.glob("*.sock"))


async def test_a_socket_left_by_a_killed_process_is_replaced(path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(f"{path}.sock")
    stale.close()
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    await second.record(entry())
    await second.close()
    await first.close()

    assert not Path(f"{path}.sock").exists()


@pytest.mark.usefixtures("impatient")
async def test_a_file_in_the_way_of_the_socket_is_left_alone_and_costs_only_the_handover(
    path: Path,
) -> None:
    Path(f"{path}.sock").write_text("mine")
    first = await DecisionLogFile.open(path)
    await first.record(entry())
    with pytest.raises(LogUnavailable, match=rf"held by process {os.getpid()}"):
        await DecisionLogFile.open(path)
    await first.close()

    assert Path(f"{path}.sock").read_text() == "mine"


@pytest.mark.usefixtures("impatient")
async def test_a_holder_that_takes_no_records_is_named_after_a_while(path: Path) -> None:
    with held(path), pytest.raises(LogUnavailable, match=f"process {os.getpid()}") as refused:
        await DecisionLogFile.open(path)

    assert "End that process" in refused.value.hint


@pytest.mark.usefixtures("impatient")
async def test_a_holder_that_hangs_is_not_waited_for_for_ever(path: Path) -> None:
    listener = handover.listen(path)
    with held(path), pytest.raises(LogUnavailable, match="took no record"):
        await DecisionLogFile.open(path)
    listener.close()


@pytest.mark.parametrize(
    "answer", [b"\x00\x00\x00\x02no", b'\x00\x00\x00\x0b{"other":1}', b"\x00\x00\x00\x02[]"]
)
async def test_an_answer_that_is_none_of_ours_is_refused(path: Path, answer: bytes) -> None:
    with peer(path, answer), pytest.raises(LogUnavailable, match="no usable answer"):
        await DecisionLogFile.open(path)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00"])
async def test_an_answer_that_is_no_frame_is_not_believed(path: Path, answer: bytes) -> None:
    with peer(path, answer), pytest.raises(LogUnavailable, match="took no record"):
        await DecisionLogFile.open(path)


@pytest.mark.parametrize(
    "asked",
    [b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02no", b"\x00", b""],
)
async def test_whatever_a_stranger_sends_the_writer_goes_on(path: Path, asked: bytes) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)

    def disturb() -> None:
        with socket.socket(socket.AF_UNIX) as stranger, handover.address(path) as name:
            stranger.connect(name)
            stranger.sendall(asked)
            stranger.shutdown(socket.SHUT_WR)
            stranger.settimeout(5)
            with suppress(ConnectionResetError):
                stranger.recv(1000)

    await asyncio.to_thread(disturb)
    await second.record(entry())
    await second.close()
    await first.close()


async def test_a_record_of_another_release_is_answered_in_words(path: Path) -> None:
    log = await DecisionLogFile.open(path)
    body = b'{"decision":null,"invented":1}'

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as other, handover.address(path) as name:
            other.connect(name)
            other.sendall(len(body).to_bytes(4, "big") + body)
            return other.recv(1000)

    told = await asyncio.to_thread(ask)
    await log.close()

    assert b"does not understand a record" in told


async def test_more_connections_than_are_served_wait_for_their_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MOST_CONNECTIONS", 1)
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    third = asyncio.create_task(DecisionLogFile.open(path))
    await asyncio.sleep(0.1)
    await second.close()
    opened = await third
    await opened.record(entry())
    await opened.close()
    await first.close()

    assert len(found(path)) == 1


async def test_a_record_too_large_to_hand_over_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await DecisionLogFile.open(path), await DecisionLogFile.open(path)
    monkeypatch.setattr(handover, "LARGEST_FRAME", 100)
    with pytest.raises(LogUnavailable, match="too large to hand over"):
        await second.record(entry())
    await second.close()
    await first.close()


async def test_logs_below_different_names_of_one_folder_are_one(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    first, second = (
        await DecisionLogFile.open(path),
        await DecisionLogFile.open(tmp_path / "link" / path.name),
    )
    assert (first.writes, second.writes) == (True, False)
    await second.close()
    await first.close()


def test_a_deleted_lock_file_is_not_mistaken_for_the_lock(path: Path) -> None:
    first = WriterLock.take(path)
    assert first is not None
    assert WriterLock.take(path) is None
    first.release()
    first.release()
    second = WriterLock.take(path)
    assert second is not None
    second.release()


def test_a_forked_child_does_not_keep_the_lock(path: Path) -> None:
    first = WriterLock.take(path)
    assert first is not None
    begun, begin = os.pipe()
    ended, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.write(begin, b"x")
        os.read(ended, 1)
        os._exit(0)
    os.read(begun, 1)
    first.release()
    second = WriterLock.take(path)
    for handle in (begun, begin, ended, end):
        os.close(handle)
    os.waitpid(child, 0)

    assert second is not None
    second.release()
