"""Requests that the admission of another object covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.decide.builtin import system_rule
from service.decide.deciding import Verdict
from service.decide.rulebook import tidy
from service.model.decision import Cause, Outcome
from service.model.finding import JudgedFinding, Mode

if TYPE_CHECKING:
    from service.errors import LogUnavailable
    from service.model.decision import Decision
    from service.model.request import Request

COVERED = Verdict(Outcome.ALLOW, Cause.NONE)
"""What was decided about the object that covers it holds."""

_LONGEST_TEXT = 1024


def is_covered(request: Request) -> bool:
    """Whether all that *request* is about is covered."""
    return bool(request.resources) and all(
        resource.covered_by is not None for resource in request.resources
    )


def unrecorded(decision: Decision, error: LogUnavailable) -> Decision:
    """*decision* about what is covered, which the log could not take because of *error*.

    It is admitted all the same: what it is made of was decided and recorded, and a log that fails
    must not keep that from running.
    """
    rule = system_rule(error.code)
    finding = JudgedFinding(
        code=error.code,
        mode=Mode.WARN,
        severity=rule.severity,
        title=rule.title,
        message=f"admitted unrecorded, because it is covered: {tidy(error.message, _LONGEST_TEXT)}",
        remedy="Mend the log; the record is in the service's own log, event `covered_unrecorded`.",
    )
    return decision.model_copy(
        update={"outcome": Outcome.WARN, "cause": Cause.ERROR, "findings": (finding,)}
    )
