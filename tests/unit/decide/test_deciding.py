from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle.values import Bundle, ModeRule, OnUnknown, Org, Rule
from service.decide.deciding import Verdict, decide, refusal
from service.errors import (
    BundleRefused,
    DeadlineExceeded,
    EngineUnavailable,
    EvaluationFailed,
    GovernanceError,
    LogUnavailable,
    RequestRefused,
)
from service.model.base import Change, Reason, Role, Scope
from service.model.decision import BundleRef, Cause, Outcome
from service.model.finding import Finding, Mode, Severity
from service.model.request import Context, NotCovered, Request, Total
from service.model.resource import Data, Ownership, Resource, ResourceState

GPU = Finding(code="GPU-001", resource="a", facts={"asked": 9, "team": "vision", "limit": 8})
BOUND = {"/ownership/team": "scope", "/ownership/environment": "scope"}
NOT_KNOWN = Finding(code="GPU-001", resource="a", undetermined=("/accelerators/0/total",))


def test_nothing_found_is_allowed_without_a_cause(request_of: Any, bundle_of: Any) -> None:
    assert decide(request_of(), (), (), bundle_of()) == Verdict(Outcome.ALLOW, Cause.NONE)


def test_a_code_without_a_mode_rule_is_enforced(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    verdict = decide(request_of(resource_of()), (GPU,), (), bundle_of())

    [finding] = verdict.findings
    assert (verdict.outcome, verdict.cause) == (Outcome.DENY, Cause.POLICY)
    assert (finding.mode, finding.severity) == (Mode.ENFORCE, Severity.HIGH)
    assert finding.message == "`a` takes 9; team `vision` may take 8"
    assert finding.remedy == "Lower the count to 8."
    assert finding.facts == {"asked": 9, "limit": 8, "team": "vision"}


@pytest.mark.parametrize(
    ("posture", "outcome"),
    [
        (Mode.OBSERVE, Outcome.ALLOW),
        (Mode.WARN, Outcome.WARN),
        (Mode.ENFORCE, Outcome.DENY),
    ],
)
def test_the_posture_caps_every_mode(
    posture: Mode, outcome: Outcome, request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    rules = (ModeRule(code="GPU-001", mode=Mode.ENFORCE),)

    verdict = decide(request_of(resource_of()), (GPU,), (), bundle_of(posture=posture, modes=rules))

    assert verdict.outcome is outcome
    assert (verdict.cause is Cause.NONE) == (outcome is Outcome.ALLOW)


def test_the_most_specific_mode_rule_holds(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    owned = resource_of(ownership=Ownership(team="vision", environment="dev"), provenance=BOUND)
    rules = (
        ModeRule(domain="gpu", team="vision", environment="dev", mode=Mode.OBSERVE),
        ModeRule(domain="gpu", team="vision", mode=Mode.WARN),
        ModeRule(mode=Mode.ENFORCE),
    )

    assert decide(request_of(owned), (GPU,), (), bundle_of(modes=rules)).outcome is Outcome.ALLOW
    assert decide(request_of(owned), (GPU,), (), bundle_of(modes=rules[1:])).outcome is Outcome.WARN


def test_a_code_is_more_specific_than_a_domain_and_then_the_later_rule_holds(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    rules = (
        ModeRule(code="GPU-001", mode=Mode.ENFORCE),
        ModeRule(code="GPU-001", mode=Mode.WARN),
        ModeRule(domain="gpu", mode=Mode.OBSERVE),
    )

    verdict = decide(request_of(resource_of()), (GPU,), (), bundle_of(modes=rules))

    assert verdict.outcome is Outcome.WARN


@pytest.mark.parametrize(
    "selector",
    [
        {"code": "GPU-002"},
        {"domain": "budget"},
        {"team": "speech"},
        {"environment": "dev"},
        {"enforcement_point": "terraform"},
    ],
)
def test_a_mode_rule_for_something_else_does_not_hold(
    selector: dict[str, str], request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    rules = (ModeRule(**selector, mode=Mode.OBSERVE),)

    verdict = decide(request_of(resource_of()), (GPU,), (), bundle_of(modes=rules))

    assert verdict.outcome is Outcome.DENY


def test_a_finding_about_the_request_takes_the_mode_of_its_team(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    both = request_of(
        resource_of("a", ownership=Ownership(team="vision", environment="dev"), provenance=BOUND),
        resource_of("b", ownership=Ownership(team="speech", environment="production")),
    )
    rules = (ModeRule(code="BUD-001", team="vision", environment="dev", mode=Mode.OBSERVE),)
    vision = Finding(code="BUD-001", facts={"team": "vision"})
    speech = Finding(code="BUD-001", facts={"team": "speech"})

    assert decide(both, (vision,), (), bundle_of(modes=rules)).outcome is Outcome.ALLOW
    assert decide(both, (speech,), (), bundle_of(modes=rules)).outcome is Outcome.DENY


def test_an_owner_that_only_a_label_states_makes_nothing_milder(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    labelled = request_of(resource_of(ownership=Ownership(team="vision", environment="dev")))
    milder = (
        ModeRule(team="vision", mode=Mode.OBSERVE),
        ModeRule(environment="dev", mode=Mode.WARN),
    )
    stricter = (ModeRule(mode=Mode.WARN), ModeRule(team="vision", mode=Mode.ENFORCE))

    assert decide(labelled, (GPU,), (), bundle_of(modes=milder)).outcome is Outcome.DENY
    assert decide(labelled, (GPU,), (), bundle_of(modes=stricter)).outcome is Outcome.DENY


@pytest.mark.parametrize(
    ("selector", "outcome"),
    [
        ({"cluster": "prod-eu"}, Outcome.WARN),
        ({"cluster": "prod-*", "namespace": "vision-*"}, Outcome.WARN),
        ({"namespace": "language-*"}, Outcome.DENY),
        ({"workspace": "*"}, Outcome.DENY),
        ({"account": "aws:1"}, Outcome.DENY),
    ],
)
def test_a_mode_rule_may_select_the_place(
    selector: dict[str, str], outcome: Outcome, request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    asked = request_of(
        resource_of(scope=Scope(cluster="prod-eu", namespace="vision-prod")),
        scope=Scope(cluster="other"),
    )
    rules = (ModeRule(**selector, mode=Mode.WARN),)

    verdict = decide(asked, (GPU,), (), bundle_of(modes=rules))

    assert verdict.outcome is outcome


@pytest.mark.parametrize(
    ("unknown", "mode"),
    [
        ({"/accelerators/0/total": Reason.AFTER_APPLY}, Mode.WARN),
        ({"/accelerators": Reason.AFTER_APPLY}, Mode.WARN),
        ({"": Reason.AFTER_APPLY}, Mode.WARN),
        ({"/accelerators/0/total/max": Reason.AFTER_APPLY}, Mode.WARN),
        ({"/accelerators/1/total": Reason.AFTER_APPLY}, Mode.OBSERVE),
        ({"/accelerators/0/total": Reason.NOT_IN_CATALOG}, Mode.ENFORCE),
        ({}, Mode.OBSERVE),
    ],
)
def test_what_is_not_known_takes_the_mode_of_its_reason(
    unknown: dict[str, Reason], mode: Mode, request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    bundle = bundle_of(on_unknown=OnUnknown(not_in_catalog=Mode.ENFORCE))

    verdict = decide(request_of(resource_of(unknown=unknown)), (NOT_KNOWN,), (), bundle)

    assert verdict.findings[0].mode is mode
    assert verdict.cause is (Cause.NONE if mode is Mode.OBSERVE else Cause.UNDETERMINED)


def test_the_strictest_reason_counts_and_the_codes_own_mode_caps_it(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    finding = NOT_KNOWN.model_copy(update={"undetermined": ("/region", "/accelerators")})
    asked = request_of(
        resource_of(unknown={"/region": Reason.UNDECLARED, "/accelerators": Reason.SENSITIVE})
    )
    strict = OnUnknown(sensitive=Mode.ENFORCE)
    warning = (ModeRule(code="GPU-001", mode=Mode.WARN),)

    assert decide(asked, (finding,), (), bundle_of(on_unknown=strict)).outcome is Outcome.DENY
    assert (
        decide(asked, (finding,), (), bundle_of(on_unknown=strict, modes=warning)).outcome
        is Outcome.WARN
    )


def test_an_unpriced_total_has_the_reasons_of_its_prices(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    total = Total(team="vision", role=Role.WORKLOAD, currency="USD", unpriced=("a", "b"))
    before = ResourceState(unknown={"/cost": Reason.ELSEWHERE})
    asked = request_of(
        resource_of("a", unknown={"/cost/micros_per_hour": Reason.AFTER_APPLY}),
        resource_of("b", before=before, ownership=Ownership(team="vision"), provenance=BOUND),
        context=Context(totals=(total,)),
    )
    unpriced = Finding(code="BUD-001", undetermined=("/context/totals/0/unpriced",))
    estimated = Finding(
        code="BUD-001", undetermined=("/context/totals/0/estimated_micros_per_hour",)
    )
    nowhere = Finding(code="BUD-001", undetermined=("/context/totals/7/unpriced",))

    def message(finding: Finding, **fields: Any) -> str:
        return decide(asked, (finding,), (), bundle_of(**fields)).findings[0].message

    assert "(known only after apply, stated in another object)" in message(unpriced)
    assert "(not in the tables)" in message(estimated)
    assert "(not declared)" in message(nowhere)
    rules = (ModeRule(team="vision", mode=Mode.OBSERVE),)
    assert decide(asked, (unpriced,), (), bundle_of()).outcome is Outcome.WARN
    assert decide(asked, (unpriced,), (), bundle_of(modes=rules)).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("pointer", "mode"),
    [
        ("/data/0/class", Mode.WARN),
        ("/data/1/class", Mode.OBSERVE),
        ("/data/x", Mode.OBSERVE),
        ("/data/0/asset", Mode.OBSERVE),
        ("/data", Mode.OBSERVE),
        ("/kind/x", Mode.OBSERVE),
    ],
)
def test_a_value_that_is_stated_and_in_no_table_is_not_undeclared(
    pointer: str, mode: Mode, request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    asked = request_of(resource_of(data=(Data(data_class="persnoal"),)))
    finding = Finding(code="RES-001", resource="a", undetermined=(pointer,))

    assert decide(asked, (finding,), (), bundle_of()).findings[0].mode is mode


def test_what_was_already_true_takes_the_mode_of_what_exists(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    update = request_of(resource_of(change=Change.UPDATE, before=ResourceState()))
    grown = GPU.model_copy(update={"facts": {"asked": 16, "team": "vision", "limit": 8}})

    same = decide(update, (GPU,), (GPU,), bundle_of())
    worse = decide(update, (grown,), (GPU,), bundle_of())

    assert (same.outcome, same.findings[0].pre_existing) == (Outcome.WARN, True)
    assert (worse.outcome, worse.findings[0].pre_existing) == (Outcome.DENY, False)


def test_not_knowing_before_does_not_excuse_a_violation_now(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    bare = Finding(code="GPU-001", resource="a")

    verdict = decide(request_of(resource_of()), (bare,), (NOT_KNOWN,), bundle_of())

    assert verdict.outcome is Outcome.DENY


@pytest.mark.parametrize("change", [Change.DELETE, Change.NO_OP, Change.READ])
def test_what_takes_nothing_any_more_is_never_refused(
    change: Change, request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    whole = Finding(code="BUD-001", facts={"team": None})

    verdict = decide(request_of(resource_of(change=change)), (GPU, whole), (), bundle_of())

    assert verdict.outcome is Outcome.ALLOW
    assert {finding.mode for finding in verdict.findings} == {Mode.OBSERVE}


def test_an_address_named_twice_is_settled_only_if_both_are(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    twice = request_of(resource_of(change=Change.DELETE), resource_of())

    assert decide(twice, (GPU,), (), bundle_of()).outcome is Outcome.DENY


def test_what_no_adapter_covers_warns_unless_the_organisation_says_otherwise(
    request_of: Any, bundle_of: Any
) -> None:
    asked = request_of(not_covered=(NotCovered(address="x.y", kind="odd_thing"),))

    [finding] = decide(asked, (), (), bundle_of()).findings
    rules = (ModeRule(code="COV-001", mode=Mode.ENFORCE),)

    assert (finding.code, finding.mode) == ("COV-001", Mode.WARN)
    assert (
        finding.message == "`x.y` is of kind `odd_thing`, which is not covered: nothing was judged"
    )
    assert decide(asked, (), (), bundle_of(modes=rules)).outcome is Outcome.DENY


def test_findings_are_in_one_order_and_each_is_reported_once(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    rules = (ModeRule(code="RES-001", mode=Mode.WARN),)
    found = [
        Finding(code="RES-001", resource="a"),
        Finding(code="GPU-002", resource="b"),
        Finding(code="GPU-002", resource="a", facts={"n": 2}),
        Finding(code="GPU-002", resource="a", facts={"n": 1}),
        Finding(code="BUD-001"),
        Finding(code="GPU-002", resource="b"),
    ]
    asked = request_of(resource_of("a"), resource_of("b"))

    verdict = decide(asked, found, (), bundle_of(modes=rules))
    turned = decide(asked, found[::-1], (), bundle_of(modes=rules))

    assert verdict == turned
    assert [(f.code, f.resource, f.facts.get("n")) for f in verdict.findings] == [
        ("BUD-001", None, None),
        ("GPU-002", "a", 1),
        ("GPU-002", "a", 2),
        ("GPU-002", "b", None),
        ("RES-001", "a", None),
    ]


def test_a_violation_is_the_cause_even_beside_something_unknown(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    strict = OnUnknown(undeclared=Mode.ENFORCE)

    verdict = decide(request_of(resource_of()), (NOT_KNOWN, GPU), (), bundle_of(on_unknown=strict))

    assert (verdict.outcome, verdict.cause) == (Outcome.DENY, Cause.POLICY)


@pytest.mark.parametrize("code", ["GPU-999", "SYS-LOG"])
def test_a_code_without_words_is_a_failed_evaluation(
    code: str, request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    with pytest.raises(EvaluationFailed, match=f"reported the code `{code}`"):
        decide(request_of(resource_of()), (Finding(code=code, resource="a"),), (), bundle_of())


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (RequestRefused("the body is empty", code="SYS-INPUT-EMPTY"), "SYS-INPUT-EMPTY", "error"),
        (DeadlineExceeded("no answer within 2 s"), "SYS-DEADLINE", "error"),
        (EngineUnavailable("no evaluator is running"), "SYS-ENGINE", "busy"),
        (LogUnavailable("the disk is full"), "SYS-LOG", "error"),
        (EvaluationFailed("busy", code="SYS-BUSY"), "SYS-BUSY", "busy"),
        (BundleRefused("no rules"), "SYS-BUNDLE", "error"),
        (GovernanceError("odd", code="ODD"), "ODD", "error"),
    ],
)
def test_an_error_of_ours_is_a_refusal_with_its_code_and_hint(
    error: GovernanceError, code: str, cause: str
) -> None:
    verdict = refusal(error)

    [finding] = verdict.findings
    assert (verdict.outcome, verdict.cause.value) == (Outcome.DENY, cause)
    assert (finding.code, finding.mode, finding.message) == (code, Mode.ENFORCE, error.message)
    assert finding.title
    assert finding.remedy


def test_a_hint_goes_before_the_general_remedy() -> None:
    [finding] = refusal(RequestRefused("a\x1b[31m\nb", hint="Do this.")).findings

    assert (finding.remedy, finding.message) == ("Do this.", "a[31m b")


def test_facts_are_safe_to_print_in_lists_and_in_texts(
    request_of: Any, resource_of: Any, bundle_of: Any
) -> None:
    facts = {"asked": "9\x1b[2J", "places": ["eu\n1", "x" * 999]}
    finding = Finding(code="GPU-001", resource="a", facts=facts)

    [judged] = decide(request_of(resource_of()), (finding,), (), bundle_of()).findings

    assert judged.facts["asked"] == "9[2J"
    assert judged.facts["places"] == ["eu 1", "x" * 255 + "…"]


_CODES = st.sampled_from(["GPU-001", "GPU-002", "BUD-001", "RES-001"])
_FINDINGS = st.builds(
    Finding,
    code=_CODES,
    resource=st.sampled_from([None, "a", "b", "gone"]),
    facts=st.dictionaries(st.sampled_from(["asked", "team"]), st.integers(0, 3), max_size=2),
    undetermined=st.lists(
        st.sampled_from(["/region", "/cost", "/context/totals/0/x"]), max_size=2
    ).map(tuple),
)
_MODES = st.builds(
    ModeRule,
    code=st.none() | _CODES,
    domain=st.sampled_from([None, "gpu", "budget"]),
    team=st.sampled_from([None, "vision"]),
    mode=st.sampled_from(list(Mode)),
)
_ORGS = st.builds(
    Org,
    name=st.just("acme"),
    posture=st.sampled_from(list(Mode)),
    modes=st.lists(_MODES, max_size=3).map(tuple),
    on_existing=st.sampled_from(list(Mode)),
)
_RESOURCES = st.builds(
    Resource,
    address=st.sampled_from(["a", "b"]),
    subject=st.just("s"),
    kind=st.just("Pod"),
    role=st.just(Role.WORKLOAD),
    change=st.sampled_from(list(Change)),
    ownership=st.builds(Ownership, team=st.sampled_from([None, "vision"])),
    unknown=st.dictionaries(
        st.sampled_from(["/region", "/cost"]), st.sampled_from(list(Reason)), max_size=2
    ),
)
_RANK = [Outcome.ALLOW, Outcome.WARN, Outcome.DENY]


def _bundle(org: Org) -> Bundle:
    rule = {"title": "t", "message": "m", "remedy": "r", "severity": "low", "package": "p"}
    book = {
        code: Rule(code=code, domain=domain, **rule)
        for code, domain in {
            "GPU-001": "gpu",
            "GPU-002": "gpu",
            "BUD-001": "budget",
            "RES-001": "residency",
        }.items()
    }
    return Bundle(BundleRef(name="t", revision="1", digest="sha256:00"), {}, {}, book, org)


def _asked(resources: list[Resource]) -> Request:
    return Request(
        key="k",
        enforcement_point="api",
        operation="create",
        binding="binding",
        resources=tuple(resources),
    )


_LISTS = st.lists(_FINDINGS, max_size=5)


@given(found=_LISTS, more=_FINDINGS, before=_LISTS, org=_ORGS, resources=st.lists(_RESOURCES))
def test_one_more_finding_never_makes_the_outcome_milder(
    found: list[Finding],
    more: Finding,
    before: list[Finding],
    org: Org,
    resources: list[Resource],
) -> None:
    asked, bundle = _asked(resources), _bundle(org)

    fewer = decide(asked, found, before, bundle)
    all_of_them = decide(asked, [*found, more], before, bundle)

    assert _RANK.index(all_of_them.outcome) >= _RANK.index(fewer.outcome)


@given(found=_LISTS, before=_LISTS, org=_ORGS, resources=st.lists(_RESOURCES))
def test_every_finding_is_reported_once_whatever_its_mode(
    found: list[Finding], before: list[Finding], org: Org, resources: list[Resource]
) -> None:
    judged = decide(_asked(resources), found, before, _bundle(org)).findings

    def keys(findings: Any) -> list[str]:
        return sorted(
            str((f.code, f.resource, f.undetermined, sorted(f.facts.items()))) for f in findings
        )

    assert keys(judged) == sorted(set(keys(found)))


@given(found=_LISTS, org=_ORGS, resources=st.lists(_RESOURCES))
def test_no_mode_is_stricter_than_the_posture(
    found: list[Finding], org: Org, resources: list[Resource]
) -> None:
    order = list(Mode)

    for finding in decide(_asked(resources), found, (), _bundle(org)).findings:
        assert order.index(finding.mode) <= order.index(org.posture)
