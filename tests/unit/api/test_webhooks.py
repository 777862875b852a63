"""The webhooks as the API server calls them, with an engine and a log that do what a test says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import replace
from typing import Any, cast

import pytest
from payloads import deployment, review
from views import MemoryView

from adapters.kubernetes.view import UNWATCHED, ClusterView
from service.api.auth import Caller, CallerRole, Gate
from service.api.front import Front
from service.api.service import Limits, Service
from service.app import create_app
from service.break_glass import BreakGlassDesk
from service.bundle.load import load
from service.bundle.parameters.mutation import MutationParameters
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.log.entry import Entry
from service.log.query import DecisionReader
from service.model.decision import Decision
from service.model.finding import Finding
from service.model.request import Request
from service.pipeline import Pipeline

VALIDATE, MUTATE = "/v1/kubernetes/validate", "/v1/kubernetes/mutate"
TOKEN = "token-of-the-cluster"


class Engine:
    """Finds nothing, after *seconds*."""

    name = "double"

    def __init__(self, seconds: float = 0) -> None:
        self._seconds = seconds
        self.asked = 0

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        del request, seconds, document
        self.asked += 1
        await asyncio.sleep(self._seconds)
        return ()

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


class Log:
    """Keeps decisions in memory, after *seconds*."""

    def __init__(self, seconds: float = 0) -> None:
        self._seconds = seconds
        self.kept: list[Decision] = []
        self.contexts: list[dict[str, Any]] = []

    async def record(self, entry: Entry) -> Decision:
        await asyncio.sleep(self._seconds)
        self.kept.append(entry.decision)
        self.contexts.append(json.loads(entry.context) if entry.context else {})
        return entry.decision

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def example() -> Bundle:
    return load(shipped("example"))


class Server:
    """The service behind its front, without a socket."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        engine: Engine | None = None,
        log: Log | None = None,
        gate: Gate | None = None,
        view: ClusterView = UNWATCHED,
    ) -> None:
        self.engine, self.log = engine or Engine(), log or Log()
        pipeline = Pipeline(bundle, self.engine, self.log)
        limits = Limits(2**20, 2**20, deadline_seconds=10, margin_seconds=0.5)
        reader = cast(DecisionReader, None)  # no test here asks the log
        desk = BreakGlassDesk(bundle, self.log, reader)
        service = Service(pipeline, gate or Gate(), reader, desk, limits, "prod-eu", view)
        self._front = Front(create_app(service))

    async def post(
        self, path: str, body: Any, *, token: str = "", query: str = ""
    ) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._front(scope, receive, send)
        whole = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(whole or b"{}")


def mutating(bundle: Bundle, *, enabled: bool = True) -> Bundle:
    """*bundle* with an organisation that adds costs and regions, or nothing."""
    wanted = MutationParameters(enabled=enabled, region_affinity=("personal",))
    return replace(bundle, org=bundle.org.model_copy(update={"mutation": wanted}))


def pictures() -> dict[str, Any]:
    document = deployment(gpus=2)
    document["metadata"]["namespace"] = "vision-cameras"
    return document


def bound_gate() -> Gate:
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    roles = (CallerRole.ENFORCER,)
    return Gate([Caller(name="c", token_sha256=hashed, roles=roles, clusters=("prod-eu",))])


async def test_without_the_organisations_wish_nothing_is_added(example: Bundle) -> None:
    server = Server(mutating(example, enabled=False))

    status, answer = await server.post(f"{MUTATE}/prod-eu", review(pictures(), uid="u"))

    assert status == 200
    assert answer["response"] == {"uid": "u", "allowed": True}


async def test_an_object_gets_its_patch_and_no_record(example: Bundle) -> None:
    server = Server(mutating(example))

    status, answer = await server.post(f"{MUTATE}/prod-eu", review(pictures()))

    assert status == 200
    operations = json.loads(base64.b64decode(answer["response"]["patch"]))
    assert [item["path"] for item in operations] == [
        "/metadata/annotations",
        "/spec/template/spec/affinity",
    ]
    assert answer["response"]["auditAnnotations"] == {"added": "annotations,region-affinity"}
    assert (server.engine.asked, server.log.kept) == (0, [])


async def test_a_kind_that_takes_nothing_gets_no_patch(example: Bundle) -> None:
    document = {**pictures(), "apiVersion": "v1", "kind": "ConfigMap"}

    _, answer = await Server(mutating(example)).post(MUTATE, review(document, uid="u"))

    assert answer["response"] == {"uid": "u", "allowed": True}


async def test_an_object_that_cannot_be_read_is_left_to_the_validating_webhook(
    example: Bundle,
) -> None:
    document = pictures()
    document["spec"]["template"]["spec"]["containers"] = "all"
    server = Server(mutating(example))

    status, answer = await server.post(MUTATE, review(document))

    assert (status, answer["response"]["allowed"]) == (200, True)
    (warning,) = answer["response"]["warnings"]
    assert warning.startswith("portreeve added nothing: SYS-INPUT-PAYLOAD: `containers`")
    assert server.log.kept == []
    _, validated = await server.post(VALIDATE, review(document))
    assert validated["response"]["status"]["code"] == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"request": {}}'])
async def test_a_body_without_a_uid_gets_problem_details(example: Bundle, body: bytes) -> None:
    status, answer = await Server(mutating(example)).post(MUTATE, body)

    assert status == 400
    assert answer["code"].startswith("SYS-INPUT")


