"""What is decided about a request that the engine gave no findings for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.decide.deciding import Verdict, refusal
from service.errors import DeadlineExceeded
from service.model.base import Binding, EnforcementPoint
from service.model.decision import Outcome
from service.model.finding import Mode

if TYPE_CHECKING:
    from service.bundle.values import Org
    from service.errors import GovernanceError
    from service.model.request import Request

# Elsewhere the namespace is what the sender wrote; the API server states it in a review.
_ADMISSIONS = frozenset({Binding.BINDING, Binding.DRY_RUN})
_REMEDY = "Tell whoever keeps the bundle: the rules were too slow for this object."


def unevaluated(error: GovernanceError, request: Request, org: Org) -> Verdict:
    """The verdict on *request*, for which *error* came instead of findings.

    A refusal, or a warning where the rules took too long for an admission into a namespace that
    the organisation names for that.
    """
    refused = refusal(error)
    namespace = request.scope.namespace
    if (
        not isinstance(error, DeadlineExceeded)
        or request.enforcement_point is not EnforcementPoint.KUBERNETES
        or request.binding not in _ADMISSIONS
        or not org.overdue.admits(namespace)
    ):
        return refused
    (finding,) = refused.findings
    why = f"admitted unchecked, because `overdue` names `{namespace}`"
    warned = finding.model_copy(
        update={
            "mode": Mode.WARN,
            "message": f"{why}: {finding.message}",
            "remedy": _REMEDY,
        }
    )
    return Verdict(Outcome.WARN, refused.cause, (warned,))
