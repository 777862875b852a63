"""Decisions as the API server, and the person in front of ``kubectl``, understand them.

What the API server does with an answer, and therefore what an answer may hold:

- The message of a refusal is passed on whole. Where a controller asked, it ends in an Event, whose
  note has 1024 bytes (``NoteLengthLimit`` in k8s.io/kubernetes pkg/apis/core/validation/events.go):
  so the worst finding and the decision's id come within those.
- Warnings become headers. One with a control character is dropped without a word; when all of a
  request's together pass 4096 characters, each is cut to 256 and those that still pass it are
  dropped (k8s.io/apiserver pkg/endpoints/filters/warning.go).
- The key of an audit annotation, after the webhook's name and a slash, is a qualified name of 63
  characters at most (``checkKeyFormat`` in k8s.io/apiserver pkg/admission/attributes.go); a value
  has no limit of its own, and makes the audit event longer, which may be cut as a whole.
- ``details.retryAfterSeconds`` becomes ``Retry-After``, and client-go asks again by itself.
"""

from __future__ import annotations

from typing import Any

from adapters.kubernetes.review import API_VERSION, KIND
from service.errors import EngineUnavailable, GovernanceError, LogUnavailable, RequestRefused
from service.model.decision import Cause, Decision, Outcome
from service.model.finding import JudgedFinding, Mode, Severity

_FORBIDDEN, _INVALID, _UNAVAILABLE = 403, 422, 503
_REASONS = {
    _FORBIDDEN: "Forbidden",
    _INVALID: "Invalid",
    _UNAVAILABLE: "ServiceUnavailable",
}
# Errors that lie in what was sent: to send the same again is of no use.
_UNUSABLE = ("SYS-INPUT", "SYS-UID")
_AGAIN = "not decided: send the request again"
_RETRY_AFTER_S = 1

_LONGEST_WARNING = 256
_LONGEST_WARNINGS = 4096
_LONGEST_FINDING = 768
_LONGEST_NOTE = 1024
# What the API server writes before our words: the webhook's name, which may have 253 characters.
_NOTE_PREFIX = 96
_MOST_FINDINGS = 10
_LONGEST_ANNOTATION = 1024

_RANK = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.MEDIUM: 2, Severity.LOW: 3}


def answer(uid: str, decision: Decision) -> dict[str, Any]:
    """The AdmissionReview that answers *uid* with *decision*."""
    allowed = decision.outcome is not Outcome.DENY
    response: dict[str, Any] = {"uid": uid, "allowed": allowed}
    found = decision.findings
    if len(found) > 1:
        found = tuple(sorted(found, key=_rank))
    if not allowed:
        code = _code(decision)
        message = _message(decision, found, again=code == _UNAVAILABLE)
        response["status"] = _status(code, message, retry=decision.cause is Cause.BUSY)
    if found and (warnings := _warnings(decision, found)):
        response["warnings"] = warnings
    response["auditAnnotations"] = {
        "decision-id": decision.decision_id,
        "outcome": decision.outcome.value,
        "codes": _listed([finding.code for finding in found]),
    }
    if decision.resources and (by := decision.resources[0].covered_by) is not None:
        response["auditAnnotations"]["covered-by"] = _clean(f"{by.kind} {by.name}")
    return _review(response)


def answer_error(uid: str, error: GovernanceError) -> dict[str, Any]:
    """The refusal that answers *uid* where there is no decision, because of *error*."""
    hint = f" - {error.hint}" if error.hint else ""
    message = _cut_bytes(_clean(f"{error.code}: {error.message}{hint}"))
    if isinstance(error, RequestRefused):
        status = _status(_INVALID, message, retry=False)
    else:
        retry = isinstance(error, EngineUnavailable | LogUnavailable)
        status = _status(_UNAVAILABLE, f"{message}\n{_AGAIN}", retry=retry)
    return _review({"uid": uid, "allowed": False, "status": status})


def cleaned(text: str) -> str:
    """*text* as a warning that the API server passes on, whole or cut."""
    return _cut(_clean(text), _LONGEST_WARNING)


