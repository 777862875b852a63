"""The path of a request, with an engine and a log that do what a test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.bundle.load import load
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    LogUnavailable,
    RequestRefused,
)
from service.log.entry import Entry
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.decision import Cause, Decision, Outcome
from service.model.finding import Finding
from service.model.request import Request
from service.model.resource import Accelerator, Resource, ResourceState
from service.pipeline import Pipeline, Rejected

_NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


class _Engine:
    """Answers each evaluation with what *reports* makes of the request."""

    name = "double"

    def __init__(self, reports: Callable[[Request], tuple[Finding, ...]]) -> None:
        self._reports = reports
        self.asked: list[Request] = []

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        assert seconds > 0
        assert document in {b"", request.model_dump_json().encode()}
        self.asked.append(request)
        return self._reports(request)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


class _Log:
    """Keeps entries in memory, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.entries: list[Entry] = []
        self._error = error

    async def record(self, entry: Entry) -> Decision:
        if self._error is not None:
            raise self._error
        self.entries.append(entry)
        return entry.decision

    async def ready(self) -> bool:
        return self._error is None

    async def close(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(shipped("example"))


def _resource(count: int, *, change: str = "create", before: int | None = None) -> Resource:
    taken = Accelerator(resource="nvidia.com/gpu", model="NVIDIA-L4", per_worker=count)
    resource = Resource(
        address="Deployment language-serving/x",
        subject="prod-eu/language-serving/Deployment/x",
        kind="Deployment",
        role="workload",
        change=change,
        accelerators=(taken.model_copy(update={"total": {"min": count, "max": count}}),),
    )
    resource = Resource.model_validate(resource.model_dump(warnings=False))
    if before is None:
        return resource
    state = _resource(before)
    names = set(Resource.model_fields) - set(ResourceState.model_fields)
    former = state.model_dump(exclude=names)
    return Resource.model_validate({**resource.model_dump(), "before": former})


def _request(*resources: Resource) -> Request:
    return Request(
        key="uid-1",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding=Binding.BINDING,
        scope=Scope(cluster="prod-eu", namespace="language-serving"),
        resources=resources,
    )


def _finds(code: str) -> Callable[[Request], tuple[Finding, ...]]:
    def report(request: Request) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                code=code,
                resource=item.address,
                facts={"asked": item.accelerators[0].total.max, "team": "t", "limit": 1},
            )
            for item in request.resources
            if item.accelerators
        )

    return report


def _fails(error: Exception) -> Callable[[Request], tuple[Finding, ...]]:
    def report(_: Request) -> tuple[Finding, ...]:
        raise error

    return report


def _pipeline(
    bundle: Bundle, reports: Callable[[Request], tuple[Finding, ...]], log: _Log
) -> Pipeline:
    return Pipeline(bundle, _Engine(reports), log, clock=lambda: _NOW)


async def test_a_request_without_findings_is_allowed_and_recorded(bundle: Bundle) -> None:
    log = _Log()

    decision = await _pipeline(bundle, lambda _: (), log).decide(_request(_resource(1)), seconds=5)

    assert (decision.outcome, decision.cause) == (Outcome.ALLOW, Cause.NONE)
    assert decision.time == "2026-11-01T12:00:00.000Z"
    assert [entry.decision for entry in log.entries] == [decision]
    assert log.entries[0].unique
    assert b'"now":"2026-11-01' in log.entries[0].context
    assert b"2026-11-01" not in log.entries[0].request


async def test_a_finding_refuses_under_a_bundle_that_enforces(bundle: Bundle) -> None:
    decision = await _pipeline(bundle, _finds("GPU-001"), _Log()).decide(
        _request(_resource(1)), seconds=5
    )

    assert (decision.outcome, decision.cause) == (Outcome.DENY, Cause.POLICY)
    assert [finding.code for finding in decision.findings] == ["GPU-001"]


