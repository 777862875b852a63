"""Pointers into budgets and usage lead to why a figure is not firm, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from service.decide.reasons import Reasons
from service.model.base import Binding, EnforcementPoint, Reason, Role
from service.model.request import Asked, Budget, BudgetUnit, Context, Request, Usage


@pytest.fixture
def reasons(resource_of: Any) -> Reasons:
    budget = Budget(
        path="acme",
        basis=Role.CAPACITY,
        unit=BudgetUnit.MICROS,
        period_start="2026-10-01",
        period_end="2026-12-31",
        minutes_left=0,
        asked=Asked(uncounted=("a",)),
    )
    return Reasons(
        Request(
            key="k",
            enforcement_point=EnforcementPoint.API,
            operation="create",
            binding=Binding.BINDING,
            resources=(resource_of("a", unknown={"/cost": Reason.AFTER_APPLY}),),
            context=Context(budgets=(budget,), usage=(Usage(team="vision", role=Role.CAPACITY),)),
        )
    )


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/context/budgets/0/asked/uncounted", Reason.AFTER_APPLY),
        ("/context/budgets/0/asked/estimated", Reason.NOT_IN_CATALOG),
        ("/context/budgets/0/period_end", Reason.UNDECLARED),
        ("/context/budgets/7/asked/uncounted", Reason.UNDECLARED),
        ("/context/budgets/x/asked/uncounted", Reason.UNDECLARED),
        ("/context/usage/0/micros_per_hour", Reason.UNDECLARED),
        ("/context/usage", Reason.UNDECLARED),
    ],
)
def test_a_figure_that_is_not_firm_has_a_reason(
    pointer: str, expected: Reason, reasons: Reasons
) -> None:
    assert reasons.of(None, pointer) == (expected,)


def test_a_row_of_usage_tells_the_team(reasons: Reasons) -> None:
    assert reasons.team(["/context/usage", "/context/usage/0/currency"]) == "vision"
    assert reasons.team(["/context/budgets/0/asked/estimated"]) is None
