"""The words for codes that no bundle holds: what is not covered, and what we refuse ourselves."""

from __future__ import annotations

from service.bundle.values import Rule
from service.model.finding import Mode, Severity

NOT_COVERED = "COV-001"
NOT_BELIEVED = "COV-002"
WAIVER_EXPIRED = "WVR-001"
BASELINE_ENDED = "BSL-001"


def _system(code: str, title: str, message: str, remedy: str) -> Rule:
    return Rule(
        code=code,
        title=title,
        description="A refusal of Portreeve's own: no posture, mode or waiver changes it.",
        severity=Severity.HIGH,
        message=message,
        remedy=remedy,
        package="",
        domain="system",
    )


_RULES = (
    Rule(
        code=NOT_COVERED,
        title="Kind is not covered",
        description="The kind might take accelerators, money or data, and no adapter reads it.",
        severity=Severity.MEDIUM,
        mode=Mode.WARN,
        message="`{resource}` is of kind `{kind}`, which is not covered: nothing was judged",
        remedy="Have what it takes judged by hand, or ask for the kind to be supported.",
        package="",
        domain="coverage",
    ),
    Rule(
        code=NOT_BELIEVED,
        title="Owner is not believed",
        description="Anybody may write that a controller owns an object. Only what a controller's "
        "own account makes is covered by the admission of its owner.",
        severity=Severity.MEDIUM,
        mode=Mode.WARN,
        message="`{resource}` says that `{owner}` controls it, and `{account}` is no controller "
        "that the organisation lists: it was decided as an object of its own",
        remedy="Leave `ownerReferences` to controllers; if the account is one, list it in "
        "`controllers` of the bundle.",
        package="",
        domain="coverage",
    ),
    Rule(
        code=WAIVER_EXPIRED,
        title="Waiver has expired",
        description="A waiver would have matched a finding, had it not expired.",
        severity=Severity.MEDIUM,
        mode=Mode.WARN,
        message="waiver `{waiver}` of `{code}` expired on {expired} and no longer covers "
        "`{resource}`; owner `{owner}`, approved by `{approver}`",
        remedy="Correct what `{code}` reports, or have the owner ask for a new waiver.",
        package="",
        domain="waivers",
    ),
    Rule(
        code=BASELINE_ENDED,
        title="Baseline no longer holds",
        description="What was kept observed takes more than was accepted, or its day has come.",
        severity=Severity.MEDIUM,
        mode=Mode.WARN,
        message="the baseline of `{code}` no longer covers `{of}`: {why}",
        remedy="Correct what `{code}` reports, take no more than before, or have the "
        "organisation's baseline written anew.",
        package="",
        domain="baseline",
    ),
    _system(
        "SYS-INPUT",
        "Input cannot be decided about",
        "the input is not what it claims to be, or more than may be sent",
        "Send what the enforcement point writes, unchanged.",
    ),
    _system(
        "SYS-UID-REUSED",
        "Uid belongs to another request",
        "a decision on another request with the same uid is recorded",
        "Give each request a uid of its own, as the API server does.",
    ),
    _system(
        "SYS-EVALUATION",
        "Policy engine gave no usable answer",
        "the engine failed, or gave something that is no finding",
        "Report it with the id of the decision; the same request may succeed with another bundle.",
    ),
    _system(
        "SYS-DEADLINE",
        "Evaluation took too long",
        "the evaluation was stopped at its deadline",
        "Send the request again; if it happens again, look at the rule that the message names.",
    ),
    _system(
        "SYS-ENGINE",
        "Policy engine is not available",
        "no policy engine could be asked",
        "Send the request again, or see `/readyz`.",
    ),
    _system(
        "SYS-LOG",
        "Decision cannot be recorded",
        "the decision could not be made durable, so none was given",
        "Send the request again, or see `/readyz`.",
    ),
    _system(
        "SYS-BUSY",
        "Too much changed meanwhile",
        "the request kept meeting other requests for the same amounts",
        "Send the request again.",
    ),
    _system(
        "SYS-BUNDLE",
        "Bundle must not decide",
        "the bundle does not compile, has no rules, or lacks a table",
        "Run `portreeve bundle build` and correct what it reports.",
    ),
    _system(
        "SYS-AUTH",
        "Caller may not do this",
        "the caller is not known, or lacks the role",
        "Use a token with the role that this needs.",
    ),
    _system(
        "SYS-NOT-FOUND",
        "Nothing there",
        "what was asked for does not exist, or not for this caller",
        "Check the identifier.",
    ),
    _system(
        "SYS-SETTINGS",
        "Settings contradict",
        "a setting is missing, malformed or contradicts another",
        "Correct the setting that the message names.",
    ),
    _system(
        "SYS-HTTP",
        "No such call",
        "there is no such path or method",
        "See `/docs`.",
    ),
    _system(
        "SYS-ERROR",
        "Request was refused",
        "something went wrong that has no code of its own",
        "Report it with the id of the decision.",
    ),
)

BUILTIN: dict[str, Rule] = {rule.code: rule for rule in _RULES}
"""Built-in rules by code."""


def system_rule(code: str) -> Rule:
    """The words for an error's *code*: its own, or those of the longest code it begins with.

    ``SYS-INPUT-TOO-LARGE`` has those of ``SYS-INPUT``.
    """
    while code not in BUILTIN:
        code, dash, _ = code.rpartition("-")
        if not dash:
            return BUILTIN["SYS-ERROR"]
    return BUILTIN[code]