async def test_what_was_already_so_before_the_change_only_warns(bundle: Bundle) -> None:
    decision = await _pipeline(bundle, _finds("GPU-001"), _Log()).decide(
        _request(_resource(4, change="update", before=4)), seconds=5
    )

    assert decision.outcome is Outcome.WARN
    assert decision.findings[0].pre_existing


async def test_what_has_grown_is_refused_although_it_was_too_much_before(bundle: Bundle) -> None:
    decision = await _pipeline(bundle, _finds("GPU-001"), _Log()).decide(
        _request(_resource(8, change="update", before=4)), seconds=5
    )

    assert decision.outcome is Outcome.DENY
    assert not decision.findings[0].pre_existing


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (DeadlineExceeded("too slow"), "SYS-DEADLINE", Cause.ERROR),
        (EngineUnavailable("nobody there"), "SYS-ENGINE", Cause.BUSY),
        (RuntimeError("a defect"), "SYS-EVALUATION", Cause.ERROR),
    ],
)
async def test_what_cannot_be_evaluated_is_refused_and_recorded(
    bundle: Bundle, error: Exception, code: str, cause: Cause
) -> None:
    log = _Log()

    decision = await _pipeline(bundle, _fails(error), log).decide(_request(_resource(1)), seconds=5)

    assert (decision.outcome, decision.cause) == (Outcome.DENY, cause)
    assert [finding.code for finding in decision.findings] == [code]
    assert log.entries[0].decision == decision
    assert not log.entries[0].unique


async def test_no_answer_leaves_without_its_record(bundle: Bundle) -> None:
    log = _Log(LogUnavailable("the disk is full"))
    pipeline = _pipeline(bundle, lambda _: (), log)

    with pytest.raises(LogUnavailable, match="the disk is full"):
        await pipeline.decide(_request(_resource(1)), seconds=5)

    with pytest.raises(LogUnavailable, match="the disk is full"):
        await pipeline.reject(
            Rejected(RequestRefused("bad"), EnforcementPoint.API, "sha256:0", "me")
        )


async def test_an_input_that_cannot_be_read_is_recorded_with_its_digest(bundle: Bundle) -> None:
    log = _Log()

    decision = await _pipeline(bundle, lambda _: (), log).reject(
        Rejected(
            RequestRefused("the body is empty", code="SYS-INPUT-EMPTY"),
            EnforcementPoint.KUBERNETES,
            "sha256:abc",
            "cluster",
        )
    )

    assert (decision.kind, decision.outcome) == ("rejected", Outcome.DENY)
    assert (decision.request_digest, decision.caller) == ("sha256:abc", "cluster")
    assert not log.entries[0].unique


async def test_a_plan_may_be_checked_again(bundle: Bundle) -> None:
    log = _Log()
    plan = _request(_resource(1)).model_copy(
        update={"enforcement_point": EnforcementPoint.TERRAFORM, "binding": Binding.ADVISORY}
    )

    await _pipeline(bundle, lambda _: (), log).decide(plan, seconds=5)

    assert not log.entries[0].unique


class _OnceLog(_Log):
    """Keeps the first decision about each key, as the real one does."""

    async def record(self, entry: Entry) -> Decision:
        for earlier in self.entries:
            if entry.unique and earlier.unique and earlier.decision.key == entry.decision.key:
                return earlier.decision
        return await super().record(entry)


async def test_a_repeated_request_gets_the_first_answer(bundle: Bundle) -> None:
    log = _OnceLog()
    pipeline = _pipeline(bundle, lambda _: (), log)

    first = await pipeline.decide(_request(_resource(1)), seconds=5)
    again = await pipeline.decide(_request(_resource(1)), seconds=5)

    assert again == first
    assert len(log.entries) == 1


