"""Every rule is fed: no field that it reads is one that nobody ever fills."""

from __future__ import annotations

import pytest
from inputs_table import ADAPTERS, RESOLVE, TARGET, feeds, own_fields, page, unfed
from rule_examples import bundle_of

from service.bundle.values import Rule

each_rule = pytest.mark.parametrize(
    "rule", bundle_of("example").rulebook.values(), ids=lambda rule: rule.code
)


@each_rule
def test_each_field_of_a_rule_is_fed_by_somebody(rule: Rule) -> None:
    assert unfed(rule) == []


@each_rule
def test_an_adapter_that_a_rule_names_feeds_it(rule: Rule) -> None:
    """A rule all of whose fields are looked up is fed by whatever is asked."""
    own = own_fields(rule)
    for adapter in set(ADAPTERS) & set(rule.adapters):
        assert not own or any(feeds(adapter, field) for field in own), adapter


def test_a_field_that_nobody_fills_is_noticed() -> None:
    assert not any(feeds(who, "placement.colour") for who in (*ADAPTERS, RESOLVE))


def test_the_committed_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), "python tests/support/inputs_table.py"
