"""Break-glass waives what it is for, where and as long as it is open, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from glass import glass, stamp
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from records import NOON

from service.bundle.break_glass import BreakGlassParameters
from service.bundle.values import Bundle, Org, Rule
from service.bundle.waivers import Waiver
from service.decide.deciding import decide, refusal
from service.errors import EngineUnavailable
from service.model.base import Binding, Change, EnforcementPoint, Role, Scope
from service.model.break_glass import LONGEST_MINUTES, BreakGlass
from service.model.decision import BundleRef, Cause, Outcome
from service.model.finding import Finding, Mode
from service.model.request import Context, NotCovered, Request
from service.model.resource import Ownership, Resource

PLACE = Scope(cluster="prod-eu", namespace="vision-prod")
NAMED = {"callers": ["oncall"], "minutes": 120}
GPU = Finding(code="GPU-001", resource="a", facts={"asked": 9, "team": "vision", "limit": 8})
RULES = {
    code: Rule(code=code, title=code, severity="high", message="", remedy="", package="p", domain=d)
    for code, d in (("GPU-001", "gpu"), ("GPU-002", "gpu"), ("BUD-001", "budget"))
}


def _bundle(**org: Any) -> Bundle:
    values = {"name": "acme", "posture": Mode.ENFORCE, "break_glass": NAMED, **org}
    ref = BundleRef(name="test", revision="1", digest="sha256:00")
    return Bundle(ref=ref, modules={}, data={}, rulebook=RULES, org=Org.model_validate(values))


def _resource(address: str = "a", scope: Scope | None = PLACE, **fields: Any) -> Resource:
    return Resource(
        address=address,
        subject=address,
        kind="Deployment",
        role=Role.WORKLOAD,
        change=Change.CREATE,
        scope=scope,
        **fields,
    )


def _request(
    *opened: BreakGlass, now: datetime = NOON, resources: tuple[Resource, ...] = (), **fields: Any
) -> Request:
    return Request(
        key="k",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding=Binding.BINDING,
        scope=PLACE,
        resources=resources or (_resource(),),
        context=Context(now=stamp(now), waivers=opened),
        **fields,
    )


def test_a_finding_under_break_glass_does_not_count_and_names_it() -> None:
    verdict = decide(_request(glass()), (GPU,), (), _bundle())

    [finding] = verdict.findings
    assert (verdict.outcome, verdict.cause) == (Outcome.ALLOW, Cause.NONE)
    assert (finding.waived_by, finding.mode) == ("B-1", Mode.ENFORCE)
    assert finding.waiver is not None
    assert finding.waiver.model_dump() == {
        "owner": "ada",
        "approver": None,
        "reason": "the region is down",
        "expires": "2026-05-04T13:00:00.000Z",
    }


@pytest.mark.parametrize(
    "permitted",
    [
        {},
        {"callers": ["night-shift"]},
        {"groups": ["sre"]},
        {"groups": ["oncall"]},
    ],
)
def test_whom_the_bundle_does_not_name_has_opened_nothing(permitted: dict[str, Any]) -> None:
    """Also where a bundle of somebody's own let him write the record."""
    opened = glass(groups=("ops",))

    assert decide(_request(opened), (GPU,), (), _bundle(break_glass=permitted)).outcome is (
        Outcome.DENY
    )


def test_a_group_of_the_caller_is_enough() -> None:
    bundle = _bundle(break_glass={"groups": ["sre"]})

    assert decide(_request(glass(groups=("ops", "sre"))), (GPU,), (), bundle).outcome is (
        Outcome.ALLOW
    )


def test_a_waiver_of_the_organisation_goes_first() -> None:
    waiver = Waiver(
        id="W-1",
        code="GPU-001",
        match={"cluster": "prod-eu"},
        owner="vision",
        reason="a launch",
        approver="platform",
        expires="2026-12-31",
    )

    [finding] = decide(_request(glass()), (GPU,), (), _bundle(waivers=(waiver,))).findings

    assert finding.waived_by == "W-1"


def test_of_several_that_which_ends_last_is_named() -> None:
    opened = (glass("B-1", minutes=30), glass("B-2", minutes=60), glass("B-3", minutes=10))

    [finding] = decide(_request(*opened), (GPU,), (), _bundle()).findings

    assert finding.waived_by == "B-2"


def test_an_expired_waiver_is_not_told_of_where_break_glass_covers_the_finding() -> None:
    """It could refuse what break-glass lets pass."""
    lapsed = Waiver(
        id="W-1",
        code="GPU-001",
        match={"cluster": "prod-eu"},
        owner="vision",
        reason="a launch",
        approver="platform",
        expires="2026-01-31",
    )
    modes = [{"code": "WVR-001", "mode": "enforce"}]

    verdict = decide(_request(glass()), (GPU,), (), _bundle(waivers=(lapsed,), modes=modes))

    assert [finding.code for finding in verdict.findings] == ["GPU-001"]
    assert verdict.outcome is Outcome.ALLOW


