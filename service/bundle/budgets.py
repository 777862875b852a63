"""The organisation's figures about money: what each team takes today, and its tree of budgets.

Both are stated in ``org/*.yaml`` until a ledger keeps them.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from service.errors import BundleRefused
from service.model.base import Count, Role, Text, Value
from service.model.request import BudgetUnit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class UsageRow(Value):
    """What a team takes on ``as_of`` from one vendor in one role; an entry of ``usage``.

    ``vendor`` is left out for what nobody rents out. ``micros_per_hour`` is in millionths of
    ``currency``, ``None`` where it is not known.
    """

    team: Text
    vendor: Text | None = None
    role: Role
    accelerators: Count | None = None
    micros_per_hour: Count | None = None
    currency: Text = "USD"
    as_of: date


class BudgetMatch(Value):
    """Whose resources count: in each list that is stated, one of the values must be the own."""

    teams: tuple[Text, ...] = ()
    projects: tuple[Text, ...] = ()
    cost_centers: tuple[Text, ...] = ()
    environments: tuple[Text, ...] = ()
    vendors: tuple[Text, ...] = ()


class Period(Value):
    """Days of UTC, both included."""

    start: date
    end: date


class BudgetRow(Value):
    """A budget; an entry of ``budgets``, under its path.

    What counts against a budget counts against all above it. One that states no ``match`` counts
    what those below it count; a root without a ``match`` counts everything of its ``basis``.

    Attributes:
        parent: The path of the one above; ``None`` for a root.
        match: Whose resources count.
        basis: ``capacity`` is bought, ``workload`` occupies it; they are never added up.
        unit: ``micros`` or ``accelerator_minutes``, of whole devices and slices alike.
        currency: Of a budget of money; that of ``limits`` where it is left out.
        period: The days that the amounts are for.
        limit: May not be exceeded.
        approval: Above it one of ``approvers`` has to agree.
        approvers: Who has to agree, as people know them.
        soft: Above it people are told.
        spent: What was billed in the period until ``as_of``.
        as_of: The last day that ``spent`` holds.
    """

    parent: Text | None = None
    match: BudgetMatch = BudgetMatch()
    basis: Role
    unit: BudgetUnit = BudgetUnit.MICROS
    currency: Text | None = None
    period: Period
    limit: Count | None = None
    approval: Count | None = None
    approvers: tuple[Text, ...] = ()
    soft: Count | None = None
    spent: Count = 0
    as_of: date | None = None


def ancestors(budgets: Mapping[str, BudgetRow]) -> dict[str, tuple[str, ...]]:
    """The paths above each budget, the root first.

    Raises:
        BundleRefused: A parent does not exist, or a budget lies below itself.
    """
    return {path: _above(path, budgets) for path in budgets}


def check_budgets(budgets: Mapping[str, BudgetRow]) -> None:
    """Refuse *budgets* that could not be kept as they are written.

    Raises:
        BundleRefused: As ``ancestors``; a period ends before it starts; thresholds are not in the
            order soft, approval, limit; a budget counts nothing or something else than the one
            above it; unit and currency, approval and approvers, or spent and its day disagree.
    """
    ancestors(budgets)
    parents = {row.parent for row in budgets.values()}
    for path, row in budgets.items():
        above = budgets[row.parent] if row.parent is not None else None
        is_empty = above is not None and path not in parents and row.match == BudgetMatch()
        for what in (*_contradictions(row), *_misplaced(row, above)):
            raise BundleRefused(f"the budget `{path}` {what}")
        if is_empty:
            raise BundleRefused(
                f"the budget `{path}` counts nothing",
                hint="State in `match` whose resources count, or a budget below it.",
            )


def _above(path: str, budgets: Mapping[str, BudgetRow]) -> tuple[str, ...]:
    found: list[str] = []
    below, parent = path, budgets[path].parent
    while parent is not None:
        if parent not in budgets:
            raise BundleRefused(
                f"the budget `{below}` has the parent `{parent}`, which is no budget"
            )
        if parent == path or parent in found:
            raise BundleRefused(f"the budget `{path}` lies below itself, through `{parent}`")
        found.append(parent)
        below, parent = parent, budgets[parent].parent
    return tuple(reversed(found))


def _contradictions(row: BudgetRow) -> Iterator[str]:
    period = row.period
    if period.end < period.start:
        yield f"has a period that ends on {period.end} and starts on {period.start}"
    stated = [
        (name, amount)
        for name in ("soft", "approval", "limit")
        if (amount := getattr(row, name)) is not None
    ]
    for (lower, low), (upper, high) in pairwise(stated):
        if low > high:
            yield f"has `{lower}` {low} above `{upper}` {high}"
    if row.unit is BudgetUnit.ACCELERATOR_MINUTES and row.currency is not None:
        yield "counts accelerator minutes and has a currency"
    if (row.approval is not None) is not bool(row.approvers):
        yield "needs `approval` and `approvers` together"
    if row.spent and row.as_of is None:
        yield "states `spent` and not, in `as_of`, until when"


def _misplaced(row: BudgetRow, above: BudgetRow | None) -> Iterator[str]:
    if above is not None and above.basis is not row.basis:
        yield f"counts {row.basis.value} and lies below one that counts {above.basis.value}"