def _review(response: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def _code(decision: Decision) -> int:
    """The HTTP status of a refusal: the rules', the input's, or that nothing could be decided."""
    if decision.cause not in {Cause.ERROR, Cause.BUSY}:
        return _FORBIDDEN
    if any(finding.code.startswith(_UNUSABLE) for finding in decision.findings):
        return _INVALID
    return _UNAVAILABLE


def _status(code: int, message: str, *, retry: bool) -> dict[str, Any]:
    """A Status.

    With *retry* the client asks again by itself; not where a rule fails or takes too long, since
    what fails each time must not be asked ten times over.
    """
    status: dict[str, Any] = {
        "status": "Failure",
        "code": code,
        "reason": _REASONS[code],
        "message": message,
    }
    if retry:
        status["details"] = {"retryAfterSeconds": _RETRY_AFTER_S}
    return status


def _message(decision: Decision, found: tuple[JudgedFinding, ...], *, again: bool) -> str:
    """What ``kubectl`` prints: each finding that refuses, with its remedy, the worst first.

    The decision's id comes last, or earlier where it would else lie beyond what an Event shows.
    """
    decisive = [finding for finding in found if _counts(finding, Mode.ENFORCE)]
    lines = [_cut_bytes(_line(finding)) for finding in decisive[:_MOST_FINDINGS]]
    if len(decisive) > _MOST_FINDINGS:
        lines.append(f"and {len(decisive) - _MOST_FINDINGS} more")
    if again:
        lines.append(_AGAIN)
    last = f"decision {_clean(decision.decision_id)}"
    lines.insert(_within(lines, _LONGEST_NOTE - _NOTE_PREFIX - len(last)), last)
    return "\n".join(lines)


def _within(lines: list[str], size: int) -> int:
    """How many of *lines* have *size* bytes together, and at least one of them."""
    for index, line in enumerate(lines):
        size -= len(line.encode()) + 1
        if size < 0:
            return max(1, index)
    return len(lines)


def _warnings(decision: Decision, found: tuple[JudgedFinding, ...]) -> list[str]:
    lines = [
        _cut(_line(finding), _LONGEST_WARNING)
        for finding in found
        if _counts(finding, Mode.WARN) or _is_waived(finding) or finding.baseline is not None
    ]
    shown: list[str] = []
    left = _LONGEST_WARNINGS - _LONGEST_WARNING
    for index, line in enumerate(lines):
        left -= len(line)
        if left < 0:
            shown.append(f"and {len(lines) - index} more: decision {_clean(decision.decision_id)}")
            break
        shown.append(line)
    return shown


def _rank(finding: JudgedFinding) -> int:
    """Findings that count come before those that are waived, then the most severe first."""
    return _RANK[finding.severity] + (len(_RANK) if finding.waived_by is not None else 0)


def _counts(finding: JudgedFinding, mode: Mode) -> bool:
    return finding.mode is mode and finding.waived_by is None


def _is_waived(finding: JudgedFinding) -> bool:
    """Whether a waiver is all that keeps it from being said; one that is observed is not."""
    return finding.waived_by is not None and finding.mode is not Mode.OBSERVE


def _line(finding: JudgedFinding) -> str:
    if finding.waived_by is not None:
        terms = finding.waiver
        if terms is not None and terms.approver is None:
            # Its id before anything that may be long: a warning is cut.
            by = f"break-glass {finding.waived_by} until {terms.expires} of {terms.owner}"
            return _clean(f"{finding.code}: waived by {by}: {finding.message}")
        until = f" until {terms.expires} by {terms.approver}" if terms else ""
        return _clean(f"{finding.code}: waived{until} ({finding.waived_by}): {finding.message}")
    if finding.baseline is not None:
        return _clean(
            f"{finding.code}: in the baseline until {finding.baseline.until}: {finding.message}"
        )
    remedy = f" - {finding.remedy}" if finding.remedy else ""
    return _clean(f"{finding.code}: {finding.message}{remedy}")


def _listed(codes: list[str]) -> str:
    """*codes* once each, whole ones only, as many as an annotation takes."""
    text = ",".join(dict.fromkeys(codes))
    if len(text) <= _LONGEST_ANNOTATION:
        return text
    return text[: text.rindex(",", 0, _LONGEST_ANNOTATION)] + ",…"


def _clean(text: str) -> str:
    """*text* without characters that a terminal or an HTTP header would act on."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _cut_bytes(text: str) -> str:
    """*text* with at most the bytes of one finding."""
    if len(text) <= _LONGEST_FINDING // 4 or len(raw := text.encode()) <= _LONGEST_FINDING:
        return text
    return raw[: _LONGEST_FINDING - len("…".encode())].decode(errors="ignore") + "…"