async def test_another_request_with_the_same_uid_is_refused_and_recorded(bundle: Bundle) -> None:
    log = _OnceLog()
    pipeline = _pipeline(bundle, lambda _: (), log)

    first = await pipeline.decide(_request(_resource(1)), seconds=5)
    other = await pipeline.decide(_request(_resource(8)), seconds=5)

    assert first.outcome is Outcome.ALLOW
    assert (other.outcome, other.cause) == (Outcome.DENY, Cause.ERROR)
    assert [finding.code for finding in other.findings] == ["SYS-UID-REUSED"]
    assert first.decision_id in other.findings[0].message
    assert [entry.decision for entry in log.entries] == [first, other]
    assert other.request_digest != first.request_digest
    assert await pipeline.decide(_request(_resource(1)), seconds=5) == first


async def test_the_same_bytes_are_the_same_request_whatever_the_cluster_holds_by_then(
    bundle: Bundle,
) -> None:
    log = _OnceLog()
    pipeline = _pipeline(bundle, lambda _: (), log)

    first = await pipeline.decide(_request(_resource(1)), seconds=5, payload_digest="sha256:a")
    again = await pipeline.decide(_request(_resource(2)), seconds=5, payload_digest="sha256:a")
    other = await pipeline.decide(_request(_resource(2)), seconds=5, payload_digest="sha256:b")
    elsewhere = _request(_resource(2)).model_copy(update={"scope": Scope(cluster="other")})
    there = await pipeline.decide(elsewhere, seconds=5, payload_digest="sha256:a")

    assert again == first
    assert [finding.code for finding in other.findings] == ["SYS-UID-REUSED"]
    assert [finding.code for finding in there.findings] == ["SYS-UID-REUSED"]
    assert first.payload_digest == "sha256:a"


async def test_what_another_release_read_differently_is_decided_for_itself(bundle: Bundle) -> None:
    log = _OnceLog()
    pipeline = _pipeline(bundle, lambda _: (), log)
    await pipeline.decide(_request(_resource(1)), seconds=5)
    earlier = log.entries[0]
    of_another = earlier.decision.model_copy(update={"portreeve_version": "0.0.1"})
    log.entries[0] = replace(earlier, decision=of_another)

    decision = await pipeline.decide(_request(_resource(8)), seconds=5)

    assert (decision.outcome, decision.cause) == (Outcome.ALLOW, Cause.NONE)
    assert [entry.unique for entry in log.entries] == [True, False]


class _SlowLog(_Log):
    """Confirms no record before long after the deadline."""

    async def record(self, entry: Entry) -> Decision:
        await asyncio.sleep(60)
        return entry.decision


async def test_a_slow_log_does_not_keep_the_answer_waiting(bundle: Bundle) -> None:
    pipeline = _pipeline(bundle, lambda _: (), _SlowLog())
    started = time.perf_counter()

    with pytest.raises(LogUnavailable, match="did not confirm") as refused:
        await pipeline.decide(_request(_resource(1)), seconds=0.3)
    with pytest.raises(LogUnavailable, match="did not confirm"):
        await pipeline.reject(
            Rejected(RequestRefused("bad"), EnforcementPoint.KUBERNETES, "sha256:0", "me"),
            seconds=0.1,
        )

    assert refused.value.code == "SYS-LOG-TIMEOUT"
    assert time.perf_counter() - started < 2


async def test_facts_are_looked_up_without_deciding(bundle: Bundle) -> None:
    log = _Log()

    resolved = _pipeline(bundle, lambda _: (), log).resolve(_request(_resource(1)))

    assert resolved.resources[0].ownership.team == "language"
    assert log.entries == []


async def test_the_same_request_has_the_same_digests(bundle: Bundle) -> None:
    log = _Log()
    pipeline = _pipeline(bundle, lambda _: (), log)

    first = await pipeline.decide(_request(_resource(1)), seconds=5)
    second = await pipeline.decide(_request(_resource(1)), seconds=5)
    other = await pipeline.decide(_request(_resource(2)), seconds=5)

    assert first.request_digest == second.request_digest != other.request_digest
    assert first.context_digest == second.context_digest
    assert first.decision_id < second.decision_id < other.decision_id
    assert log.entries[0].resolved_digest == log.entries[1].resolved_digest