async def test_a_defect_of_ours_adds_nothing(
    example: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Pipeline, "resolve", fail)

    status, answer = await Server(mutating(example)).post(MUTATE, review(pictures()))

    assert (status, answer["response"]["allowed"]) == (200, True)
    assert "SYS-EVALUATION" in answer["response"]["warnings"][0]


@pytest.mark.parametrize("path", [MUTATE, VALIDATE])
async def test_a_body_that_is_too_large_gets_problem_details(example: Bundle, path: str) -> None:
    status, answer = await Server(mutating(example)).post(path, b" " * (2**20 + 1))

    assert (status, answer["code"]) == (413, "SYS-INPUT-TOO-LARGE")


async def test_a_defect_of_ours_decides_nothing(
    example: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Pipeline, "decide", fail)

    status, answer = await Server(example).post(VALIDATE, review(pictures()))

    assert (status, answer["code"]) == (500, "SYS-ERROR")


async def test_a_caller_adds_to_its_own_cluster_only(example: Bundle) -> None:
    server = Server(mutating(example), gate=bound_gate())

    _, own = await server.post(MUTATE, review(pictures()), token=TOKEN)
    _, other = await server.post(f"{MUTATE}/dev", review(pictures()), token=TOKEN)
    status, nobody = await server.post(MUTATE, review(pictures()))

    assert "patch" in own["response"]
    assert "patch" not in other["response"]
    assert "SYS-AUTH" in other["response"]["warnings"][0]
    assert (status, nobody["code"]) == (401, "SYS-AUTH-MISSING")


@pytest.mark.parametrize("path", [f"{MUTATE}/a/b", f"{MUTATE}/", f"{MUTATE}d"])
async def test_what_names_no_webhook_is_not_found(example: Bundle, path: str) -> None:
    status, _ = await Server(example).post(path, review(pictures()))

    assert status in {307, 404}


async def test_an_engine_that_keeps_no_deadline_is_not_waited_for(example: Bundle) -> None:
    server = Server(example, engine=Engine(60))
    started = time.perf_counter()

    _, answer = await server.post(VALIDATE, review(pictures()), query="timeout=1s")

    assert time.perf_counter() - started < 0.9
    assert answer["response"]["status"]["code"] == 503
    assert "SYS-DEADLINE" in answer["response"]["status"]["message"]
    assert [decision.outcome.value for decision in server.log.kept] == ["deny"]


async def test_a_log_that_hangs_is_not_waited_for(example: Bundle) -> None:
    started = time.perf_counter()

    _, answer = await Server(example, log=Log(60)).post(
        VALIDATE, review(pictures()), query="timeout=1s"
    )
    broken = review(pictures())
    broken["request"]["object"] = 7
    _, rejected = await Server(example, log=Log(60)).post(VALIDATE, broken, query="timeout=1s")

    assert time.perf_counter() - started < 2
    for refused in (answer["response"], rejected["response"]):
        assert refused["status"]["code"] == 503
        assert "SYS-LOG-TIMEOUT" in refused["status"]["message"]
        assert "send the request again" in refused["status"]["message"]


async def test_a_timeout_that_cannot_be_read_is_an_unusable_request(example: Bundle) -> None:
    server = Server(example)

    _, answer = await server.post(VALIDATE, review(pictures()), query="timeout=soon")

    assert answer["response"]["status"]["code"] == 422
    assert [decision.kind for decision in server.log.kept] == ["rejected"]


async def test_a_mutation_waits_for_neither_engine_nor_log(example: Bundle) -> None:
    server = Server(mutating(example), engine=Engine(60), log=Log(60))
    started = time.perf_counter()

    await server.post(MUTATE, review(pictures()))

    assert time.perf_counter() - started < 1


def in_cluster(**labels: str) -> MemoryView:
    """A cluster that has the namespace of ``pictures`` with *labels*."""
    metadata = {"name": "vision-cameras", "labels": labels}
    return MemoryView({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


async def test_what_a_watched_cluster_holds_is_recorded_with_the_decision(example: Bundle) -> None:
    server = Server(example, view=in_cluster(**{"portreeve.dev/owner": "jo"}))
    body = json.dumps(review(pictures())).encode()

    await server.post(f"{VALIDATE}/prod-eu", body)

    (decision,), (context,) = server.log.kept, server.log.contexts
    assert context["cluster"]["namespace"]["declared"] == {"owner": "jo"}
    assert context["cluster"]["as_of"] == "2026-11-02T08:59:57.500Z"
    assert context["cluster"]["age_seconds"] > 0
    assert decision.payload_digest == f"sha256:{hashlib.sha256(body).hexdigest()}"


async def test_another_cluster_is_not_the_watched_one(example: Bundle) -> None:
    view = in_cluster()
    server = Server(example, view=view)

    await server.post(f"{VALIDATE}/prod-us", review(pictures()))
    await Server(example).post(f"{VALIDATE}/prod-eu", review(pictures()))

    assert "cluster" not in server.log.contexts[0]
    assert server.log.kept[0].payload_digest is None
    assert view.asked == 0


async def test_a_view_that_is_not_ready_yet_says_nothing(example: Bundle) -> None:
    server = Server(example, view=MemoryView(as_of=None))

    await server.post(f"{VALIDATE}/prod-eu", review(pictures()))

    assert "cluster" not in server.log.contexts[0]
    assert server.log.kept[0].payload_digest is not None


async def test_what_is_added_knows_the_namespace(example: Bundle) -> None:
    view = in_cluster(**{"portreeve.dev/data-class": "personal"})
    server = Server(mutating(example), view=view)

    await server.post(f"{MUTATE}/prod-eu", review(pictures()))

    assert view.asked > 0
