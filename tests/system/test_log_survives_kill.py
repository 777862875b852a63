"""What was acknowledged is in the log, whenever and however its writer was killed."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from recorder import Recorder, check, check_events

from service.log.query import DecisionReader, Filter

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

ROUNDS = 20


@pytest.mark.parametrize("place", ["here", "apart"])
def test_every_acknowledged_record_is_there_after_kill_9(tmp_path: Path, place: str) -> None:
    path = tmp_path / "decisions.db"
    chance = random.Random(20260504)
    acknowledged: set[str] = set()
    events: set[str] = set()
    for _ in range(ROUNDS // 2):
        recorder = Recorder(path, place=place)
        recorder.wait_for(1)
        time.sleep(chance.uniform(0, 0.4))
        acknowledged.update(recorder.kill())

        missing = acknowledged - check(path)
        assert missing == set()
        events.update(recorder.events)
        assert events - check_events(path) == set()

    assert len(acknowledged) > 5 * ROUNDS
    reader = DecisionReader(path)
    assert len(reader.find(Filter(), limit=1000).decisions) >= min(1000, len(acknowledged))


def test_a_killed_writer_of_a_service_that_lives_on_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "decisions.db"
    chance = random.Random(20260505)
    recorder = Recorder(path, place="apart")
    for _ in range(ROUNDS // 2):
        recorder.wait_for(len(recorder.acknowledged) + 1)
        time.sleep(chance.uniform(0, 0.2))
        recorder.kill_writer()
    recorder.wait_for(len(recorder.acknowledged) + 1)
    acknowledged = recorder.kill()

    # A process that is killed while it starts is an answer too, and an honest one.
    assert all("could not be started" in refusal for refusal in recorder.refused)
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) - check(path) == set()


def test_another_process_takes_over_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "decisions.db"
    acknowledged: set[str] = set()
    events: set[str] = set()
    running = [Recorder(path)]
    running[0].wait_for(10)
    for _ in range(4):
        running.append(Recorder(path))
        running[-1].wait_for(10)
        writer = running.pop(0)
        acknowledged.update(writer.kill())
        events.update(writer.events)
        running[0].wait_for(len(running[0].acknowledged) + 10)
    acknowledged.update(running[0].kill())
    events.update(running[0].events)

    assert running[0].refused == []
    assert len(events) > 40
    assert events - check_events(path) == set()
    assert acknowledged - check(path) == set()


def test_processes_that_record_at_once_lose_and_repeat_nothing(tmp_path: Path) -> None:
    path = tmp_path / "decisions.db"
    running = [Recorder(path, callers=4) for _ in range(3)]
    for recorder in running:
        recorder.wait_for(100)
    acknowledged = [recorder.kill() for recorder in running[::-1]]

    assert [recorder.refused for recorder in running] == [[], [], []]
    everything = [decision_id for one in acknowledged for decision_id in one]
    assert len(set(everything)) == len(everything)
    assert set(everything) - check(path) == set()
