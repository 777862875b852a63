"""What the organisation takes off a list of vendors or regions never allows more."""

from __future__ import annotations

import json
from typing import Any

import pytest
import regorus
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import bundle_of, document_of, engine_of, examples

from service.bundle.values import Org
from service.model.request import Request

VENDORS = ("aws", "coreweave", "gcp", "nebius")
REGIONS = ("EU-NORTH-01", "EU-WEST-02", "europe-west4", "us-east1")
PURPOSES = ("finetuning", "inference", "pretraining")

Found = set[tuple[str, str | None, bool]]

listed = st.one_of(st.none(), st.frozensets(st.sampled_from(VENDORS)))
resources = st.fixed_dictionaries(
    {
        "vendor": st.one_of(st.none(), st.sampled_from(VENDORS)),
        "region": st.one_of(st.none(), st.sampled_from(REGIONS)),
        "purpose": st.one_of(st.none(), st.sampled_from(PURPOSES)),
        "latency_critical": st.one_of(st.none(), st.booleans()),
    }
)


@pytest.fixture(scope="module")
def engine() -> regorus.Engine:
    bundle = bundle_of("example")
    modules = {
        path: text
        for path, text in bundle.modules.items()
        if path.startswith(("policies/lib/", "policies/rules/vendor/"))
    }
    return engine_of(modules, {**bundle.data, "org": {}})


def findings(engine: regorus.Engine, resource: dict[str, Any], vendor: dict[str, Any]) -> Found:
    """What the rules with lists report: code, resource, and whether it is certain."""
    document = document_of(_request())
    document["resources"][0] |= resource
    org = Org.model_validate({"name": "Toy", "vendor": vendor}).model_dump(mode="json")
    engine.clear_data()
    engine.add_data_json(json.dumps({"catalog": {}, "index": {}, "org": org}))
    engine.set_input_json(json.dumps(document))
    return {
        (finding["code"], finding["resource"], "facts" in finding)
        for topic in ("approval", "placement")
        for finding in json.loads(
            engine.eval_rule_as_json(f"data.policies.rules.vendor.{topic}.deny")
        )
    }


def _request() -> Request:
    return next(e for e in examples() if e.topic == "vendor/approval").resolved()


@settings(max_examples=60, deadline=None)
@given(resource=resources, wide=listed, taken=st.frozensets(st.sampled_from(VENDORS)))
@pytest.mark.parametrize("field", ["approved", "training_vendors", "latency_vendors"])
def test_a_smaller_list_of_vendors_never_allows_more(
    engine: regorus.Engine,
    field: str,
    resource: dict[str, Any],
    wide: frozenset[str] | None,
    taken: frozenset[str],
) -> None:
    narrow = frozenset(VENDORS if wide is None else wide) - taken

    before = findings(engine, resource, {field: None if wide is None else tuple(sorted(wide))})
    after = findings(engine, resource, {field: tuple(sorted(narrow))})

    # What could not be told may become certain; nothing that was said goes away.
    assert {each[:2] for each in before} <= {each[:2] for each in after}
    assert {each for each in before if each[2]} <= after


@settings(max_examples=60, deadline=None)
@given(
    resource=resources,
    wide=st.frozensets(st.sampled_from(REGIONS)),
    taken=st.frozensets(st.sampled_from(REGIONS)),
)
def test_a_smaller_list_of_regions_never_allows_more(
    engine: regorus.Engine,
    resource: dict[str, Any],
    wide: frozenset[str],
    taken: frozenset[str],
) -> None:
    before = findings(engine, resource, {"approved_regions": {"gcp": tuple(sorted(wide))}})
    after = findings(engine, resource, {"approved_regions": {"gcp": tuple(sorted(wide - taken))}})

    assert before <= after


@settings(max_examples=80, deadline=None)
@given(resource=resources, until=st.dates(), shorter=st.dates())
def test_a_shorter_trial_never_allows_more(
    engine: regorus.Engine, resource: dict[str, Any], until: Any, shorter: Any
) -> None:
    earlier, later = sorted((until, shorter))

    before = findings(engine, resource, {"evaluations": {"nebius": {"until": str(later)}}})
    after = findings(engine, resource, {"evaluations": {"nebius": {"until": str(earlier)}}})

    assert before <= after
