"""What another object's admission covers is recorded, and not evaluated again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from payloads import deployment, review
from views import MemoryView

from adapters.kubernetes.answer import answer
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.view import UNWATCHED, ClusterView
from service.api.covering import covered
from service.bundle.load import load
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.errors import LogUnavailable
from service.log.entry import Entry
from service.model.decision import Cause, Decision, Outcome
from service.model.finding import Finding
from service.model.request import Request
from service.pipeline import Pipeline
from service.report.decisions import as_lines

_ACCOUNT = "system:serviceaccount:kube-system:deployment-controller"


class _Engine:
    name = "double"

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        del request, seconds, document
        raise AssertionError("it was evaluated")

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


class _Log:
    """Keeps entries, fails, or takes for ever."""

    def __init__(self, error: Exception | None = None, *, hangs: bool = False) -> None:
        self.entries: list[Entry] = []
        self._error, self._hangs = error, hangs

    async def record(self, entry: Entry) -> Decision:
        if self._error is not None:
            raise self._error
        if self._hangs:
            await asyncio.sleep(60)
        self.entries.append(entry)
        return entry.decision

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(shipped("example"))


def _owner(gpus: int = 16) -> dict[str, Any]:
    document = deployment(gpus=gpus)
    document["metadata"]["uid"] = "uid-of-the-deployment"
    return document


def _child(owner: dict[str, Any], gpus: int = 16) -> dict[str, Any]:
    """A ReplicaSet of *owner*, in a review by the controller."""
    document = deployment(gpus=gpus)
    document["kind"] = "ReplicaSet"
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    document["metadata"] |= {"name": "llama-70b-1", "ownerReferences": [reference]}
    asked = review(document)
    asked["request"]["userInfo"] = {"username": _ACCOUNT}
    return asked


async def _request(
    asked: dict[str, Any], view: ClusterView, *, seconds: float = 5, account: str = _ACCOUNT
) -> Request:
    request = normalise_review(asked, cluster="prod-eu", caller="c", view=view)
    until = asyncio.get_running_loop().time() + seconds
    return await covered(request, asked, view, frozenset({account}), until=until)


async def test_it_is_allowed_and_recorded_as_covered(bundle: Bundle) -> None:
    owner, log = _owner(), _Log()
    request = await _request(_child(owner), MemoryView(owner))

    decision = await Pipeline(bundle, _Engine(), log).decide(request, seconds=5)

    (resource,) = decision.resources
    assert (decision.outcome, decision.cause) == (Outcome.ALLOW, Cause.NONE)
    assert resource.covered_by is not None
    assert resource.covered_by.name == "language-serving/llama-70b"
    assert resource.subject == "prod-eu/language-serving/Deployment/llama-70b"
    assert resource.address == "ReplicaSet language-serving/llama-70b-1"
    assert resource.team == "language"
    assert log.entries[0].decision == decision
    assert b'"covered_by"' in log.entries[0].request
    told = answer("u", decision)["response"]["auditAnnotations"]
    assert told["covered-by"] == "Deployment language-serving/llama-70b"
    assert "covered by Deployment language-serving/llama-70b" in as_lines(decision)


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_log_that_fails_does_not_stop_it(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capfd: Any, *, hangs: bool
) -> None:
    monkeypatch.setattr("service.pipeline._COVERED_SECONDS", 0.1)
    owner = _owner()
    log = _Log(hangs=True) if hangs else _Log(LogUnavailable("the disk is full"))
    request = await _request(_child(owner), MemoryView(owner))

    decision = await Pipeline(bundle, _Engine(), log).decide(request, seconds=5)

    response = answer("u", decision)["response"]
    assert response["allowed"]
    assert "admitted unrecorded, because it is covered" in response["warnings"][0]
    told = capfd.readouterr()
    assert "covered_unrecorded" in told.out + told.err
    assert decision.decision_id in told.out + told.err


async def test_a_request_that_the_resolver_fails_on_is_recorded_as_it_came(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, log = _owner(), _Log()
    request = await _request(_child(owner), MemoryView(owner))
    pipeline = Pipeline(bundle, _Engine(), log)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline._resolver, "resolve", fail)

    assert (await pipeline.decide(request, seconds=5)).outcome is Outcome.ALLOW
    assert log.entries[0].resolved_digest == ""


async def test_an_owner_that_is_seen_a_moment_later_covers() -> None:
    owner, view = _owner(), MemoryView()
    asyncio.get_running_loop().call_later(0.1, view.put, owner)

    request = await _request(_child(owner), view)

    assert request.resources[0].covered_by is not None


async def test_one_that_never_comes_does_not() -> None:
    request = await _request(_child(_owner()), MemoryView(), seconds=0.1)

    assert request.resources[0].covered_by is None


@pytest.mark.parametrize(
    ("view", "account"),
    [(UNWATCHED, _ACCOUNT), (MemoryView(_owner()), "system:serviceaccount:other:controller")],
)
async def test_without_a_view_or_a_controller_nothing_changes(
    view: ClusterView, account: str
) -> None:
    asked = _child(_owner())

    request = await _request(asked, view, account=account)

    assert request == normalise_review(asked, cluster="prod-eu", caller="c", view=view)


async def test_a_controller_that_changes_nothing_is_covered_by_the_object_itself() -> None:
    owner = _owner()
    asked = review(owner, operation="UPDATE")
    asked["request"] |= {"oldObject": owner, "userInfo": {"username": _ACCOUNT}}

    request = await _request(asked, UNWATCHED)

    covering = request.resources[0].covered_by
    assert covering is not None
    assert covering.uid == "uid-of-the-deployment"
