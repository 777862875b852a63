"""What one evaluator was sent: nothing of it is lost, and no answer goes to another."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluate.line import DEPTH, LARGEST_BYTES, SLOW_SECONDS, Job, Line


def _job(loop: asyncio.AbstractEventLoop, size: int = 10) -> Job:
    return Job(b"x" * size, 1.0, loop.create_future())


@given(st.lists(st.sampled_from(["add", "take", "withdraw", "clear"]), max_size=40))
def test_every_job_is_answered_or_handed_back_exactly_once(steps: list[str]) -> None:
    loop = asyncio.new_event_loop()
    line, added, done = Line(), [], []
    expected: list[tuple[int, Job | None]] = []
    for step in steps:
        if step == "add":
            job = _job(loop)
            added.append(job)
            expected.append((line.add(job, 0.0), job))
        elif step == "take" and expected:
            number, job = expected.pop(0)
            assert line.take(number, 0.0) is job
            done += [job] if job is not None else []
        elif step == "withdraw" and expected:
            done += line.withdraw()
            expected = [expected[0], *((number, None) for number, _ in expected[1:])]
        elif step == "clear":
            done += line.clear()
            expected = []
    done += line.clear()
    loop.close()

    assert sorted(map(id, done)) == sorted(map(id, added))


def test_an_answer_under_another_number_is_not_taken() -> None:
    loop = asyncio.new_event_loop()
    line = Line()
    number = line.add(_job(loop), 0.0)

    with pytest.raises(LookupError):
        line.take(number + 1, 0.0)
    with pytest.raises(LookupError):
        Line().take(0, 0.0)
    loop.close()


def test_room_is_behind_few_small_and_quick_requests_only() -> None:
    loop = asyncio.new_event_loop()
    small, large = _job(loop), _job(loop, LARGEST_BYTES + 1)
    line = Line()

    assert line.has_room(large, 0.0)
    line.add(small, 0.0)
    assert line.has_room(small, 0.0)
    assert not line.has_room(large, 0.0)
    assert not line.has_room(small, SLOW_SECONDS)
    for _ in range(DEPTH - 1):
        line.add(small, 0.0)
    assert not line.has_room(small, 0.0)
    loop.close()
