"""A waiver takes one code out of a decision, where and as long as the organisation said so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle.values import Bundle, Org, Rule
from service.bundle.waivers import Waiver, ends_at
from service.decide.deciding import decide
from service.errors import EvaluationFailed
from service.model.base import Change, Role, Scope
from service.model.decision import BundleRef, Cause, Outcome
from service.model.finding import Finding, JudgedFinding, Mode
from service.model.request import Context, NotCovered, Request
from service.model.resource import Ownership, Resource

NOW = "2026-11-23T12:00:00.000Z"
PLACE = Scope(cluster="prod-eu", namespace="vision-prod")
BOUND = {"/ownership/team": "scope", "/ownership/environment": "scope"}
VISION = Ownership(team="vision", environment="production")
GPU = Finding(code="GPU-001", resource="a", facts={"asked": 9, "team": "vision", "limit": 8})


def waiver(**fields: Any) -> Waiver:
    defaults: dict[str, Any] = {
        "id": "W-1",
        "code": "GPU-001",
        "match": {"cluster": "prod-eu"},
        "owner": "vision",
        "reason": "a launch",
        "approver": "platform",
        "expires": "2026-12-31",
    }
    return Waiver.model_validate({**defaults, **fields})


@pytest.fixture
def asked(request_of: Any, resource_of: Any) -> Request:
    """One resource of a team that the organisation's scopes name."""
    resource = resource_of(scope=PLACE, ownership=VISION, provenance=BOUND)
    found: Request = request_of(resource, scope=PLACE, context=Context(now=NOW))
    return found


def test_a_finding_under_a_waiver_does_not_count(asked: Request, bundle_of: Any) -> None:
    verdict = decide(asked, (GPU,), (), bundle_of(waivers=(waiver(),)))

    [finding] = verdict.findings
    assert (verdict.outcome, verdict.cause) == (Outcome.ALLOW, Cause.NONE)
    assert (finding.waived_by, finding.mode) == ("W-1", Mode.ENFORCE)
    assert finding.waiver is not None
    assert finding.waiver.model_dump() == {
        "owner": "vision",
        "approver": "platform",
        "reason": "a launch",
        "expires": "2026-12-31",
    }


def test_what_is_not_waived_counts_and_comes_first(asked: Request, bundle_of: Any) -> None:
    modes = [{"code": "GPU-002", "mode": "warn"}]
    second = Finding(code="GPU-002", resource="a")

    verdict = decide(asked, (GPU, second), (), bundle_of(waivers=(waiver(),), modes=modes))

    assert verdict.outcome is Outcome.WARN
    assert [finding.code for finding in verdict.findings] == ["GPU-002", "GPU-001"]


@pytest.mark.parametrize(
    ("match", "outcome"),
    [
        ({"cluster": "prod-eu"}, Outcome.ALLOW),
        ({"cluster": "prod-*", "namespace": "vision-*"}, Outcome.ALLOW),
        ({"namespace": "language-*"}, Outcome.DENY),
        ({"cluster": "prod-eu", "workspace": "a"}, Outcome.DENY),
        ({"account": "*"}, Outcome.DENY),
        ({"team": "vision"}, Outcome.ALLOW),
        ({"team": "v*"}, Outcome.DENY),
        ({"team": "speech"}, Outcome.DENY),
        ({"environment": "production", "project": "a"}, Outcome.DENY),
    ],
)
def test_every_selector_has_to_match(
    match: dict[str, str], outcome: Outcome, asked: Request, bundle_of: Any
) -> None:
    verdict = decide(asked, (GPU,), (), bundle_of(waivers=(waiver(match=match),)))

    assert verdict.outcome is outcome


