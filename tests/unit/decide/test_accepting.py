"""What is found today becomes a baseline that covers it, and nothing besides."""

from __future__ import annotations

from typing import Any

from service.bundle.baseline import BaselineRow, TakenAccelerators
from service.decide.accepting import accepted
from service.decide.deciding import decide
from service.model.base import Range
from service.model.decision import Outcome
from service.model.finding import Finding
from service.model.request import Context
from service.model.resource import Accelerator

CONTEXT = Context(now="2026-11-23T12:00:00.000Z")
KEPT = BaselineRow(subject="a", codes=("GPU-001",), until="2026-12-01")


def _resource(resource_of: Any, address: str = "a", most: int | None = 8) -> Any:
    took = Accelerator(model="x", total=Range(max=most))
    return resource_of(address, accelerators=(took,))


def test_what_is_accepted_today_is_observed_tomorrow(
    bundle_of: Any, request_of: Any, resource_of: Any
) -> None:
    request = request_of(_resource(resource_of), _resource(resource_of, "b", 2), context=CONTEXT)
    findings = (
        Finding(code="GPU-001", resource="a"),
        Finding(code="GPU-002", resource="b", undetermined=("/region",)),
        Finding(code="BUD-001"),
    )
    bundle = bundle_of()
    before = decide(request, findings, (), bundle)

    rows, unbounded = accepted(
        request.resources, before.findings, bundle.rulebook, until="2026-12-31"
    )

    assert before.outcome is Outcome.DENY
    assert [(row.subject, row.codes) for row in rows] == [
        ("a", ("BUD-001", "GPU-001")),
        ("b", ("BUD-001",)),
    ]
    assert rows[0].accelerators == (TakenAccelerators(model="x", most=8),)
    assert unbounded == []
    after = decide(request, findings, (), bundle_of(baseline=tuple(rows)))
    assert after.outcome is Outcome.ALLOW


def test_what_was_accepted_before_is_not_prolonged(
    bundle_of: Any, request_of: Any, resource_of: Any
) -> None:
    request = request_of(resource_of(), context=CONTEXT)
    findings = (Finding(code="GPU-001", resource="a"), Finding(code="RES-001", resource="a"))
    bundle = bundle_of(baseline=(KEPT,))
    verdict = decide(request, findings, (), bundle)

    rows, _ = accepted(request.resources, verdict.findings, bundle.rulebook, until="2027-01-01")

    assert [(row.codes, row.until) for row in rows] == [
        (("GPU-001",), "2026-12-01"),
        (("RES-001",), "2027-01-01"),
    ]


def test_what_nobody_can_measure_is_not_accepted(
    bundle_of: Any, request_of: Any, resource_of: Any
) -> None:
    for resource in (_resource(resource_of, most=None), resource_of(accelerators=None)):
        request = request_of(resource, context=CONTEXT)
        finding = Finding(code="GPU-001", resource="a")
        verdict = decide(request, (finding,), (), bundle_of())

        found = accepted(request.resources, verdict.findings, {"GPU-001"}, until="2026-12-31")

        assert found == ([], ["a"])


def test_errors_and_codes_of_our_own_are_not_accepted(
    bundle_of: Any, request_of: Any, resource_of: Any
) -> None:
    request = request_of(resource_of(accelerators=None), context=CONTEXT)
    verdict = decide(request, (Finding(code="GPU-001", resource="a"),), (), bundle_of())

    assert accepted(request.resources, verdict.findings, (), until="2026-12-31") == ([], [])
