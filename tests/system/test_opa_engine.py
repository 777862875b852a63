"""The engine ``opa`` with the real server: the failures have the embedded engine's names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from opa_server import archived, opa, opa_server
from toy_bundle import BAD, GOOD, HANG, toy

from service.bundle.values import Bundle
from service.errors import DeadlineExceeded, EngineUnavailable, EvaluationFailed
from service.evaluate.opa import OpaEngine

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(opa() is None, reason="needs the real OPA (make tools)"),
]

Connect = Callable[[Bundle, str], Awaitable[OpaEngine]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    engines = []

    async def make(bundle: Bundle, url: str) -> OpaEngine:
        engines.append(await OpaEngine.start(bundle, url=url))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.close()


@pytest.mark.parametrize(
    ("odd", "code", "says"),
    [
        ('finding := to_number("70b")', "SYS-EVALUATION", "at `policies/rules/toy/odd/odd.rego:6`"),
        (HANG, "SYS-DEADLINE", "no answer within 0.5 s"),
        ('finding := "<undefined>"', "SYS-UNDEFINED", "<undefined>"),
        ('finding := {"code": "TOY-009"}', "SYS-ENGINE-RESULT", "no code `TOY-009`"),
    ],
)
async def test_a_rule_that_misbehaves_refuses_and_the_next_request_is_served(
    connect: Connect, tmp_path: Path, odd: str, code: str, says: str
) -> None:
    bundle = toy(odd)
    with opa_server(archived(bundle, tmp_path)) as url:
        engine = await connect(bundle, url)
        assert await engine.ready()

        with pytest.raises(EvaluationFailed) as caught:
            await engine.evaluate(BAD, seconds=0.5)

        assert caught.value.code == code
        assert says in caught.value.message
        (found,) = await engine.evaluate(GOOD, seconds=10)
        assert (found.code, found.facts) == ("TOY-001", {"asked": 9})
        assert engine.name.startswith("opa 1.")


async def test_another_bundle_on_the_server_is_refused(connect: Connect, tmp_path: Path) -> None:
    with opa_server(archived(toy(), tmp_path)) as url:
        engine = await connect(toy(limit=4), url)

        assert not await engine.ready()
        with pytest.raises(EvaluationFailed) as caught:
            await engine.evaluate(GOOD, seconds=5)

        assert caught.value.code == "SYS-BUNDLE-REVISION"


async def test_a_server_that_went_away_is_unavailable(connect: Connect, tmp_path: Path) -> None:
    with opa_server(archived(toy(), tmp_path)) as url:
        engine = await connect(toy(), url)
        await engine.evaluate(GOOD, seconds=5)

    with pytest.raises((EngineUnavailable, DeadlineExceeded)):
        await engine.evaluate(GOOD, seconds=5)
    assert not await engine.ready()
