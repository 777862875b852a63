"""Decisions as the API server, and the person in front of ``kubectl``, understand them."""

from __future__ import annotations

from typing import Any

from adapters.kubernetes.review import API_VERSION, KIND
from service.errors import EngineUnavailable, GovernanceError, LogUnavailable
from service.model.decision import Cause, Decision, Outcome
from service.model.finding import JudgedFinding, Mode

_CODES = {Cause.POLICY: 403, Cause.UNDETERMINED: 403, Cause.ERROR: 500, Cause.BUSY: 503}
_REASONS = {403: "Forbidden", 500: "InternalError", 503: "ServiceUnavailable"}

# The API server cuts a warning after 256 characters and drops what exceeds 4096 in all.
_LONGEST_WARNING = 256
_LONGEST_WARNINGS = 4096
_LONGEST_FINDING = 1024
_MOST_FINDINGS = 10


def answer(uid: str, decision: Decision) -> dict[str, Any]:
    """The AdmissionReview that answers *uid* with *decision*."""
    allowed = decision.outcome is not Outcome.DENY
    response: dict[str, Any] = {"uid": uid, "allowed": allowed}
    if not allowed:
        code = _CODES.get(decision.cause, 500)
        response["status"] = _status(code, _message(decision))
    if warnings := _warnings(decision):
        response["warnings"] = warnings
    response["auditAnnotations"] = {
        "decision-id": decision.decision_id,
        "outcome": decision.outcome.value,
        "codes": ",".join(dict.fromkeys(finding.code for finding in decision.findings)),
    }
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def answer_error(uid: str, error: GovernanceError) -> dict[str, Any]:
    """The refusal that answers *uid* where there is no decision, because of *error*."""
    hint = f" - {error.hint}" if error.hint else ""
    code = 503 if isinstance(error, EngineUnavailable | LogUnavailable) else 500
    message = f"{error.code}: {error.message}{hint}"
    response = {"uid": uid, "allowed": False, "status": _status(code, _clean(message))}
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def _status(code: int, message: str) -> dict[str, Any]:
    return {"status": "Failure", "code": code, "reason": _REASONS[code], "message": message}


def _message(decision: Decision) -> str:
    """What ``kubectl`` prints: each finding that refuses, with its remedy; the decision last."""
    decisive = [finding for finding in decision.findings if _counts(finding, Mode.ENFORCE)]
    lines = [_cut(_line(finding), _LONGEST_FINDING) for finding in decisive[:_MOST_FINDINGS]]
    if len(decisive) > _MOST_FINDINGS:
        lines.append(f"and {len(decisive) - _MOST_FINDINGS} more")
    lines.append(f"decision {_clean(decision.decision_id)}")
    return "\n".join(lines)


def _warnings(decision: Decision) -> list[str]:
    found = [
        _cut(_line(finding), _LONGEST_WARNING)
        for finding in decision.findings
        if _counts(finding, Mode.WARN) or _is_waived(finding)
    ]
    shown: list[str] = []
    left = _LONGEST_WARNINGS - _LONGEST_WARNING
    for index, line in enumerate(found):
        left -= len(line)
        if left < 0:
            shown.append(f"and {len(found) - index} more: decision {_clean(decision.decision_id)}")
            break
        shown.append(line)
    return shown


def _counts(finding: JudgedFinding, mode: Mode) -> bool:
    return finding.mode is mode and finding.waived_by is None


def _is_waived(finding: JudgedFinding) -> bool:
    """Whether a waiver is all that keeps it from being said; one that is observed is not."""
    return finding.waived_by is not None and finding.mode is not Mode.OBSERVE


def _line(finding: JudgedFinding) -> str:
    if finding.waived_by is not None:
        terms = finding.waiver
        until = f" until {terms.expires} by {terms.approver}" if terms else ""
        return _clean(f"{finding.code}: waived{until} ({finding.waived_by}): {finding.message}")
    remedy = f" - {finding.remedy}" if finding.remedy else ""
    return _clean(f"{finding.code}: {finding.message}{remedy}")


def _clean(text: str) -> str:
    """*text* without characters that a terminal or an HTTP header would act on."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
