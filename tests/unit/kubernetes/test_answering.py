from __future__ import annotations

from typing import Any

from adapters.kubernetes.answer import answer, answer_error
from service.errors import EvaluationFailed, LogUnavailable
from service.model.base import Binding, EnforcementPoint
from service.model.decision import BundleRef, Cause, Decision, Outcome
from service.model.finding import JudgedFinding, Mode, Severity, WaiverTerms
from service.model.request import Actor

TERMS = WaiverTerms(owner="vision", approver="platform", reason="r", expires="2026-12-31")


def finding(code: str = "GPU-001", mode: Mode = Mode.ENFORCE, **more: Any) -> JudgedFinding:
    words = {"title": "t", "message": "`a` takes 9 accelerators", "remedy": "Lower the count."}
    return JudgedFinding(code=code, mode=mode, severity=Severity.HIGH, **{**words, **more})


def decision(outcome: Outcome, cause: Cause, *findings: JudgedFinding) -> Decision:
    return Decision(
        decision_id="01990000-0000-7000-8000-000000000000",
        time="2026-01-01T00:00:00Z",
        outcome=outcome,
        cause=cause,
        enforcement_point=EnforcementPoint.KUBERNETES,
        binding=Binding.BINDING,
        caller="prod-eu",
        actor=Actor(),
        request_digest="sha256:0",
        context_digest="sha256:0",
        findings=findings,
        bundle=BundleRef(name="example", revision="1", digest="sha256:0"),
        engine="embedded",
        duration_ms=1,
    )


def test_an_allowed_request_is_allowed_and_audited() -> None:
    assert answer("u", decision(Outcome.ALLOW, Cause.NONE)) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": "u",
            "allowed": True,
            "auditAnnotations": {
                "decision-id": "01990000-0000-7000-8000-000000000000",
                "outcome": "allow",
                "codes": "",
            },
        },
    }


def test_a_refusal_says_why_what_to_do_and_which_decision_it_was() -> None:
    findings = (
        finding(),
        finding("RES-001", message="`b` is in `us`", remedy=""),
        finding("BUD-001", waived_by="w", waiver=TERMS),
        finding("BUD-002", Mode.WARN),
        finding("COV-001", Mode.OBSERVE),
        finding("GPU-003", Mode.OBSERVE, waived_by="w"),
    )

    response = answer("u", decision(Outcome.DENY, Cause.POLICY, *findings))["response"]

    assert response["allowed"] is False
    assert response["status"] == {
        "status": "Failure",
        "code": 403,
        "reason": "Forbidden",
        "message": "GPU-001: `a` takes 9 accelerators - Lower the count.\n"
        "RES-001: `b` is in `us`\n"
        "decision 01990000-0000-7000-8000-000000000000",
    }
    assert response["warnings"] == [
        "BUD-001: waived until 2026-12-31 by platform (w): `a` takes 9 accelerators",
        "BUD-002: `a` takes 9 accelerators - Lower the count.",
    ]
    codes = "GPU-001,RES-001,BUD-001,BUD-002,COV-001,GPU-003"
    assert response["auditAnnotations"]["codes"] == codes


def test_a_failure_of_ours_is_not_called_forbidden() -> None:
    codes = [
        answer("u", decision(Outcome.DENY, cause, finding()))["response"]["status"]["code"]
        for cause in (Cause.UNDETERMINED, Cause.ERROR, Cause.BUSY)
    ]

    assert codes == [403, 500, 503]


def test_nothing_reaches_the_terminal_that_it_would_act_on() -> None:
    hostile = finding(message="a\x1b[2Jb\nc\u202ed")

    response = answer("u", decision(Outcome.DENY, Cause.POLICY, hostile))["response"]

    assert response["status"]["message"].startswith("GPU-001: a [2Jb c d - Lower")


def test_warnings_stay_within_what_the_api_server_passes_on() -> None:
    many = [finding(f"GPU-{index:03}", Mode.WARN, message="x" * 500) for index in range(40)]

    warnings = answer("u", decision(Outcome.WARN, Cause.POLICY, *many))["response"]["warnings"]

    assert max(map(len, warnings)) == 256
    assert sum(map(len, warnings)) <= 4096
    assert warnings[-1].startswith("and 25 more: decision 0199")


def test_a_long_refusal_is_cut_and_says_so() -> None:
    many = [finding(f"GPU-{index:03}") for index in range(14)]

    response = answer("u", decision(Outcome.DENY, Cause.POLICY, *many))["response"]

    assert "\nand 4 more\ndecision 0199" in response["status"]["message"]


def test_an_error_without_a_decision_is_a_refusal() -> None:
    full = answer_error("u", LogUnavailable("the disk is full", hint="Free some space."))
    broken = answer_error("u", EvaluationFailed("the engine gave no answer"))

    assert full["response"] == {
        "uid": "u",
        "allowed": False,
        "status": {
            "status": "Failure",
            "code": 503,
            "reason": "ServiceUnavailable",
            "message": "SYS-LOG: the disk is full - Free some space.",
        },
    }
    assert broken["response"]["status"]["code"] == 500
