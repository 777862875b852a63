"""Whatever a rule does to its evaluator: a refusal with its own code, and the next is served."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from toy_bundle import BAD, GOOD, HANG, request, resource, toy

from service.bundle.checks import ENTRY_PATH
from service.bundle.compiling import compile_modules
from service.bundle.linking import linked
from service.bundle.syntax import program
from service.bundle.values import Bundle
from service.errors import DeadlineExceeded, EngineUnavailable, EvaluationFailed
from service.evaluate.embedded import EmbeddedEngine

Start = Callable[..., Awaitable[EmbeddedEngine]]

# regorus formats with Rust's own precision argument, which has a limit.
PANIC = 'text := sprintf("%.99999999999999999999f", [1.5]); finding := {"text": text}'
GROW = """finding := {"texts": [text |
		some i in numbers.range(1, 100000)
		some j in numbers.range(1, 100000)
		text := sprintf("%d-%d", [i, j])
	]}"""


def finding(**fields: str) -> str:
    known = {"code": '"TOY-002"', "resource": "resource.address", "facts": "{}"} | fields
    return "finding := {" + ", ".join(f'"{key}": {value}' for key, value in known.items()) + "}"


async def serves(engine: EmbeddedEngine) -> bool:
    (found,) = await engine.evaluate(GOOD, seconds=10)
    return (found.code, found.facts) == ("TOY-001", {"asked": 9})


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110  # another process is waited for
            await asyncio.sleep(0.01)


async def refused(engine: EmbeddedEngine, seconds: float = 10) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        await engine.evaluate(BAD, seconds=seconds)
    assert await serves(engine)
    return caught.value


async def test_a_rule_that_runs_for_minutes_is_stopped_at_the_deadline(start: Start) -> None:
    engine = await start(toy(HANG))
    began = time.monotonic()

    error = await refused(engine, seconds=0.3)

    assert isinstance(error, DeadlineExceeded)
    assert error.code == "SYS-DEADLINE"
    assert error.message == (
        "the rules gave no answer within 0.3 s; `policies.rules.toy.odd` was running"
    )
    assert time.monotonic() - began < 5


async def test_an_error_names_the_rule_and_its_place(start: Start) -> None:
    error = await refused(await start(toy("finding := 1 / (count(input.resources) - 1)")))

    assert error.code == "SYS-EVALUATION"
    assert error.message.startswith("`policies.rules.toy.odd` failed: divide by zero (")
    assert "policies/rules/toy/odd/odd.rego:6" in error.message


async def test_an_error_of_a_linked_bundle_names_the_place_in_its_source(start: Start) -> None:
    bundle = toy("finding := 1 / (count(input.resources) - 1)")
    sources = {path: text for path, text in bundle.modules.items() if path != ENTRY_PATH}
    one = linked(program(sources, compile_modules(sources, {}, entry=None)).modules)

    error = await refused(await start(replace(bundle, linked=one)))

    assert one is not None
    assert error.message.startswith("`policies.rules.toy.odd` failed: divide by zero (")
    assert "policies/rules/toy/odd/odd.rego:6" in error.message


async def test_a_panic_of_the_engine_is_no_defect_of_the_service(start: Start) -> None:
    error = await refused(await start(toy(PANIC)))

    assert error.code == "SYS-ENGINE-PANIC"
    assert "`policies.rules.toy.odd`" in error.message


async def test_memory_has_a_limit(start: Start) -> None:
    error = await refused(await start(toy(GROW), memory_mib=128))

    assert error.code == "SYS-ENGINE-MEMORY"
    assert "`policies.rules.toy.odd`" in error.message


@pytest.mark.parametrize(
    "odd",
    [
        finding(facts='{"place": "<undefined>"}'),
        finding(facts='{"<undefined>": 1}'),
        finding(resource='"<undefined>"'),
        'finding := "<undefined>"',
    ],
)
async def test_a_text_of_an_undefined_value_anywhere_refuses(start: Start, odd: str) -> None:
    assert (await refused(await start(toy(odd)))).code == "SYS-UNDEFINED"


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (finding(code='"TOY-003"'), "the bundle has no code `TOY-003`"),
        (finding(resource='"Pod toy/b"'), "names a resource that was not asked about"),
        (finding(resource="null"), "names a resource that was not asked about"),
        (finding(facts="3"), "an object at `/0/facts`"),
        (finding(facts='{"a": {"b": 1}}'), "at `/0/facts/a"),
        (finding(facts='{"a": 1.5}'), "at `/0/facts/a"),
        (finding(extra="1"), "not permitted at `/0/extra`"),
        (finding(undetermined='["no pointer"]'), "at `/0/undetermined/0`"),
        ('finding := "text"', "at `/0`"),
    ],
)
async def test_what_is_no_finding_refuses(start: Start, odd: str, why: str) -> None:
    error = await refused(await start(toy(odd)))

    assert error.code == "SYS-ENGINE-RESULT"
    assert why in error.message


async def test_an_entry_without_a_value_refuses(start: Start) -> None:
    entry = (
        "package portreeve.entry\n\nfindings := found if {\n"
        '\tevery resource in input.resources { not resource.labels.odd == "yes" }\n'
        "\tfound := data.policies.rules.toy.size.deny\n}\n"
    )

    error = await refused(await start(toy(entry=entry)))

    assert error.code in {"SYS-UNDEFINED", "SYS-ENGINE-RESULT"}


async def test_a_large_result_is_served(start: Start) -> None:
    facts = '{"n": n}'
    engine = await start(toy(f"some n in numbers.range(1, 20000)\n\t{finding(facts=facts)}"))

    found = await engine.evaluate(BAD, seconds=30)

    assert len(found) == 20000
    assert await serves(engine)


async def test_a_large_request_is_served(start: Start) -> None:
    engine = await start(toy())
    many = [resource(f"Deployment toy/{number}", asked=9) for number in range(3000)]

    found = await engine.evaluate(request(*many), seconds=30)

    assert len(found) == 3000
    assert [item.resource for item in found] == sorted(item.address for item in many)


async def test_an_evaluator_that_is_killed_while_it_works_refuses_its_request(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]]
) -> None:
    engine = await start(toy(HANG), workers=1)
    asked = asyncio.create_task(engine.evaluate(BAD, seconds=20))
    await asyncio.sleep(0.2)

    os.kill(evaluators(engine)[0], signal.SIGKILL)

    with pytest.raises(EvaluationFailed, match=r"toy\.odd` was running") as caught:
        await asked
    assert caught.value.code == "SYS-ENGINE-PANIC"
    assert await serves(engine)


async def test_idle_evaluators_that_are_killed_are_replaced(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]]
) -> None:
    engine = await start(toy())
    before = evaluators(engine)

    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: not evaluators(engine))

    assert not await engine.ready()
    assert await serves(engine)
    assert await engine.ready()
    assert not set(before) & set(evaluators(engine))


async def test_waiting_for_a_free_evaluator_counts_against_the_deadline(start: Start) -> None:
    engine = await start(toy(HANG), workers=1)
    hanging = asyncio.create_task(engine.evaluate(BAD, seconds=1))
    await asyncio.sleep(0.05)

    with pytest.raises(DeadlineExceeded, match=r"no evaluator was free within 0\.2 s"):
        await engine.evaluate(GOOD, seconds=0.2)
    with pytest.raises(DeadlineExceeded):
        await hanging
    assert await serves(engine)


async def test_clients_that_go_away_do_not_shift_the_answers_of_others(start: Start) -> None:
    engine = await start(toy(), workers=1)

    async def ask(number: int) -> None:
        asked = request(resource(f"Deployment toy/{number}", asked=9 + number))
        (found,) = await engine.evaluate(asked, seconds=10)
        assert found.facts == {"asked": 9 + number}

    tasks = [asyncio.create_task(ask(number)) for number in range(60)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    gone = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
    assert gone == [number % 3 == 0 for number in range(60)]
    assert [outcome for outcome, left in zip(outcomes, gone, strict=True) if not left] == [
        None
    ] * 40


async def test_requests_do_not_wait_behind_one_that_hangs(start: Start) -> None:
    engine = await start(toy(HANG), workers=2)
    hanging = asyncio.create_task(engine.evaluate(BAD, seconds=5))
    await asyncio.sleep(0)

    async with asyncio.timeout(4):
        findings = await asyncio.gather(*(engine.evaluate(GOOD, seconds=3) for _ in range(40)))

    assert len(findings) == 40
    with pytest.raises(DeadlineExceeded):
        await hanging


async def test_what_waited_behind_a_killed_request_is_evaluated_afterwards(start: Start) -> None:
    engine = await start(toy(HANG), workers=1)
    hanging = asyncio.create_task(engine.evaluate(BAD, seconds=0.5))
    await asyncio.sleep(0)
    behind = [asyncio.create_task(engine.evaluate(GOOD, seconds=10)) for _ in range(8)]

    with pytest.raises(DeadlineExceeded):
        await hanging

    assert len(await asyncio.gather(*behind)) == 8


async def test_an_overdue_request_that_hangs_later_is_stopped_all_the_same(start: Start) -> None:
    engine = await start(toy(HANG), workers=1)
    first = asyncio.create_task(engine.evaluate(BAD, seconds=0.6))
    second = asyncio.create_task(engine.evaluate(BAD, seconds=0.3))

    for task in (first, second):
        with pytest.raises(DeadlineExceeded):
            await task

    assert await serves(engine)


async def test_a_request_whose_client_left_is_still_stopped_at_its_deadline(start: Start) -> None:
    engine = await start(toy(HANG), workers=1)
    asked = asyncio.create_task(engine.evaluate(BAD, seconds=0.3))
    await asyncio.sleep(0.05)
    asked.cancel()

    assert await serves(engine)


async def test_evaluators_that_cannot_start_are_not_started_in_a_hot_loop(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]]
) -> None:
    engine = await start(toy(), workers=1)
    healthy = engine._load
    engine._load = replace(healthy, memory_mib=1)
    with capture_logs() as events:
        os.kill(evaluators(engine)[0], signal.SIGKILL)
        await asyncio.sleep(1.5)
    failed = [event for event in events if event["event"] == "evaluator_not_started"]

    assert 2 <= len(failed) <= 5
    assert not await engine.ready()
    with pytest.raises(EngineUnavailable, match="no evaluator can be started"):
        await engine.evaluate(GOOD, seconds=5)
    engine._load = healthy
    await until(lambda: bool(evaluators(engine)))
    assert await serves(engine)


async def test_a_bundle_that_does_not_load_does_not_start(start: Start) -> None:
    bundle = toy()
    broken = replace(bundle, modules={**bundle.modules, "policies/x.rego": "package x\n\nno rego"})

    with pytest.raises(EvaluationFailed, match="the request or the bundle failed"):
        await start(broken)


async def test_too_little_memory_for_the_bundle_does_not_start(start: Start) -> None:
    with pytest.raises(EvaluationFailed):
        await start(toy(), memory_mib=24)


async def test_a_closed_engine_refuses_and_leaves_no_process(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]]
) -> None:
    engine = await start(toy(HANG), workers=2)
    pids = evaluators(engine)
    asked = asyncio.create_task(engine.evaluate(BAD, seconds=20))
    await asyncio.sleep(0.05)

    await engine.close()

    with pytest.raises(EngineUnavailable, match="closing"):
        await asked
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.evaluate(GOOD, seconds=1)
    assert not await engine.ready()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def test_an_evaluator_sees_no_environment(
    start: Start, evaluators: Callable[[EmbeddedEngine], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTREEVE_SECRET", "not for rules")

    engine = await start(toy())

    for pid in evaluators(engine):
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""


async def test_rules_of_a_bundle_are_all_asked(start: Start) -> None:
    bundle: Bundle = toy(finding(facts='{"seen": true}'))
    engine = await start(bundle)

    found = await engine.evaluate(request(resource(asked=9, odd="yes")), seconds=10)

    assert [item.code for item in found] == ["TOY-001", "TOY-002"]
