"""Decides about everything that was found, several objects at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from service.decide.accepting import accepted
from service.decide.digests import digest as digest_of
from service.errors import RequestRefused
from service.model.base import Binding, EnforcementPoint
from service.model.decision import Decision
from service.model.finding import Mode
from service.pipeline import Pipeline, Rejected
from service.report.scan import Scanned
from service.scan.asking import CALLER, Question
from service.scan.journal import Journal, digest

_AT_ONCE = 16
_SECONDS = 60.0


async def sweep(
    questions: Sequence[Question],
    pipeline: Pipeline,
    journal: Journal,
    until: str,
    progress: Callable[[int], None],
) -> list[Scanned]:
    """What is decided about *questions*, in their order.

    What *journal* has is not decided again. What a baseline accepts today ends with *until*.
    *progress* is told how many are done.

    Raises:
        LogUnavailable: A decision could not be recorded; what was recorded is in the journal.
    """
    found: list[Scanned | None] = [None] * len(questions)
    places = iter(enumerate(questions))
    done = 0

    async def work() -> None:
        nonlocal done
        for index, question in places:
            at = digest(question.candidate.body, question.candidate.uid)
            known = journal.find(at)
            if known is None:
                known = await _decided(question, pipeline, until)
                if not known.failed:
                    journal.add(at, known)
            found[index] = known
            done += 1
            progress(done)

    tasks = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(questions)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [item for item in found if item is not None]


async def _decided(question: Question, pipeline: Pipeline, until: str) -> Scanned:
    candidate, request = question.candidate, question.request
    key = candidate.key
    named = {
        "api_version": question.api_version,
        "kind": key.kind.kind,
        "namespace": key.namespace,
        "name": key.name,
        "uid": candidate.uid,
        "counts": question.counts,
    }
    address = f"{key.kind.kind} {f'{key.namespace}/' if key.namespace else ''}{key.name}"
    if request is None:
        error = question.error or RequestRefused("the object cannot be read")
        rejected = Rejected(
            error=error,
            point=EnforcementPoint.KUBERNETES,
            input_digest=digest_of(candidate.body),
            caller=CALLER,
            binding=Binding.SCAN,
            key=candidate.uid,
        )
        return _scanned(await pipeline.reject(rejected), {**named, "address": address})
    decision = await pipeline.decide(request, seconds=_SECONDS)
    scanned = _scanned(decision, {**named, "address": address})
    if not any(
        finding.mode is not Mode.OBSERVE or finding.baseline for finding in decision.findings
    ):
        return scanned
    resolved = pipeline.resolve(request)
    rows, unbounded = accepted(
        resolved.resources, decision.findings, pipeline.bundle.rulebook, until=until
    )
    return scanned.model_copy(update={"accepted": tuple(rows), "unbounded": bool(unbounded)})


def _scanned(decision: Decision, named: dict[str, object]) -> Scanned:
    resource = decision.resources[0] if decision.resources else None
    if resource is not None:
        named["address"] = resource.address
    return Scanned.model_validate(
        {
            **named,
            "decision_id": decision.decision_id,
            "outcome": decision.outcome,
            "cause": decision.cause,
            "findings": decision.findings,
            "resource": resource,
        }
    )
