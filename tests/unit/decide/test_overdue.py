"""What the rules take too long for: refused, or admitted where the organisation says so."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.bundle.overdue import OverdueParameters
from service.bundle.values import Org
from service.decide.overdue import unevaluated
from service.errors import DeadlineExceeded, EngineUnavailable, EvaluationFailed, GovernanceError
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.decision import Cause, Outcome
from service.model.finding import Mode
from service.model.request import Request

_LATE = DeadlineExceeded("the rules gave no answer within 2 s", hint="The request was refused.")
_ORG = Org(name="Test", overdue=OverdueParameters(allow_namespaces=("gateway", "platform-*")))


def _request(
    namespace: str | None = "gateway",
    *,
    point: EnforcementPoint = EnforcementPoint.KUBERNETES,
    binding: Binding = Binding.BINDING,
) -> Request:
    return Request(
        key="uid-1",
        enforcement_point=point,
        operation="CREATE",
        binding=binding,
        scope=Scope(cluster="prod-eu", namespace=namespace),
    )


@pytest.mark.parametrize("namespace", ["gateway", "platform-a", "platform-"])
@pytest.mark.parametrize("binding", [Binding.BINDING, Binding.DRY_RUN])
def test_what_is_overdue_in_a_named_namespace_is_admitted_with_a_warning(
    namespace: str, binding: Binding
) -> None:
    verdict = unevaluated(_LATE, _request(namespace, binding=binding), _ORG)

    assert (verdict.outcome, verdict.cause) == (Outcome.WARN, Cause.ERROR)
    (finding,) = verdict.findings
    assert (finding.code, finding.mode) == ("SYS-DEADLINE", Mode.WARN)
    assert finding.message == (
        f"admitted unchecked, because `overdue` names `{namespace}`: "
        "the rules gave no answer within 2 s"
    )
    assert "refused" not in finding.remedy


@pytest.mark.parametrize(
    ("error", "request_"),
    [
        pytest.param(_LATE, _request("gateway-2"), id="another-namespace"),
        pytest.param(_LATE, _request(None), id="no-namespace"),
        pytest.param(_LATE, _request(point=EnforcementPoint.API), id="namespace-of-a-client"),
        pytest.param(_LATE, _request(binding=Binding.ADVISORY), id="namespace-of-a-manifest"),
        pytest.param(EvaluationFailed("a rule failed"), _request(), id="another-failure"),
        pytest.param(EngineUnavailable("nobody there"), _request(), id="no-engine"),
    ],
)
def test_everything_else_is_refused(error: GovernanceError, request_: Request) -> None:
    verdict = unevaluated(error, request_, _ORG)

    assert verdict.outcome is Outcome.DENY
    assert verdict.findings[0].mode is Mode.ENFORCE


def test_nothing_is_admitted_unless_the_organisation_says_so() -> None:
    assert unevaluated(_LATE, _request(), Org(name="Test")).outcome is Outcome.DENY


@pytest.mark.parametrize("pattern", ["*", "", "a*b", "Team", "a/b"])
def test_a_pattern_is_a_name_or_the_beginning_of_one(pattern: str) -> None:
    with pytest.raises(ValidationError, match="allow_namespaces"):
        OverdueParameters(allow_namespaces=(pattern,))