def test_a_label_of_the_tenant_matches_no_waiver(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    labelled = resource_of(
        scope=PLACE, ownership=VISION, provenance={"/ownership/team": "label portreeve.dev/team"}
    )
    asked = request_of(labelled, scope=PLACE, context=Context(now=NOW))

    for match in ({"team": "vision"}, {"environment": "production"}):
        verdict = decide(asked, (GPU,), (), bundle_of(waivers=(waiver(match=match),)))
        assert verdict.outcome is Outcome.DENY


def test_a_finding_about_several_resources_needs_a_waiver_for_each(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    elsewhere = resource_of("b", scope=Scope(cluster="dev"), ownership=VISION, provenance=BOUND)
    here = resource_of("a", scope=PLACE, ownership=VISION, provenance=BOUND)
    whole = Finding(code="BUD-001", facts={"team": "vision"})

    def outcome(match: dict[str, str], *resources: Resource) -> Outcome:
        asked = request_of(*resources, scope=PLACE, context=Context(now=NOW))
        waivers = (waiver(code="BUD-001", match=match),)
        return decide(asked, (whole,), (), bundle_of(waivers=waivers)).outcome

    assert outcome({"cluster": "prod-eu"}, here) is Outcome.ALLOW
    assert outcome({"cluster": "prod-eu"}, here, elsewhere) is Outcome.DENY
    assert outcome({"team": "vision"}, here, elsewhere) is Outcome.ALLOW


def test_an_item_that_nothing_covers_is_waived_by_the_place_of_the_request(
    request_of: Any, bundle_of: Any
) -> None:
    item = NotCovered(address="x", kind="odd")
    asked = request_of(not_covered=(item,), scope=PLACE, context=Context(now=NOW))

    def outcome(**match: str) -> Outcome:
        waivers = (waiver(code="COV-001", match=match),)
        return decide(asked, (), (), bundle_of(waivers=waivers)).outcome

    assert outcome(cluster="prod-eu") is Outcome.ALLOW
    assert outcome(team="vision") is Outcome.WARN


@pytest.mark.parametrize(
    ("expires", "over"),
    [
        ("2026-11-22", True),
        ("2026-11-23", False),
        ("2026-11-23T12:00:00Z", True),
        ("2026-11-23T12:00:01Z", False),
        ("2026-11-23T13:30:00+02:00", True),
    ],
)
def test_a_waiver_ends_when_it_says(
    expires: str, over: object, asked: Request, bundle_of: Any
) -> None:
    verdict = decide(asked, (GPU,), (), bundle_of(waivers=(waiver(expires=expires),)))

    assert (verdict.outcome is Outcome.DENY) == over


def test_an_expired_waiver_is_a_finding_of_its_own(asked: Request, bundle_of: Any) -> None:
    bundle = bundle_of(waivers=(waiver(expires="2026-11-01"),))

    verdict = decide(asked, (GPU,), (), bundle)

    refused, expired = verdict.findings
    assert (refused.code, refused.waived_by) == ("GPU-001", None)
    assert (expired.code, expired.mode, expired.resource) == ("WVR-001", Mode.WARN, "a")
    assert expired.message == (
        "waiver `W-1` of `GPU-001` expired on 2026-11-01 and no longer covers `a`; "
        "owner `vision`, approved by `platform`"
    )


def test_an_expired_waiver_is_reported_once_and_weighs_no_more_than_what_it_covered(
    asked: Request, bundle_of: Any
) -> None:
    more = GPU.model_copy(update={"facts": {"asked": 10}})
    over = (waiver(expires="2026-11-01"),)
    strict: Any = [{"code": "WVR-001", "mode": "enforce"}, {"code": "GPU-001", "mode": "observe"}]

    codes = [f.code for f in decide(asked, (GPU, more), (), bundle_of(waivers=over)).findings]
    observed = decide(asked, (GPU,), (), bundle_of(waivers=over, modes=strict))
    enforced = decide(asked, (GPU,), (), bundle_of(waivers=over, modes=strict[:1]))

    assert codes == ["GPU-001", "GPU-001", "WVR-001"]
    assert observed.outcome is Outcome.ALLOW
    assert {finding.mode for finding in enforced.findings} == {Mode.ENFORCE}


def test_a_waiver_that_was_renewed_is_not_said_to_have_expired(
    asked: Request, bundle_of: Any
) -> None:
    waivers = (
        waiver(expires="2026-11-01"),
        waiver(id="W-2", expires="2026-12-01"),
        waiver(id="W-3", expires="2026-11-30"),
    )

    [finding] = decide(asked, (GPU,), (), bundle_of(waivers=waivers)).findings

    assert finding.waived_by == "W-2"


def test_without_a_time_no_waiver_holds(asked: Request, bundle_of: Any) -> None:
    timeless = asked.model_copy(update={"context": Context()})

    verdict = decide(timeless, (GPU,), (), bundle_of(waivers=(waiver(),)))

    assert [finding.code for finding in verdict.findings] == ["GPU-001"]
    assert verdict.outcome is Outcome.DENY


def test_an_error_of_ours_cannot_be_waived(asked: Request, bundle_of: Any) -> None:
    bundle = bundle_of(waivers=(waiver(code="SYS-LOG"),))

    with pytest.raises(EvaluationFailed):
        decide(asked, (Finding(code="SYS-LOG", resource="a"),), (), bundle)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"match": {}}, "one selector at least is expected"),
        ({"match": {"labels": "a"}}, "Extra inputs are not permitted"),
        ({"approver": "Vision"}, "somebody other than the owner"),
        ({"reason": ""}, "at least 1 character"),
        ({"id": "a b"}, "should match pattern"),
        ({"expires": "soon"}, "a day such as 2026-12-31"),
        ({"expires": "2026-13-01"}, "a day such as 2026-12-31"),
        ({"expires": "20261231"}, "a day such as 2026-12-31"),
        ({"expires": "9999-12-31"}, "a day such as 2026-12-31"),
        ({"expires": "2026-12-31T12:00:00"}, "a day such as 2026-12-31"),
    ],
)
def test_a_waiver_says_everything(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        waiver(**fields)


def test_a_day_ends_with_its_last_moment_in_utc() -> None:
    assert ends_at("2026-12-31").isoformat() == "2027-01-01T00:00:00+00:00"


_CODES = st.sampled_from(["GPU-001", "GPU-002", "BUD-001"])
_FINDINGS = st.builds(
    Finding,
    code=_CODES,
    resource=st.sampled_from([None, "a", "b"]),
    facts=st.dictionaries(st.just("team"), st.sampled_from(["vision", "speech"])),
    undetermined=st.lists(st.just("/region"), max_size=1).map(tuple),
)
_MATCHES = st.fixed_dictionaries(
    {"cluster": st.sampled_from(["prod-eu", "prod-*", "dev"])},
    optional={"team": st.sampled_from(["vision", "speech"])},
)
_WAIVERS = st.builds(
    lambda number, code, match, day: waiver(
        id=f"W-{number}", code=code, match=match, expires=f"2026-11-{day}"
    ),
    st.integers(1, 9),
    _CODES,
    _MATCHES,
    st.sampled_from(["20", "23", "30"]),
)
_ORGS = st.builds(
    Org,
    name=st.just("acme"),
    posture=st.sampled_from(list(Mode)),
    modes=st.lists(
        st.fixed_dictionaries(
            {"code": _CODES | st.just("WVR-001"), "mode": st.sampled_from(list(Mode))}
        ),
        max_size=2,
    ),
    waivers=st.lists(_WAIVERS, max_size=3).map(tuple),
)
_RESOURCES = st.lists(
    st.builds(
        Resource,
        address=st.sampled_from(["a", "b"]),
        subject=st.just("s"),
        kind=st.just("Pod"),
        role=st.just(Role.WORKLOAD),
        change=st.sampled_from([Change.CREATE, Change.DELETE]),
        scope=st.sampled_from([None, Scope(cluster="dev")]),
        ownership=st.sampled_from([VISION, Ownership(team="speech")]),
        provenance=st.sampled_from([{}, BOUND]),
    ),
    max_size=3,
)
_LISTS = st.lists(_FINDINGS, max_size=4)
_RANK = list(Outcome)


def _bundle(org: Org) -> Bundle:
    words = {"title": "t", "message": "m", "remedy": "r", "severity": "low", "package": "p"}
    book = {
        code: Rule.model_validate({"code": code, "domain": "gpu", **words})
        for code in ("GPU-001", "GPU-002", "BUD-001")
    }
    return Bundle(BundleRef(name="t", revision="1", digest="sha256:00"), {}, {}, book, org)


def _asked(resources: list[Resource]) -> Request:
    return Request.model_validate(
        {
            "key": "k",
            "enforcement_point": "api",
            "operation": "create",
            "binding": "binding",
            "scope": PLACE,
            "resources": tuple(resources),
            "context": Context(now=NOW),
        }
    )


def _same(finding: JudgedFinding) -> tuple[object, ...]:
    return finding.code, finding.resource, finding.undetermined, str(finding.facts)


@given(found=_LISTS, more=_FINDINGS, org=_ORGS, resources=_RESOURCES)
def test_one_more_finding_never_turns_a_refusal_into_an_allow(
    found: list[Finding], more: Finding, org: Org, resources: list[Resource]
) -> None:
    asked, bundle = _asked(resources), _bundle(org)

    fewer = decide(asked, found, (), bundle).outcome
    all_of_them = decide(asked, [*found, more], (), bundle).outcome

    assert _RANK.index(all_of_them) >= _RANK.index(fewer)


@given(found=_LISTS, more=_WAIVERS, org=_ORGS, resources=_RESOURCES)
def test_one_more_waiver_changes_no_other_finding(
    found: list[Finding], more: Waiver, org: Org, resources: list[Resource]
) -> None:
    asked = _asked(resources)
    wider = org.model_copy(
        update={"waivers": (*org.waivers, more.model_copy(update={"id": "new"}))}
    )

    before = {_same(item): item for item in decide(asked, found, (), _bundle(org)).findings}
    after = {_same(item): item for item in decide(asked, found, (), _bundle(wider)).findings}

    for key, finding in before.items():
        if finding.code == "WVR-001":
            assert key not in after or after[key] == finding
        elif finding.code != more.code:
            assert after[key] == finding
        else:
            assert after[key].mode is finding.mode
            assert finding.waived_by is None or after[key].waived_by is not None


@given(found=_LISTS, org=_ORGS, resources=_RESOURCES)
def test_the_order_of_findings_changes_nothing(
    found: list[Finding], org: Org, resources: list[Resource]
) -> None:
    asked, bundle = _asked(resources), _bundle(org)

    assert decide(asked, found, (), bundle) == decide(asked, found[::-1], (), bundle)
