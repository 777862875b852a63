from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from adapters.kubernetes.answer import answer, answer_error
from service.errors import EvaluationFailed, LogUnavailable, RequestRefused
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
        "BUD-002: `a` takes 9 accelerators - Lower the count.",
        "BUD-001: waived until 2026-12-31 by platform (w): `a` takes 9 accelerators",
    ]
    codes = "GPU-001,RES-001,BUD-002,COV-001,BUD-001,GPU-003"
    assert response["auditAnnotations"]["codes"] == codes


@pytest.mark.parametrize(
    ("cause", "code", "status"),
    [
        (Cause.POLICY, "GPU-001", (403, "Forbidden")),
        (Cause.UNDETERMINED, "GPU-001", (403, "Forbidden")),
        (Cause.ERROR, "SYS-INPUT-PAYLOAD", (422, "Invalid")),
        (Cause.ERROR, "SYS-UID-REUSED", (422, "Invalid")),
        (Cause.ERROR, "SYS-DEADLINE", (503, "ServiceUnavailable")),
        (Cause.BUSY, "SYS-ENGINE", (503, "ServiceUnavailable")),
    ],
)
def test_the_status_says_whose_the_reason_is(
    cause: Cause, code: str, status: tuple[int, str]
) -> None:
    refused = answer("u", decision(Outcome.DENY, cause, finding(code)))["response"]["status"]

    assert (refused["code"], refused["reason"]) == status
    assert ("send the request again" in refused["message"]) is (status[0] == 503)


def test_clients_ask_again_by_themselves_only_where_that_may_help() -> None:
    busy = answer("u", decision(Outcome.DENY, Cause.BUSY, finding("SYS-BUSY")))
    slow = answer("u", decision(Outcome.DENY, Cause.ERROR, finding("SYS-DEADLINE")))

    assert busy["response"]["status"]["details"] == {"retryAfterSeconds": 1}
    assert "details" not in slow["response"]["status"]


def test_the_most_severe_comes_first_and_what_is_waived_last() -> None:
    findings = (
        finding("A-001", waived_by="w", waiver=TERMS),
        finding("B-001"),
        finding("C-001").model_copy(update={"severity": Severity.CRITICAL}),
        finding("D-001", Mode.WARN).model_copy(update={"severity": Severity.LOW}),
        finding("E-001", Mode.WARN).model_copy(update={"severity": Severity.MEDIUM}),
    )

    response = answer("u", decision(Outcome.DENY, Cause.POLICY, *findings))["response"]

    message = response["status"]["message"]
    assert [line[:5] for line in message.splitlines()[:2]] == ["C-001", "B-001"]
    assert [line[:5] for line in response["warnings"]] == ["E-001", "D-001", "A-001"]
    assert response["auditAnnotations"]["codes"] == "C-001,B-001,E-001,D-001,A-001"


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


@pytest.mark.parametrize("length", [1, 100, 600, 1000, 2048])
@pytest.mark.parametrize("letter", ["x", "\u00fc", "\U0001f600"])
def test_an_event_holds_the_worst_finding_and_the_decision(length: int, letter: str) -> None:
    many = [finding(f"GPU-{index:03}", message=letter * length) for index in range(14)]

    message = answer("u", decision(Outcome.DENY, Cause.POLICY, *many))["response"]["status"][
        "message"
    ]

    shown = message.encode()[: 1024 - len('admission webhook "v.example" denied the request: ')]
    assert message.startswith("GPU-000: ")
    assert b"\ndecision 01990000-0000-7000-8000-000000000000" in shown
    assert message.count("\ndecision 0199") == 1
    assert message.splitlines()[-1] == "and 4 more" or length == 1


def test_audit_annotations_hold_whole_codes_only() -> None:
    many = [finding(f"LONG-CODE-{index:04}") for index in range(300)]

    annotations = answer("u", decision(Outcome.DENY, Cause.POLICY, *many))["response"][
        "auditAnnotations"
    ]

    codes = annotations["codes"].split(",")
    assert len(annotations["codes"]) <= 1026
    assert codes[-1] == "…"
    assert {len(code) for code in codes[:-1]} == {14}
    assert all(re.fullmatch(r"[a-z]([-a-z]{0,61}[a-z])?", key) for key in annotations)


@given(st.text(max_size=400))
def test_no_text_of_a_tenant_breaks_an_answer(text: str) -> None:
    hostile = (finding(message=text, remedy=text), finding("W-001", Mode.WARN, message=text))

    response = answer("u", decision(Outcome.DENY, Cause.POLICY, *hostile))["response"]

    assert all(line.isprintable() for line in response["status"]["message"].split("\n"))
    assert all(line.isprintable() and len(line) <= 256 for line in response["warnings"])
    assert to_json(response)


def test_an_error_without_a_decision_is_a_refusal() -> None:
    full = answer_error("u", LogUnavailable("the disk is full", hint="Free some space."))
    broken = answer_error("u", EvaluationFailed("the engine gave no answer"))
    unread = answer_error("u", RequestRefused("the object is none"))

    assert full["response"] == {
        "uid": "u",
        "allowed": False,
        "status": {
            "status": "Failure",
            "code": 503,
            "reason": "ServiceUnavailable",
            "message": "SYS-LOG: the disk is full - Free some space.\n"
            "not decided: send the request again",
            "details": {"retryAfterSeconds": 1},
        },
    }
    assert broken["response"]["status"]["code"] == 503
    assert "details" not in broken["response"]["status"]
    assert unread["response"]["status"]["code"] == 422