def test_what_no_adapter_covers_is_waived_by_the_place_of_the_request() -> None:
    item = NotCovered(address="x", kind="odd")

    [finding] = decide(_request(glass(), not_covered=(item,)), (), (), _bundle()).findings

    assert (finding.code, finding.waived_by) == ("COV-001", "B-1")


def test_a_finding_about_several_resources_needs_all_of_them_in_its_scope() -> None:
    owner = Ownership(team="vision")
    here, there = _resource(ownership=owner), _resource("b", Scope(cluster="dev"), ownership=owner)
    whole = Finding(code="BUD-001", facts={"team": "vision"})

    def outcome(*resources: Resource) -> Outcome:
        return decide(_request(glass(), resources=resources), (whole,), (), _bundle()).outcome

    assert outcome(here) is Outcome.ALLOW
    assert outcome(here, there) is Outcome.DENY


def test_errors_of_ours_stay_refusals() -> None:
    verdict = refusal(EngineUnavailable("no engine"))

    assert verdict.findings[0].waived_by is None
    for code in ("SYS-ENGINE", "SYS-LOG-TIMEOUT", "WVR-001"):
        assert not glass().covers(code)
        with pytest.raises(ValidationError, match="cannot be waived"):
            glass(codes=("GPU-001", code))


@pytest.mark.parametrize(
    "changes",
    [
        {"match": {}},
        {"match": {"cluster": None}},
        {"match": {"cluster": "*"}},
        {"match": {"cluster": "prod-eu", "namespace": "**"}},
        {"match": {"cluster": ""}},
        {"match": {"team": "vision"}},
        {"codes": ()},
        {"reason": " "},
        {"actor": ""},
        {"minutes": 0},
        {"minutes": -1},
        {"minutes": LONGEST_MINUTES + 1},
        {"opened_at": "2026-05-04T12:00:00", "ends_at": "2026-05-04T13:00:00"},
        {"ends_at": "soon"},
    ],
)
def test_what_would_be_open_everywhere_or_for_long_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        glass(**changes)


def test_it_is_off_until_the_organisation_says_who() -> None:
    assert not BreakGlassParameters().is_on
    assert not Org(name="acme").break_glass.permits("oncall", ("sre",))
    with pytest.raises(ValidationError):
        BreakGlassParameters(callers=("oncall",), minutes=LONGEST_MINUTES + 1)


MINUTES = st.integers(1, LONGEST_MINUTES)


@given(
    minutes=MINUTES,
    allowed=MINUTES,
    seconds=st.floats(-20_000, 20_000).map(lambda number: round(number, 3)),
)
def test_it_holds_from_its_beginning_until_before_its_end(
    minutes: int, allowed: int, seconds: float
) -> None:
    """Never longer than the organisation allows now, whatever was recorded."""
    now = NOON + timedelta(seconds=seconds)
    bundle = _bundle(break_glass={"callers": ["oncall"], "minutes": allowed})

    verdict = decide(_request(glass(minutes=minutes), now=now), (GPU,), (), bundle)

    held = 0 <= seconds < 60 * min(minutes, allowed)
    assert (verdict.outcome is Outcome.ALLOW) == held
    assert (verdict.findings[0].waived_by == "B-1") == held


@given(
    code=st.sampled_from(sorted(RULES)),
    codes=st.none() | st.lists(st.sampled_from(sorted(RULES)), min_size=1).map(tuple),
)
def test_it_waives_its_own_codes_only(code: str, codes: tuple[str, ...] | None) -> None:
    finding = Finding(code=code, resource="a")

    verdict = decide(_request(glass(codes=codes)), (finding,), (), _bundle())

    assert (verdict.outcome is Outcome.ALLOW) == (codes is None or code in codes)


NAME = st.sampled_from(["prod-eu", "prod-us", "dev", "p"])
PATTERN = NAME | st.sampled_from(["prod-*", "p*", "d*"])
FIELDS = tuple(Scope.model_fields)


@given(
    place=st.dictionaries(st.sampled_from(FIELDS), NAME),
    match=st.dictionaries(st.sampled_from(FIELDS), PATTERN, min_size=1),
)
def test_it_waives_nothing_outside_its_scope(place: dict[str, str], match: dict[str, str]) -> None:
    scope = Scope(**place)
    resource = _resource(scope=scope)

    verdict = decide(_request(glass(match=match), resources=(resource,)), (GPU,), (), _bundle())

    inside = all(
        name in place
        and (
            place[name].startswith(pattern[:-1])
            if pattern.endswith("*")
            else place[name] == pattern
        )
        for name, pattern in match.items()
    )
    assert (verdict.outcome is Outcome.ALLOW) == inside
