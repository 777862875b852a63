"""Budgets that could not be kept as they are written are refused when the bundle is built."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from service.bundle.budgets import BudgetRow, ancestors, check_budgets
from service.errors import BundleRefused

_TABLE = TypeAdapter(dict[str, BudgetRow])


def _row(**fields: Any) -> dict[str, Any]:
    return {"basis": "capacity", "period": {"start": "2026-10-01", "end": "2026-12-31"}, **fields}


_TEAM = {"teams": ["vision"]}


def _check(**rows: dict[str, Any]) -> None:
    check_budgets(_TABLE.validate_python(rows))


def test_a_tree_knows_who_is_above_whom() -> None:
    rows = _TABLE.validate_python(
        {"c": _row(parent="b"), "b": _row(parent="a"), "a": _row(), "z": _row()}
    )

    assert ancestors(rows) == {"a": (), "b": ("a",), "c": ("a", "b"), "z": ()}


def test_a_budget_with_everything_is_accepted() -> None:
    _check(
        a=_row(soft=1, approval=2, approvers=["finance"], limit=3, spent=1, as_of="2026-11-01"),
        b=_row(parent="a", match=_TEAM, unit="accelerator_minutes", limit=9),
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"a": _row(parent="b")}, "`a` has the parent `b`, which is no budget"),
        ({"a": _row(parent="a")}, "`a` lies below itself, through `a`"),
        ({"a": _row(parent="b"), "b": _row(parent="a")}, "`a` lies below itself, through `a`"),
        (
            {"a": _row(period={"start": "2026-12-31", "end": "2026-10-01"})},
            "`a` has a period that ends on 2026-10-01 and starts on 2026-12-31",
        ),
        ({"a": _row(soft=2, limit=1)}, "`a` has `soft` 2 above `limit` 1"),
        (
            {"a": _row(approval=2, approvers=["x"], limit=1)},
            "`a` has `approval` 2 above `limit` 1",
        ),
        (
            {"a": _row(soft=3, approval=2, approvers=["x"])},
            "`a` has `soft` 3 above `approval` 2",
        ),
        (
            {"a": _row(unit="accelerator_minutes", currency="USD")},
            "`a` counts accelerator minutes and has a currency",
        ),
        ({"a": _row(approval=2)}, "`a` needs `approval` and `approvers` together"),
        ({"a": _row(approvers=["x"])}, "`a` needs `approval` and `approvers` together"),
        ({"a": _row(spent=2)}, "`a` states `spent` and not, in `as_of`, until when"),
        (
            {"a": _row(), "b": _row(parent="a", basis="workload", match=_TEAM)},
            "`b` counts workload and lies below one that counts capacity",
        ),
        ({"a": _row(), "b": _row(parent="a")}, "`b` counts nothing"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(rows: dict[str, Any], said: str) -> None:
    with pytest.raises(BundleRefused) as caught:
        _check(**rows)

    assert said in caught.value.message


def test_a_cycle_further_up_is_refused() -> None:
    with pytest.raises(BundleRefused, match="lies below itself"):
        _check(a=_row(parent="b"), b=_row(parent="c"), c=_row(parent="b"))
