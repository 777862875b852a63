"""What rules report, and what the organisation makes of it."""

from __future__ import annotations

from enum import StrEnum

from service.model.base import Pointer, Text, Value

Facts = dict[str, str | int | bool | list[str] | None]


class Finding(Value):
    """What one rule reports: a code, the address it is about, and facts.

    ``resource`` is ``None`` for a rule about the request as a whole. A finding with
    ``undetermined`` pointers says that the rule needs values that are not known.
    """

    code: Text
    resource: Text | None = None
    facts: Facts = {}
    undetermined: tuple[Pointer, ...] = ()


class Mode(StrEnum):
    """What a finding does to the decision, from nothing to a refusal."""

    OBSERVE = "observe"
    WARN = "warn"
    ENFORCE = "enforce"


class Severity(StrEnum):
    """How bad it is when the rule is right."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class WaiverTerms(Value):
    """Who answers for a waived finding, who agreed, why and until when (a day in UTC or a time).

    Nobody agreed to break-glass: it has no ``approver``.
    """

    owner: Text
    approver: Text | None = None
    reason: Text
    expires: Text


class BaselineTerms(Value):
    """Until when the organisation keeps a finding observed, and the mode that it had otherwise."""

    until: Text
    instead_of: Mode


class JudgedFinding(Value):
    """A finding with its mode and with the words a person reads.

    ``waived_by`` is the id of the waiver that it falls under, ``waiver`` what that says. Such a
    finding keeps the mode that it would have had, and does not count for the outcome. ``baseline``
    says that the organisation knows of it since before, and that it is observed therefore.
    """

    code: Text
    mode: Mode
    severity: Severity
    resource: Text | None = None
    title: str
    message: str
    remedy: str
    facts: Facts = {}
    undetermined: tuple[Pointer, ...] = ()
    waived_by: Text | None = None
    waiver: WaiverTerms | None = None
    baseline: BaselineTerms | None = None
    pre_existing: bool = False
