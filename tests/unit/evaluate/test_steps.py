"""An entry taken apart asks for all that the entry asks for, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_bundle import request, resource, toy

from service.bundle.build import build
from service.bundle.entry import entry_module
from service.bundle.linking import LINKED_PATH, Linked
from service.bundle.metadata import Reporter
from service.bundle.shipped import shipped, shipped_names
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.steps import ENTRY_PATH, ENTRY_QUERY, take_apart


@pytest.mark.parametrize("name", sorted(shipped_names()))
def test_shipped_bundles_are_asked_package_by_package(name: str) -> None:
    bundle = build(shipped(name))

    steps = take_apart(bundle.modules)

    assert set(steps.rules) == {rule.package for rule in bundle.rulebook.values()}
    assert len(steps.queries) == len(steps.rules)


def test_a_selection_of_codes_is_kept() -> None:
    reporters = [
        Reporter("policies.rules.toy.size", frozenset(("TOY-001", "TOY-002")), reads_request=False),
        Reporter("policies.rules.toy.sum", frozenset(("TOY-003",)), reads_request=True),
    ]
    entry = entry_module(reporters, frozenset(("TOY-001", "TOY-003")))

    steps = take_apart({ENTRY_PATH: entry})

    assert steps.rules == ("policies.rules.toy.size", "policies.rules.toy.sum")
    assert 'finding.code in {"TOY-001"}' in steps.modules["portreeve/step_0.rego"]
    assert steps.queries == (
        "data.portreeve.step_0.findings",
        "data.policies.rules.toy.sum.deny",
    )


def test_a_selection_of_codes_is_kept_in_a_linked_bundle() -> None:
    one = Linked(
        text="package portreeve\n",
        names={
            "policies.rules.toy.size.deny": "toy_size_deny",
            "policies.rules.toy.sum.deny": "toy_sum_deny",
        },
        parts=(),
    )
    reporters = [
        Reporter("policies.rules.toy.size", frozenset(("TOY-001", "TOY-002")), reads_request=False),
        Reporter("policies.rules.toy.sum", frozenset(("TOY-003",)), reads_request=True),
    ]
    entry = entry_module(reporters, frozenset(("TOY-001", "TOY-003")))

    steps = take_apart({ENTRY_PATH: entry}, one)

    assert steps.rules == ("policies.rules.toy.size", "policies.rules.toy.sum")
    assert "some finding in toy_size_deny\n" in steps.modules[LINKED_PATH]
    assert steps.queries == (
        "data.portreeve.step_0",
        "data.portreeve.toy_sum_deny",
    )


def test_a_rule_that_is_not_linked_leaves_all_as_they_are() -> None:
    modules = toy().modules

    assert take_apart(modules, Linked("", {}, ())) == take_apart(modules)


@pytest.mark.parametrize(
    "more",
    [
        "findings contains 1\n",
        "resource_findings contains finding if some finding in data.policies.other\n",
        "request_findings contains finding if {\n\tsome finding in data.policies.a.deny\n}\n",
        "x := data.policies.rules.a.deny\n",
    ],
)
def test_an_entry_with_anything_else_is_asked_as_a_whole(more: str) -> None:
    modules = toy().modules
    entry = {**modules, ENTRY_PATH: modules[ENTRY_PATH] + "\n" + more}

    assert take_apart(modules).queries != (ENTRY_QUERY,)
    assert take_apart(entry).queries == (ENTRY_QUERY,)
    assert take_apart({}).queries == (ENTRY_QUERY,)


async def test_codes_that_are_not_selected_are_not_reported() -> None:
    bundle = toy('finding := {"code": "TOY-002", "resource": resource.address, "facts": {}}')
    reporters = [
        Reporter("policies.rules.toy.odd", frozenset(("TOY-002", "TOY-009")), reads_request=False),
        Reporter("policies.rules.toy.size", frozenset(("TOY-001", "TOY-008")), reads_request=False),
    ]
    entry = entry_module(reporters, frozenset(("TOY-001",)))
    chosen = replace(bundle, modules={**bundle.modules, ENTRY_PATH: entry})
    asked = request(resource(asked=9, odd="yes"))
    found = []
    for each in (bundle, chosen):
        engine = await EmbeddedEngine.start(each, workers=1)
        found.append([finding.code for finding in await engine.evaluate(asked, seconds=10)])
        await engine.close()

    assert found == [["TOY-001", "TOY-002"], ["TOY-001"]]


async def test_an_entry_asked_as_a_whole_has_the_same_findings() -> None:
    entry = "package portreeve.entry\n\nfindings := data.policies.rules.toy.size.deny\n"
    asked = request(resource(asked=9), resource("Pod toy/b", asked=1))
    found = []
    for bundle in (toy(), toy(entry=entry)):
        engine = await EmbeddedEngine.start(bundle, workers=1)
        found.append(await engine.evaluate(asked, seconds=10))
        await engine.close()

    assert found[0] == found[1]
    assert [finding.code for finding in found[0]] == ["TOY-001"]
