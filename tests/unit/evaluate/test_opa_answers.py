"""What an OPA server may answer that is no findings; the server is a small one of the test's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from toy_bundle import request, resource, toy

from service.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    EvaluationFailed,
    SettingsRefused,
)
from service.evaluate.opa import OpaEngine

BUNDLE = toy()
FINDING = {"code": "TOY-001", "resource": "Deployment toy/a", "facts": {"asked": 9}}
ASKED = request(resource(asked=9))


def served(digest: str = BUNDLE.ref.digest) -> dict[str, Any]:
    return {"result": {"toy.tar.gz": {"manifest": {"metadata": {"digest": digest}}}}}


def answered(result: Any, *, revision: str = "1", name: str = "toy.tar.gz") -> dict[str, Any]:
    bundles = {name: {"revision": revision}}
    return {"result": result, "provenance": {"version": "1.22.2", "bundles": bundles}}


@dataclass
class Peer:
    """A server that answers as it is told, over HTTP/1.1.

    Attributes:
        bundles: Status and body for what is loaded.
        entry: Status and body for the entry rule.
        seen: What it was asked, head and body.
        drops: How many connections it closes without an answer, from now on.
        delay: Seconds before it answers.
    """

    bundles: tuple[int, Any]
    entry: tuple[int, Any]
    seen: list[tuple[str, bytes]] = field(default_factory=list)
    drops: int = 0
    delay: float = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
        body = await reader.readexactly(int(length[0].split(":")[1])) if length else b""
        self.seen.append((head, body))
        if self.drops:
            self.drops -= 1
            return False
        await asyncio.sleep(self.delay)
        status, content = self.bundles if "/system/bundles" in head else self.entry
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw)
        await writer.drain()
        return True


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    known = Peer(bundles=(200, served()), entry=(200, answered([FINDING])))
    server = await asyncio.start_server(known.serve, "127.0.0.1", 0)
    known.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield known
    server.close()


@pytest.fixture
async def engine(peer: Peer) -> AsyncIterator[OpaEngine]:
    engine = await OpaEngine.start(BUNDLE, url=peer.url, token="a token")
    yield engine
    await engine.close()


async def refused(engine: OpaEngine, seconds: float = 5) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        await engine.evaluate(ASKED, seconds=seconds)
    return caught.value


async def test_the_entry_rule_is_asked_strictly_with_the_token(
    engine: OpaEngine, peer: Peer
) -> None:
    (found,) = await engine.evaluate(ASKED, seconds=5)

    head, body = peer.seen[-1]
    assert found.facts == {"asked": 9}
    assert head.startswith(
        "POST /v1/data/portreeve/entry/findings?strict-builtin-errors=true&provenance=true HTTP"
    )
    assert "Authorization: Bearer a token" in head
    assert json.loads(body) == {"input": ASKED.model_dump(mode="json")}
    assert engine.name == "opa 1.22.2"


async def test_the_loaded_bundle_is_looked_up_once(engine: OpaEngine, peer: Peer) -> None:
    for _ in range(3):
        await engine.evaluate(ASKED, seconds=5)

    assert len(peer.seen) == 4


async def test_other_rules_under_the_same_revision_are_refused(
    engine: OpaEngine, peer: Peer
) -> None:
    peer.bundles = (200, served("sha256:other"))

    error = await refused(engine)

    assert error.code == "SYS-BUNDLE-REVISION"
    assert not await engine.ready()


@pytest.mark.parametrize(
    "answer",
    [
        answered([], revision="2"),
        answered([], name="other.tar.gz"),
        {"result": [], "provenance": {"version": "1.22.2"}},
        {"result": []},
    ],
)
async def test_an_answer_by_another_revision_is_refused(
    engine: OpaEngine, peer: Peer, answer: Any
) -> None:
    peer.entry = (200, answer)

    assert (await refused(engine)).code == "SYS-BUNDLE-REVISION"


@pytest.mark.parametrize(
    "answer",
    [
        {key: value for key, value in answered([]).items() if key != "result"},
        answered(None),
        answered({}),
        answered("no set"),
        answered([{**FINDING, "code": "TOY-009"}]),
        answered([{**FINDING, "resource": "Pod toy/other"}]),
        answered([{**FINDING, "facts": {"asked": 1.5}}]),
        b"",
        b"{",
        b"<html>",
    ],
)
async def test_an_answer_without_findings_is_never_an_empty_one(
    engine: OpaEngine, peer: Peer, answer: Any
) -> None:
    peer.entry = (200, answer)

    assert (await refused(engine)).code == "SYS-ENGINE-RESULT"


@pytest.mark.parametrize("text", [b"<undefined>", b"\\u003cundefined\\u003e"])
async def test_the_text_of_an_undefined_value_is_refused(
    engine: OpaEngine, peer: Peer, text: bytes
) -> None:
    raw = json.dumps(answered([FINDING])).encode()
    peer.entry = (200, raw.replace(b'"facts": {', b'"facts": {"a": "' + text + b'", '))

    assert (await refused(engine)).code == "SYS-UNDEFINED"


async def test_a_failed_evaluation_names_the_rule(engine: OpaEngine, peer: Peer) -> None:
    place = {"file": "/policies/rules/toy/size/size.rego", "row": 7, "col": 2}
    peer.entry = (
        500,
        {
            "code": "internal_error",
            "message": "error(s) occurred while evaluating query",
            "errors": [{"code": "eval_type_error", "message": "bad\ntype", "location": place}],
        },
    )

    error = await refused(engine)

    assert error.code == "SYS-EVALUATION"
    assert error.message == ("the rules failed at `/policies/rules/toy/size/size.rego:7`: bad type")
    assert len(peer.seen) == 2


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"errors": 3}', b'{"errors": [null]}'])
async def test_any_other_status_is_refused(engine: OpaEngine, peer: Peer, body: bytes) -> None:
    peer.entry = (500, body)

    assert (await refused(engine)).code == "SYS-EVALUATION"


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_server_that_will_not_answer_now_is_unavailable(
    engine: OpaEngine, peer: Peer, status: int
) -> None:
    peer.entry = (status, {})

    assert isinstance(await refused(engine), EngineUnavailable)


async def test_a_redirect_is_not_followed(engine: OpaEngine, peer: Peer) -> None:
    peer.entry = (307, {})

    assert (await refused(engine)).code == "SYS-EVALUATION"
    assert len(peer.seen) == 2


async def test_a_dropped_connection_is_tried_again(engine: OpaEngine, peer: Peer) -> None:
    peer.drops = 2

    (found,) = await engine.evaluate(ASKED, seconds=5)

    assert found.code == "TOY-001"


async def test_dropped_connections_are_given_up_within_the_deadline(
    engine: OpaEngine, peer: Peer
) -> None:
    peer.drops = 100

    assert isinstance(await refused(engine), EngineUnavailable)
    assert isinstance(await refused(engine, seconds=0.02), DeadlineExceeded)
    peer.drops = 0
    assert await engine.evaluate(ASKED, seconds=5)


async def test_a_slow_server_is_left_at_the_deadline(engine: OpaEngine, peer: Peer) -> None:
    await engine.evaluate(ASKED, seconds=5)
    peer.delay = 20
    began = time.monotonic()

    error = await refused(engine, seconds=0.2)

    assert isinstance(error, DeadlineExceeded)
    assert error.message == "OPA gave no answer within 0.2 s"
    assert time.monotonic() - began < 5
    peer.delay = 0
    assert await engine.evaluate(ASKED, seconds=5)


async def test_a_large_request_reaches_the_server_whole(engine: OpaEngine, peer: Peer) -> None:
    many = [resource(f"Deployment toy/{number}", asked=9) for number in range(1500)]
    peer.entry = (200, answered([]))

    assert await engine.evaluate(request(*many), seconds=10) == ()
    assert len(json.loads(peer.seen[-1][1])["input"]["resources"]) == 1500
    assert len(peer.seen[-1][1]) > 2**20


async def test_nobody_listening_is_unavailable_and_not_ready() -> None:
    engine = await OpaEngine.start(BUNDLE, url="http://127.0.0.1:1")

    assert isinstance(await refused(engine), EngineUnavailable)
    assert not await engine.ready()
    assert engine.name == "opa"
    await engine.close()


async def test_readiness_is_that_of_the_very_bundle(engine: OpaEngine, peer: Peer) -> None:
    assert await engine.ready()
    for body in (b"", {"result": {}}, {"result": {"a": None}}, {"result": 3}, []):
        peer.bundles = (200, body)
        assert not await engine.ready()
    peer.bundles = (404, {})
    assert not await engine.ready()


@pytest.mark.parametrize(
    "url", ["", "opa", "ftp://opa", "http://", "http://a:port", "http://a/v1", "http://u:p@a"]
)
async def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(SettingsRefused):
        await OpaEngine.start(BUNDLE, url=url)


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://opa", "http://opa:80/v1"),
        ("https://opa/", "https://opa:443/v1"),
        ("http://[::1]:8181", "http://[::1]:8181/v1"),
    ],
)
async def test_addresses_are_read_as_urls(url: str, root: str) -> None:
    engine = await OpaEngine.start(BUNDLE, url=url)

    assert engine._client.root_url == root
    await engine.close()
