"""What holds for an evaluator as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from toy_bundle import request, resource, toy

from service.evaluate import evaluator
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.evaluator import Channel, serve

Start = Callable[..., Awaitable[EmbeddedEngine]]

PARENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from toy_bundle import HANG, request, resource, toy
from service.evaluate.embedded import EmbeddedEngine

async def main():
    engine = await EmbeddedEngine.start(toy(HANG), workers=2)
    print(*(evaluator.pid for evaluator in engine._pool.live), flush=True)
    await engine.evaluate(request(resource(odd="yes")), seconds=60)

asyncio.run(main())
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_evaluators_end_with_a_parent_that_is_killed_even_while_they_work() -> None:
    support = Path(__file__).resolve().parents[2] / "support"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(support)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        time.sleep(0.3)
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)

        parent.kill()
        parent.wait()

        until = time.monotonic() + 10
        while any(alive(pid) for pid in pids) and time.monotonic() < until:
            time.sleep(0.01)
        assert not any(alive(pid) for pid in pids)


async def test_an_evaluator_is_small_and_limited(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]]
) -> None:
    engine = await start(toy(), memory_mib=100)

    for pid in evaluators(engine):
        limits = {
            line[:25].strip(): line[26:].split()[0]
            for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
        }
        status = Path(f"/proc/{pid}/status").read_text()
        resident = int(status.partition("VmRSS:")[2].split()[0])
        assert limits["Max address space"] == str(100 * 2**20)
        assert limits["Max core file size"] == "0"
        assert resident < 40 * 1024
        assert os.getsid(pid) == pid


async def test_a_terminal_s_interrupt_does_not_reach_evaluators(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]]
) -> None:
    engine = await start(toy())

    assert all(os.getpgid(pid) != os.getpgid(0) for pid in evaluators(engine))


def served(*messages: str) -> list[bytes]:
    """What an evaluator writes for *messages*, within this process."""
    to_it, from_us = os.pipe()
    channel = Channel(to_it)
    written: list[bytes] = []
    channel.write = written.append  # type: ignore[method-assign]  # nobody reads here
    for message in messages:
        Channel(from_us).write(message.encode())
    os.close(from_us)
    serve(channel, [0])
    os.close(to_it)
    return written


def job(*queries: str) -> str:
    return json.dumps({"modules": dict(toy().modules), "queries": queries})


DENY = "data.policies.rules.toy.size.deny"
DATA = json.dumps(dict(toy().data))
ASKED = request(resource(asked=9)).model_dump_json()


def test_requests_are_answered_in_their_order() -> None:
    found, nothing = served(job(DENY), DATA, ASKED, request().model_dump_json())

    assert json.loads(found[1:])[0]["code"] == "TOY-001"
    assert nothing == b"R[]"


def test_a_failure_is_told_with_the_number_of_the_rule() -> None:
    for failed in served(job(DENY, "data.no.such.rule"), DATA, ASKED, ASKED):
        known = json.loads(failed[1:])
        assert (failed[:1], known["kind"], known["rule"]) == (b"E", "error", 2)


def test_what_is_no_json_is_a_failure_of_the_request() -> None:
    (failed,) = served(job(DENY), DATA, "{")

    assert json.loads(failed[1:])["rule"] == 0


def test_data_that_cannot_be_loaded_ends_the_evaluator() -> None:
    (failed,) = served(job(DENY), "[", ASKED)

    assert json.loads(failed[1:])["kind"] == "error"


def test_a_parent_that_leaves_early_ends_the_evaluator() -> None:
    assert served() == []
    assert served(job(DENY)) == []
    assert served(job(DENY), DATA) == []


def test_a_result_beyond_all_measure_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "_LARGEST_RESULT", 10)

    (failed,) = served(job(DENY), DATA, ASKED)

    assert json.loads(failed[1:])["kind"] == "size"
