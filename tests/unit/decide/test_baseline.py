"""A baseline keeps what runs observed, until it takes more or its day comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle.baseline import BaselineRow, Taken, TakenAccelerators
from service.bundle.values import Bundle, Org, Rule
from service.decide.baseline import growth, taken_by
from service.decide.deciding import decide
from service.decide.modes import RANK
from service.model.base import Basis, Change, EnforcementPoint, PriceKind, Range, Role, Scope
from service.model.decision import BundleRef, Outcome
from service.model.finding import Finding, JudgedFinding, Mode
from service.model.request import Context, NotCovered, Request
from service.model.resource import Accelerator, Cost, Data, Resource

NOW = "2026-11-23T12:00:00.000Z"
PLACE = Scope(cluster="prod-eu", namespace="vision-prod")
GPU = Finding(code="GPU-001", resource="a", facts={"asked": 9, "team": "vision", "limit": 8})
H100 = "nvidia-h100-80gb"


def accelerators(most: int | None, model: str | None = H100, **fields: Any) -> Accelerator:
    return Accelerator(model=model, total=Range(min=most, max=most), **fields)


def row(**fields: Any) -> BaselineRow:
    defaults: dict[str, Any] = {
        "subject": "a",
        "codes": ("GPU-001",),
        "until": "2026-12-31",
        "accelerators": (TakenAccelerators(model=H100, most=9),),
    }
    return BaselineRow.model_validate({**defaults, **fields})


@pytest.fixture
def judged(bundle_of: Any, request_of: Any, resource_of: Any) -> Any:
    """Decides one finding about nine accelerators, or whatever is asked for instead."""

    def run(rows: Any, finding: Finding = GPU, org: Any = None, **fields: Any) -> Any:
        resource = resource_of(**{"accelerators": (accelerators(9),), **fields})
        request = request_of(resource, scope=PLACE, context=Context(now=NOW))
        return decide(request, (finding,), (), bundle_of(baseline=rows, **(org or {})))

    return run


def test_what_the_baseline_has_is_observed_and_says_so(judged: Any) -> None:
    verdict = judged((row(),))

    [finding] = verdict.findings
    assert verdict.outcome is Outcome.ALLOW
    assert finding.mode is Mode.OBSERVE
    assert finding.baseline.model_dump() == {"until": "2026-12-31", "instead_of": Mode.ENFORCE}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"accelerators": (TakenAccelerators(model=H100, most=8),)},
            f"it takes 9 x {H100}, 8 were accepted",
        ),
        ({"until": "2026-11-22"}, "it held until 2026-11-22"),
        ({"until": "2026-11-23T12:00:00Z"}, "it held until 2026-11-23T12:00:00Z"),
        ({"region": "europe-west4"}, "its region is not known, europe-west4 was accepted"),
    ],
)
def test_what_it_no_longer_has_is_decided_and_the_answer_says_why(
    judged: Any, fields: dict[str, Any], why: str
) -> None:
    verdict = judged((row(**fields),))

    found, said = verdict.findings
    assert verdict.outcome is Outcome.DENY
    assert (found.code, found.mode, found.baseline) == ("GPU-001", Mode.ENFORCE, None)
    assert (said.code, said.mode) == ("BSL-001", Mode.WARN)
    assert said.message == f"the baseline of `GPU-001` no longer covers `a`: {why}"


@pytest.mark.parametrize("fields", [{"subject": "b"}, {"codes": ("GPU-002",)}])
def test_other_subjects_and_codes_are_none_of_its_business(
    judged: Any, fields: dict[str, Any]
) -> None:
    verdict = judged((row(**fields),))

    assert [finding.code for finding in verdict.findings] == ["GPU-001"]
    assert verdict.outcome is Outcome.DENY


def test_one_row_that_holds_is_enough(judged: Any) -> None:
    verdict = judged((row(until="2026-01-01"), row(until="2027-01-01"), row(until="2026-12-01")))

    [finding] = verdict.findings
    assert finding.baseline.until == "2027-01-01"


def test_what_is_only_observed_needs_no_baseline(judged: Any) -> None:
    [finding] = judged((row(),), org={"posture": Mode.OBSERVE}).findings
    assert finding.baseline is None

    [finding] = judged((row(),), change=Change.DELETE).findings
    assert finding.baseline is None


def test_a_waiver_goes_first(judged: Any) -> None:
    waiver = {
        "id": "W-1",
        "code": "GPU-001",
        "match": {"cluster": "prod-eu"},
        "owner": "vision",
        "reason": "a launch",
        "approver": "platform",
        "expires": "2026-12-31",
    }

    [finding] = judged((row(),), org={"waivers": (waiver,)}).findings

    assert (finding.waived_by, finding.baseline) == ("W-1", None)


def test_an_ended_row_weighs_no_more_than_what_it_covered(judged: Any) -> None:
    modes = [{"code": "GPU-001", "mode": "warn"}, {"code": "BSL-001", "mode": "enforce"}]

    verdict = judged((row(until="2026-01-01"),), org={"modes": modes})

    assert verdict.outcome is Outcome.WARN
    assert {finding.mode for finding in verdict.findings} == {Mode.WARN}


def test_a_finding_about_several_resources_needs_a_row_for_each(
    bundle_of: Any, request_of: Any, resource_of: Any
) -> None:
    whole = Finding(code="BUD-001")
    resources = [resource_of(name, accelerators=(accelerators(9),)) for name in "ab"]
    request = request_of(*resources, context=Context(now=NOW))

    def outcome(*subjects: str) -> Outcome:
        rows = tuple(row(subject=name, codes=("BUD-001",)) for name in subjects)
        return decide(request, (whole,), (), bundle_of(baseline=rows)).outcome

    assert outcome("a", "b") is Outcome.ALLOW
    assert outcome("a") is Outcome.DENY


def test_what_no_adapter_reads_is_not_covered(bundle_of: Any, request_of: Any) -> None:
    item = NotCovered(address="a", kind="odd")
    request = request_of(not_covered=(item,), context=Context(now=NOW))

    verdict = decide(request, (), (), bundle_of(baseline=(row(codes=("COV-001",)),)))

    assert verdict.outcome is Outcome.WARN


def taken(*items: TakenAccelerators, **fields: Any) -> Taken:
    return Taken(accelerators=items, **fields)


def of(most: int | None = None, model: str | None = H100, **fields: Any) -> TakenAccelerators:
    return TakenAccelerators(model=model, most=most, **fields)


@pytest.mark.parametrize(
    ("then", "now", "why"),
    [
        (taken(of(8)), taken(of(8)), ""),
        (taken(of(8)), taken(of(4)), ""),
        (taken(of(8)), taken(), ""),
        (taken(of(8)), taken(of(9)), f"it takes 9 x {H100}, 8 were accepted"),
        (taken(), taken(of(1)), f"it takes 1 x {H100}, 0 were accepted"),
        (taken(of(8)), taken(of(8, "amd-mi300x")), "it takes 8 x amd-mi300x, 0 were accepted"),
        # What was accepted without a model is accepted of any model, and not the other way round.
        (taken(of(8, None)), taken(of(8)), ""),
        (taken(of(8, None)), taken(of(4), of(5, "amd-mi300x")), "it takes 5 x amd-mi300x, 4 were"),
        (taken(of(8)), taken(of(8, None)), "it takes 8 x accelerators of a model that is not"),
        (taken(of(2, slice="1g.10gb")), taken(of(2)), f"it takes 2 x {H100}, 0 were accepted"),
        (
            taken(of(2, slice="1g.10gb")),
            taken(of(3, slice="1g.10gb")),
            f"it takes 3 x {H100} (1g.10gb), 2 were accepted",
        ),
        # As many as there are nodes: each node's must stay as they were.
        (taken(of(per_worker=8)), taken(of(per_worker=8)), ""),
        (taken(of(per_worker=4)), taken(of(per_worker=8)), f"it takes 8 x {H100} per worker, 4"),
        (taken(of(per_worker=8)), taken(of(8)), f"it takes 8 x {H100}, 0 were accepted"),
        (taken(of(8)), taken(of(per_worker=1)), f"it takes 1 x {H100} per worker, 0 were"),
        (taken(of(8)), taken(of()), f"it is not known how many {H100} it takes"),
        (taken(of(8)), Taken(accelerators=None), "it is not known which accelerators it takes"),
        (taken(nodes=3), taken(nodes=4), "it has 4 nodes, 3 were accepted"),
        (taken(nodes=3), taken(nodes=None), "it is not known how many nodes it has"),
        (taken(nodes=None), taken(nodes=3), ""),
        (taken(region="a"), taken(region="b"), "its region is b, a was accepted"),
        (taken(vendor="a"), taken(), "its vendor is not known, a was accepted"),
        (taken(), taken(region="b"), ""),
        (taken(data=("public",)), taken(data=("public", "secret")), "it has data of class secret"),
        (
            taken(micros_per_hour=1_000_000, currency="USD"),
            taken(micros_per_hour=1_500_000, currency="USD"),
            "it costs 1.50 USD per hour, 1.00 were accepted",
        ),
        (
            taken(micros_per_hour=1_000_000, currency="USD"),
            taken(micros_per_hour=1, currency="EUR"),
            "it is not known what it costs in USD",
        ),
        (
            taken(of(8), micros_per_hour=1_000_000, currency="USD", price_kind=PriceKind.SPOT),
            taken(of(8), micros_per_hour=3_000_000, currency="USD"),
            "it costs 3.00 USD per hour, 1.00 were accepted",
        ),
        # The same costs more: a price rose.
        (
            taken(of(8), micros_per_hour=1_000_000, currency="USD"),
            taken(of(8), micros_per_hour=1_200_000, currency="USD"),
            "",
        ),
    ],
)
def test_what_counts_as_growth(then: Taken, now: Taken, why: str) -> None:
    found = growth(then, now)

    assert found.startswith(why)
    assert bool(found) is bool(why)


def test_what_a_resource_takes(resource_of: Any) -> None:
    resource = resource_of(
        accelerators=(
            accelerators(8),
            accelerators(4),
            accelerators(None, per_worker=2),
            accelerators(None, per_worker=1),
            accelerators(1, None),
        ),
        nodes=Range(min=1, max=3),
        vendor="gcp",
        region="europe-west4",
        data=(Data(data_class="secret"), Data(data_class="public"), Data(data_class="secret")),
        cost=Cost(micros_per_hour=Range(min=1, max=5), currency="USD", basis=Basis.LIST),
    )

    assert taken_by(resource) == Taken(
        accelerators=(of(1, None), of(12), of(per_worker=3)),
        nodes=3,
        vendor="gcp",
        region="europe-west4",
        data=("public", "secret"),
        micros_per_hour=5,
        currency="USD",
    )
    assert taken_by(resource_of(accelerators=None)).accelerators is None


def test_what_only_nodes_tell_is_not_what_was_accepted(resource_of: Any) -> None:
    state: dict[str, Any] = {
        "accelerators": (accelerators(8, slice="1g.10gb"), accelerators(4, "amd-mi300x")),
        "vendor": "gcp",
        "region": "europe-west4",
    }
    pointers = ("/vendor", "/region", "/accelerators/0/model")
    seen = taken_by(resource_of(**state, provenance=dict.fromkeys(pointers, "inferred:cluster")))
    unseen = taken_by(
        resource_of(accelerators=(accelerators(8, None), accelerators(4, "amd-mi300x")))
    )

    # Nodes of another sort are added, or nobody watches: nothing grew.
    assert seen == unseen == taken(of(8, None), of(4, "amd-mi300x"))
    assert growth(seen, taken_by(resource_of(**state))) != ""


counts = st.integers(0, 20)
models = st.sampled_from([None, "x", "y"])
kinds = st.sampled_from([None, "half"])
some = st.lists(st.tuples(models, kinds, st.none() | counts, st.none() | counts), max_size=4)
places = st.fixed_dictionaries(
    {
        "vendor": st.sampled_from([None, "a", "b"]),
        "region": st.sampled_from([None, "a", "b"]),
        "nodes": st.none() | counts,
        "micros": st.none() | counts,
        "data": st.lists(st.sampled_from(["p", "q"]), max_size=2),
    }
)


def made(items: Any, place: Any, subject: str = "a") -> Resource:
    return Resource(
        address=subject,
        subject=subject,
        kind="Deployment",
        role=Role.WORKLOAD,
        change=Change.CREATE,
        accelerators=tuple(
            Accelerator(model=model, slice=part, total=Range(max=most), per_worker=each)
            for model, part, most, each in items
        ),
        vendor=place["vendor"],
        region=place["region"],
        nodes=Range(max=place["nodes"]),
        data=tuple(Data(data_class=name) for name in place["data"]),
        cost=Cost(
            micros_per_hour=Range(max=place["micros"]),
            currency="USD",
            basis=Basis.LIST if place["micros"] is not None else Basis.UNKNOWN,
        ),
    )


@given(some, places, some, places)
def test_a_baseline_never_covers_what_grew(before: Any, place: Any, after: Any, moved: Any) -> None:
    then, now = made(before, place), made(after, moved)

    if growth(taken_by(then), taken_by(now)):
        return

    assert all(each is not None for _, _, most, each in after if most is None)
    for part in (None, "half"):
        were = [(m, n) for m, s, n, _ in before if s == part and n is not None]
        are = [(m, n) for m, s, n, _ in after if s == part and n is not None]
        assert sum(n for _, n in are) <= sum(n for _, n in were)
        anything = sum(n for m, n in were if m is None)
        for model in ("x", "y"):
            accepted = sum(n for m, n in were if m == model) + anything
            assert sum(n for m, n in are if m == model) <= accepted
        assert sum(n for m, n in are if m is None) <= anything
    if place["nodes"] is not None:
        assert moved["nodes"] is not None
        assert moved["nodes"] <= place["nodes"]
    assert set(moved["data"]) <= set(place["data"])
    for name in ("vendor", "region"):
        assert place[name] in (None, moved[name])


@given(some, places)
def test_what_stays_as_it_was_has_not_grown(items: Any, place: Any) -> None:
    resource = made(items, place)

    known = all(most is not None or each is not None for _, _, most, each in items)
    assert (growth(taken_by(resource), taken_by(resource)) == "") is known


RULEBOOK = {
    code: Rule(
        code=code, title=code, severity="high", message=code, remedy="", package="p", domain="d"
    )
    for code in ("GPU-001", "BUD-001")
}
findings = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["GPU-001", "BUD-001"]),
        resource=st.sampled_from(["a", "b", None]),
        undetermined=st.sampled_from([(), ("/region",)]),
    ),
    max_size=4,
)
rows = st.lists(
    st.builds(
        row,
        subject=st.sampled_from(["a", "b", "c"]),
        codes=st.sampled_from([("GPU-001",), ("BUD-001", "GPU-001")]),
        until=st.sampled_from(["2026-01-01", "2027-01-01"]),
        accelerators=st.sampled_from([(), (TakenAccelerators(most=5),)]),
    ),
    max_size=4,
).map(tuple)


@given(findings, rows, some, st.sampled_from(list(Mode)), st.sampled_from([None, NOW]))
def test_a_baseline_never_makes_an_answer_stricter(
    found: Any, baseline: Any, items: Any, ended: Mode, now: str | None
) -> None:
    place = {"vendor": None, "region": None, "nodes": None, "micros": None, "data": []}
    request = Request(
        key="k",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding="binding",
        resources=(made(items, place), made(items, place, "b")),
        context=Context(now=now),
    )

    def verdict(**fields: Any) -> Any:
        modes = ({"code": "BSL-001", "mode": ended}, {"code": "BUD-001", "mode": "warn"})
        org = Org(name="acme", posture=Mode.ENFORCE, modes=modes, **fields)
        ref = BundleRef(name="test", revision="1", digest="sha256:00")
        bundle = Bundle(ref=ref, modules={}, data={}, rulebook=RULEBOOK, org=org)
        return decide(request, found, (), bundle)

    without, with_it = verdict(), verdict(baseline=baseline)

    hardness = {Outcome.ALLOW: 0, Outcome.WARN: 1, Outcome.DENY: 2}
    assert hardness[with_it.outcome] <= hardness[without.outcome]
    own = [item for item in with_it.findings if item.code != "BSL-001"]
    assert sorted(map(_said, own)) == sorted(map(_said, without.findings))
    if now is None:
        assert with_it == without
    for item in own:
        if item.baseline is None:
            continue
        assert RANK[item.baseline.instead_of] > RANK[Mode.OBSERVE]
        about = [item.resource] if item.resource else ["a", "b"]
        for subject in about:
            assert any(
                entry.subject == subject
                and item.code in entry.codes
                and entry.until == "2027-01-01"
                for entry in baseline
            )


def _said(finding: JudgedFinding) -> tuple[str, str, str]:
    return finding.code, finding.resource or "", finding.message
