from __future__ import annotations

from typing import Any

from service.model.base import Binding, EnforcementPoint
from service.model.decision import BundleRef, Cause, Decision, Outcome
from service.model.finding import JudgedFinding, Mode, Severity, WaiverTerms
from service.model.request import Actor
from service.report.decisions import as_lines


def _shown(**fields: Any) -> str:
    finding = JudgedFinding(
        code="GPU-001",
        mode=Mode.ENFORCE,
        severity=Severity.HIGH,
        title="t",
        message="`a` takes 9",
        remedy="Lower the count.",
        waived_by="W-1",
        **fields,
    )
    return as_lines(
        Decision(
            decision_id="1",
            time="2026-11-23T00:00:00Z",
            outcome=Outcome.ALLOW,
            cause=Cause.NONE,
            enforcement_point=EnforcementPoint.TERRAFORM,
            binding=Binding.ADVISORY,
            caller="local",
            actor=Actor(),
            request_digest="sha256:0",
            context_digest="sha256:0",
            findings=(finding,),
            bundle=BundleRef(name="example", revision="1", digest="sha256:0"),
            engine="embedded",
            duration_ms=1,
        )
    )


def test_a_waived_finding_says_who_agreed_and_until_when() -> None:
    terms = WaiverTerms(owner="vision", approver="platform", reason="launch", expires="2026-12-31")

    shown = _shown(waiver=terms)

    assert "  waived  GPU-001: `a` takes 9\n" in shown
    assert "waived until 2026-12-31 by platform, owner vision: launch (W-1)\n" in shown
    assert "Lower the count" not in shown


def test_a_record_without_the_terms_of_its_waiver_names_it() -> None:
    assert "        waiver W-1\n" in _shown()
