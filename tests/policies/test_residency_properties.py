"""Whatever an organisation states about places, stating less never allows more.

A list that is empty allows any place, so the smaller lists here still name something.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import regorus
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import POLICIES, document_of, examples

from service.model.resource import Asset

JURISDICTIONS = ("EU", "EEA", "UK", "ADEQUATE")
COUNTRIES = ("DE", "FR", "GB", "US")
KINDS = ("physical", "sovereign", "multi-region", "global", None)
USES = ("region", "required", "replication", "paired", None)
TOPICS = tuple(sorted(path.name for path in (POLICIES / "rules" / "residency").iterdir()))

Org = dict[str, Any]


@cache
def _engine() -> regorus.Engine:
    engine = regorus.Engine()
    for folder in ("lib", "rules/residency"):
        for path in sorted((POLICIES / folder).rglob("*.rego")):
            if not path.name.endswith("_test.rego"):
                engine.add_policy(str(path), path.read_text(encoding="utf-8"))
    return engine


@cache
def _dense() -> str:
    """A resource of a plan with every leaf, to put data and places into."""
    example = next(e for e in examples() if e.topic == "residency/country")
    return json.dumps(document_of(example.resolved()))


def refused(org: Org, data: list[Any], places: list[Any], **changes: Any) -> bool:
    """Whether any rule about residency refuses, or cannot tell."""
    document = json.loads(_dense())
    (resource,) = document["resources"]
    resource.update({"data": data, "places": places, "unknown": {}, **changes})
    engine = _engine()
    engine.clear_data()
    engine.add_data_json(json.dumps({"org": org, "catalog": {}, "index": {}}))
    engine.set_input_json(json.dumps(document))
    return any(
        json.loads(engine.eval_rule_as_json(f"data.policies.rules.residency.{topic}.deny"))
        for topic in TOPICS
    )


def _some(names: tuple[str, ...], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True, min_size=least)


def _restricted() -> st.SearchStrategy[Org]:
    return st.fixed_dictionaries(
        {"jurisdictions": _some(JURISDICTIONS, 1), "countries": _some(COUNTRIES)}
    )


_PLACES = st.lists(
    st.fixed_dictionaries(
        {
            "region": st.sampled_from(("one", "two", "three")),
            "kind": st.sampled_from(KINDS),
            "use": st.sampled_from(USES),
            "country": st.sampled_from((*COUNTRIES, None)),
            "jurisdictions": _some(JURISDICTIONS),
            "conditional": _some(("ADEQUATE",)),
        }
    ),
    min_size=1,
    max_size=3,
)
_ASSETS = st.sampled_from((None, *(asset.value for asset in Asset)))
_CERTIFIED = st.lists(
    st.fixed_dictionaries(
        {
            "operator": st.just("Acme"),
            "country": st.sampled_from(COUNTRIES),
            "jurisdiction": st.just("ADEQUATE"),
            "valid_until": st.sampled_from(("2026-11-01", "2026-11-02", "2027-01-31")),
        }
    ),
    max_size=3,
)


def _org(entry: Org, certified: list[Any] | None = None) -> Org:
    accepted = {"gcp": {"one": ["kept"]}}
    return {
        "data_classes": {"kept": entry},
        "residency": {"accepted_locations": accepted, "certified": certified or []},
    }


def _kept(asset: str | None) -> list[Any]:
    return [{"class": "kept", "asset": asset}]


@st.composite
def _smaller(draw: st.DrawFn, names: list[str]) -> list[str]:
    return [name for name in names if draw(st.booleans())] or names[:1]


@settings(max_examples=150, deadline=None)
@given(entry=_restricted(), places=_PLACES, asset=_ASSETS, certified=_CERTIFIED, choice=st.data())
def test_fewer_jurisdictions_never_allow_more(
    entry: Org, places: list[Any], asset: str | None, certified: list[Any], choice: st.DataObject
) -> None:
    fewer = {**entry, "jurisdictions": choice.draw(_smaller(entry["jurisdictions"]))}
    before, after = _org(entry, certified), _org(fewer, certified)
    where = {"operator": "Acme", "vendor": "gcp"}

    if refused(before, _kept(asset), places, **where):
        assert refused(after, _kept(asset), places, **where)


@settings(max_examples=150, deadline=None)
@given(entry=_restricted(), places=_PLACES, added=_PLACES, asset=_ASSETS, certified=_CERTIFIED)
def test_another_place_never_turns_a_refusal_into_an_allow(
    entry: Org, places: list[Any], added: list[Any], asset: str | None, certified: list[Any]
) -> None:
    org = _org(entry, certified)
    where = {"operator": "Acme", "vendor": "gcp"}

    if refused(org, _kept(asset), places, **where):
        assert refused(org, _kept(asset), places + added, **where)


@settings(max_examples=150, deadline=None)
@given(
    entry=_restricted(),
    own=st.dictionaries(st.sampled_from([asset.value for asset in Asset]), _restricted()),
    places=_PLACES,
    asset=_ASSETS,
)
def test_an_asset_that_nobody_declares_is_allowed_only_where_each_would_be(
    entry: Org, own: dict[str, Org], places: list[Any], asset: str | None
) -> None:
    org = _org({**entry, "assets": own})

    if refused(org, _kept(asset), places, vendor="gcp"):
        assert refused(org, _kept(None), places, vendor="gcp")


@settings(max_examples=100, deadline=None)
@given(
    allowed=_restricted(),
    homes=_some(COUNTRIES, 1),
    added=st.sampled_from(COUNTRIES),
    law=st.dictionaries(st.sampled_from(COUNTRIES), _some(JURISDICTIONS)),
    choice=st.data(),
)
def test_fewer_homes_of_operators_never_allow_more(
    allowed: Org, homes: list[str], added: str, law: Org, choice: st.DataObject
) -> None:
    fewer = {**allowed, "jurisdictions": choice.draw(_smaller(allowed["jurisdictions"]))}
    where = {"operator": "Acme", "operator_jurisdictions": law}
    more_homes = [*homes, added]

    if refused(_org({"operators": allowed}), _kept(None), [], operator_countries=homes, **where):
        for entry in (allowed, fewer):
            org = _org({"operators": entry})
            assert refused(org, _kept(None), [], operator_countries=homes, **where)
            assert refused(org, _kept(None), [], operator_countries=more_homes, **where)


def test_the_properties_are_about_something() -> None:
    """Neither everything nor nothing is refused."""
    entry = {"jurisdictions": ["EU"], "countries": []}
    inside = {
        "region": "one",
        "kind": "physical",
        "use": "region",
        "country": "DE",
        "jurisdictions": ["EU"],
        "conditional": [],
    }
    outside = {**inside, "country": "US", "jurisdictions": []}

    assert not refused(_org(entry), _kept(None), [inside])
    assert refused(_org(entry), _kept(None), [outside])
