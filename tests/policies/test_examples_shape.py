"""Examples are complete: good and bad ones from at least two vendors, for every code."""

from __future__ import annotations

from collections import defaultdict

import pytest
from rule_examples import RULES, Example, bundle_of, examples

_KEYS = {"name", "bundle", "scope", "outcome", "findings"}
_INPUTS = {"kubernetes", "terraform"}
_BESIDE = {"before", "cluster"}
_FINDING_KEYS = {"code", "resource", "message", "undetermined"}
TOPICS = sorted(path.parent.relative_to(RULES).as_posix() for path in RULES.rglob("*_test.rego"))


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_an_example_has_the_keys_of_one(example: Example) -> None:
    keys = set(example.body)

    assert keys - _BESIDE - _INPUTS == _KEYS
    assert len(keys & _INPUTS) == 1
    assert not keys & _BESIDE or "kubernetes" in keys
    for finding in example.body["findings"]:
        assert {"code", "resource"} <= set(finding) <= _FINDING_KEYS
        assert ("message" in finding) is not ("undetermined" in finding)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_has_good_and_bad_examples_from_two_vendors(topic: str) -> None:
    own = [example for example in examples() if example.topic == topic]

    assert any(not example.body["findings"] for example in own)
    assert len({example.body["name"] for example in own}) == len(own)
    assert len(_vendors(own)) >= 2


def test_every_code_has_an_example_of_its_refusal() -> None:
    refused = {
        finding["code"]
        for example in examples()
        for finding in example.body["findings"]
        if "message" in finding
    }

    assert set(bundle_of("example").rulebook) == refused


def test_an_example_speaks_of_its_own_codes_only() -> None:
    strangers = defaultdict(set)
    for example in examples():
        for finding in example.body["findings"]:
            if finding["code"] not in example.codes():
                strangers[example.id].add(finding["code"])

    assert not strangers


def _vendors(own: list[Example]) -> set[str]:
    """Whose shapes the examples have: clouds of plans, makers of accelerators in manifests."""
    found = set()
    for example in own:
        for resource in example.normalised().resources:
            if "terraform" in example.body and resource.vendor:
                found.add(resource.vendor)
            found |= {item.manufacturer for item in resource.accelerators or ()} - {None}
    return {str(vendor) for vendor in found}
