"""A linked bundle means what its modules mean, and what cannot be linked is left as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
import regorus
from rule_examples import bundle_of, document_of, engine_of, examples

from service.bundle.compiling import compile_modules
from service.bundle.linking import LINKED_PATH, Linked, linked
from service.bundle.shipped import shipped_names
from service.bundle.syntax import program
from service.evaluate.steps import take_apart

LIB = """\
package policies.lib.sums

# METADATA
# description: One more.
more(number) := number + _step

_step := 1
"""
RULE = """\
# A comment before the package
package policies.rules.toy.size

import data.org.limits
import data.policies.lib.sums
import data.policies.lib.sums as other

default _least := 2

_least := 3 if input.strict

deny contains {"code": "TOY-001", "resource": resource.address, "facts": facts} if {
	some resource in _asking
	some number, _ in [more | some more in resource.numbers; more >= _least]
	same := data.policies.lib.sums.more(number)
	facts := {"more": sums.more(number), "same": same, "limit": limits.gpus}
	other.more(number) > _table["one"].value
	not _is_small(resource)
}

_asking := [resource |
	some resource in input.resources
	every number in resource.numbers { number > 0 }
]

_is_small(resource) if {
	count(resource.numbers) < data.org.limits["gpus"]
} else if resource.numbers[_] == 99

_table[key] := {"value": 0} if some key in ["one", "two"]
"""
DATA = {"org": {"limits": {"gpus": 2}}}
PATHS = {"policies/lib/sums.rego": LIB, "policies/rules/toy/size/size.rego": RULE}


def _linked(modules: dict[str, str]) -> Linked | None:
    return linked(program(modules, compile_modules(modules, {}, entry=None)).modules)


def _findings(modules: dict[str, str], rule: str, request: dict[str, Any]) -> str:
    engine = regorus.Engine()
    for path, text in modules.items():
        engine.add_policy(path, text)
    engine.add_data_json(json.dumps(DATA))
    engine.set_input_json(json.dumps(request))
    found: str = engine.eval_rule_as_json(rule)
    return found


@pytest.mark.parametrize("numbers", [[], [1], [1, 2, 3], [5, 6], [5, 99], [0, 7, 8]])
@pytest.mark.parametrize("strict", [False, True])
def test_everything_that_a_module_can_refer_to_keeps_its_meaning(
    numbers: list[int], *, strict: bool
) -> None:
    request = {"resources": [{"address": "a", "numbers": numbers}], "strict": strict}
    one = _linked(PATHS)

    assert one is not None
    assert _findings(PATHS, "data.policies.rules.toy.size.deny", request) == _findings(
        {LINKED_PATH: one.text}, "data.portreeve.toy_size_deny", request
    )


@pytest.mark.parametrize("mark", [":= number +", "every number in resource.numbers"])
def test_places_are_told_in_the_sources(mark: str) -> None:
    one = _linked(PATHS)

    assert one is not None
    shown = _line_of(mark, one.text)
    expected = next((path, _line_of(mark, text)) for path, text in PATHS.items() if mark in text)
    assert one.place(shown) == expected
    assert one.place(1) == (LINKED_PATH, 1)


def _line_of(mark: str, text: str) -> int:
    return text[: text.index(mark)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("some number, _ in", "some sums, _ in", "a variable hides an import"),
        ("facts := {", "_least := 4\n\tfacts := {", "a variable hides a rule"),
        ("sums.more(number)", "sums._step", ""),
        ("limits.gpus", "count(sums)", "a package is looked at as a whole"),
        ("limits.gpus", "count(data)", "all of data is looked at"),
        ("limits.gpus", "data.policies.rules.other", "what is nowhere"),
        ("some number, _ in", "some lib_sums_more, _ in", "a variable has a name that is made"),
    ],
)
def test_what_may_mean_something_else_is_not_linked(old: str, new: str, why: str) -> None:
    path = "policies/rules/toy/size/size.rego"
    changed = {**PATHS, path: RULE.replace(old, new, 1)}

    assert (_linked(changed) is None) is bool(why)


def test_names_that_become_the_same_are_not_linked() -> None:
    same = {
        "policies/lib/a.rego": "package policies.lib.a\n\nb_c(_) := 1\n",
        "policies/lib/b.rego": "package policies.lib.a_b\n\nc(_) := 1\n",
    }

    assert _linked(same) is None


@pytest.mark.parametrize("name", sorted(shipped_names()))
def test_shipped_bundles_are_linked(name: str) -> None:
    assert bundle_of(name).linked is not None


@pytest.mark.parametrize("name", sorted({example.body["bundle"] for example in examples()}))
def test_examples_have_the_same_findings_linked_and_not(name: str) -> None:
    bundle = bundle_of(name)
    plain, steps = take_apart(bundle.modules), take_apart(bundle.modules, bundle.linked)
    apart, one = engine_of(plain.modules, bundle.data), engine_of(steps.modules, bundle.data)

    assert plain.rules == steps.rules
    for example in examples():
        if example.body["bundle"] != name:
            continue
        document = json.dumps(document_of(example.resolved()))
        for engine in (apart, one):
            engine.set_input_json(document)
        for ours, theirs in zip(steps.queries, plain.queries, strict=True):
            assert one.eval_rule_as_json(ours) == apart.eval_rule_as_json(theirs)
