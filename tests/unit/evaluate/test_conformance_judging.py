"""What the page about engines makes of one case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from engines_page import Answer, Case, Tally, judge, page


def case(wanted: tuple[Mapping[str, Any], ...] | None, **more: Any) -> Case:
    fields: dict[str, Any] = {
        "note": "n",
        "query": "q",
        "modules": (),
        "data": {},
        "input": "",
        "builtins": frozenset({"count"}),
        "any_order": False,
        **more,
    }
    return Case(wanted=wanted, **fields)


@pytest.mark.parametrize(
    ("wanted", "answer", "expected"),
    [
        (({"x": 1},), [{"x": 1.0}], Answer.RIGHT),
        (({"x": 1}, {"x": 2}), [{"x": 2}, {"x": 1}], Answer.RIGHT),
        (({"x": [1, 2]},), [{"x": [2, 1]}], Answer.WRONG),
        (({"x": 1},), [], Answer.WRONG),
        (({"x": 1},), None, Answer.RAISES),
        ((), [], Answer.RIGHT),
        (None, None, Answer.RIGHT),
        (None, [], Answer.WRONG),
    ],
)
def test_an_answer_is_right_raised_or_wrong(
    wanted: tuple[Mapping[str, Any], ...] | None,
    answer: list[Mapping[str, Any]] | None,
    expected: Answer,
) -> None:
    assert judge(case(wanted), answer) is expected


def test_lists_are_in_any_order_where_the_suite_says_so() -> None:
    assert judge(case(({"x": [1, 2]},), any_order=True), [{"x": [2, 1]}]) is Answer.RIGHT


def test_a_builtin_that_rules_may_call_is_never_wrong() -> None:
    tally = Tally("engine")
    tally.add(case(()), Answer.WRONG)

    with pytest.raises(ValueError, match="engine is wrong about what rules may use: count"):
        page([tally])


def test_what_no_rule_may_call_takes_the_blame() -> None:
    tally = Tally("engine")
    tally.add(case((), builtins=frozenset({"count", "walk"})), Answer.WRONG)

    assert "| `walk` |  |  | 1 |" in page([tally])
    assert not tally.by_builtin["count"]
