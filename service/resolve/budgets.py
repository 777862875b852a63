"""What the organisation states about the money of a request's own teams, and what the request adds.

Rows of other teams are not copied: nobody reads another team's figures in an answer or a record.

What a resource adds to a budget is its rate at its largest size (the cost per hour, or the
accelerators) times the time that is left in the period; a bounded lifetime that is shorter takes
its place. An update adds the amount after minus the one before, each with its own lifetime, so a
change that prolongs something adds to the budget though its rate stays the same.
"""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from service.bundle.budgets import ancestors
from service.model.base import LARGEST_EXACT, Basis, Change, Role
from service.model.request import Asked, Budget, BudgetUnit, Usage
from service.resolve.tables import REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.bundle.budgets import BudgetMatch, BudgetRow, UsageRow
    from service.bundle.values import Org
    from service.model.resource import Resource, ResourceState

_MINUTE = timedelta(minutes=1)
_LISTS = ("teams", "projects", "cost_centers", "environments", "vendors")
_FIRM = frozenset({Basis.CONTRACT, Basis.LIST})


class _Whose(NamedTuple):
    """What a budget may select by, in the order of ``_LISTS``, and the role."""

    team: str | None
    project: str | None
    cost_center: str | None
    environment: str | None
    vendor: str | None
    role: Role


class _Entry(NamedTuple):
    """A budget with what is computed once per bundle."""

    path: str
    row: BudgetRow
    currency: str | None
    ancestors: tuple[str, ...]


class _Part(NamedTuple):
    """What one state takes of a budget; ``amount`` is ``None`` where nothing is known of it."""

    amount: int | None
    is_whole: bool
    is_firm: bool


class _Sum:
    __slots__ = ("estimated", "firm", "uncounted")

    def __init__(self) -> None:
        self.firm = self.estimated = 0
        self.uncounted: list[str] = []

    def add(self, part: _Part, sign: int) -> None:
        amount = sign * (part.amount or 0)
        if part.is_firm:
            self.firm += amount
        else:
            self.estimated += amount


class Books:
    """The tables ``usage`` and ``budgets`` of an organisation.

    Raises:
        BundleRefused: The budgets are no tree.
    """

    def __init__(self, org: Org) -> None:
        self._usage: dict[str, tuple[Usage, ...]] = {}
        for row in org.usage:
            self._usage[row.team] = (*self._usage.get(row.team, ()), _usage(row))
        above = ancestors(org.budgets)
        entries = [
            _Entry(path, row, _currency(row, org.limits.currency), above[path])
            for path, row in org.budgets.items()
        ]
        self._entries = sorted(entries, key=lambda entry: (len(entry.ancestors), entry.path))
        self._counting = functools.lru_cache(maxsize=REMEMBERED)(self._find)

    def usage(self, resources: Iterable[Resource]) -> tuple[Usage, ...]:
        """What the teams of resolved *resources* take today, as the organisation states it."""
        if not self._usage:
            return ()
        teams = dict.fromkeys(item.ownership.team for item in resources)
        return tuple(row for team in teams if team for row in self._usage.get(team, ()))

    def budgets(self, resources: Iterable[Resource], now: datetime) -> tuple[Budget, ...]:
        """The budgets that resolved *resources* count against, those above before those below.

        A budget whose period has not begun is none yet. One whose period is over stays, because
        the organisation wants one and none is stated for today.
        """
        if not self._entries:
            return ()
        today = now.astimezone(UTC).date()
        left = [_minutes_left(entry.row.period.end, now) for entry in self._entries]
        sums: dict[int, _Sum] = {}
        for resource in resources:
            if resource.change is Change.READ or resource.change is Change.NO_OP:
                continue
            after, before = _states(resource)
            counted_after = self._counted(after, resource.role)
            counted_before = self._counted(before, resource.role)
            for index in sorted({*counted_after, *counted_before}):
                entry = self._entries[index]
                if entry.row.period.start <= today:
                    now_counted = after if index in counted_after else None
                    then_counted = before if index in counted_before else None
                    parts = (
                        _part(now_counted, entry, left[index]),
                        _part(then_counted, entry, left[index]),
                    )
                    _add(sums.setdefault(index, _Sum()), resource.address, *parts)
        return tuple(
            _budget(self._entries[index], left[index], found)
            for index, found in sorted(sums.items())
        )

    def _counted(self, state: ResourceState | None, role: Role) -> tuple[int, ...]:
        if state is None:
            return ()
        own = state.ownership
        return self._counting(
            _Whose(own.team, own.project, own.cost_center, own.environment, state.vendor, role)
        )

    def _find(self, whose: _Whose) -> tuple[int, ...]:
        """Positions of the budgets that count what is *whose*."""
        paths: set[str] = set()
        for entry in self._entries:
            if entry.row.basis is whose.role and _selects(entry, whose):
                paths.update((entry.path, *entry.ancestors))
        return tuple(i for i, entry in enumerate(self._entries) if entry.path in paths)


def _selects(entry: _Entry, whose: _Whose) -> bool:
    """Whether the budget itself counts it; one without selectors leaves that to those below it."""
    stated = list(_stated(entry.row.match, whose))
    return all(own in listed for listed, own in stated) if stated else entry.row.parent is None


def _stated(match: BudgetMatch, whose: _Whose) -> Iterator[tuple[tuple[str, ...], str | None]]:
    for name, own in zip(_LISTS, whose[: len(_LISTS)], strict=True):
        listed = getattr(match, name)
        if listed:
            yield listed, own


def _states(resource: Resource) -> tuple[ResourceState | None, ResourceState | None]:
    if resource.change is Change.DELETE:
        return None, resource.before or resource
    return resource, resource.before


def _add(found: _Sum, address: str, after: _Part | None, before: _Part | None) -> None:
    """Count the difference; one that rests on an estimate on either side is an estimate."""
    if after is not None and before is not None and after.is_firm is not before.is_firm:
        after, before = after._replace(is_firm=False), before._replace(is_firm=False)
    if before is not None:
        found.add(before, -1)
    if after is None:
        return
    found.add(after, 1)
    was_unknown = before is not None and before.amount is None and bool(after.amount)
    if after.amount is None or not after.is_whole or was_unknown:
        found.uncounted.append(address)


def _part(state: ResourceState | None, entry: _Entry, left: int) -> _Part | None:
    """The part of *state* in the *left* minutes of the period."""
    if state is None:
        return None
    money = entry.row.unit is BudgetUnit.MICROS
    hourly = _cost(state, entry.currency) if money else _accelerator_minutes(state)
    if not hourly.amount:
        return hourly
    if not left:
        return hourly._replace(amount=None)
    return hourly._replace(amount=-(-hourly.amount * _minutes(state, left) // 60))


def _cost(state: ResourceState, currency: str | None) -> _Part:
    """The cost per hour; what needs no price costs nothing."""
    cost = state.cost
    if cost.basis is Basis.UNKNOWN:
        is_missing = "/cost" in state.unknown
        return _Part(None if is_missing else 0, is_whole=True, is_firm=not is_missing)
    most, least = cost.micros_per_hour.max, cost.micros_per_hour.min
    amount = (most if most is not None else least or 0) if cost.currency == currency else None
    return _Part(amount, is_whole=most is not None, is_firm=cost.basis in _FIRM)


def _accelerator_minutes(state: ResourceState) -> _Part:
    """The accelerator minutes of an hour."""
    if state.accelerators is None:
        return _Part(None, is_whole=True, is_firm=True)
    totals = [item.total for item in state.accelerators]
    most = sum(total.max or total.min or 0 for total in totals)
    return _Part(most * 60, is_whole=all(total.max is not None for total in totals), is_firm=True)


def _minutes(state: ResourceState, left: int) -> int:
    lifetime = state.lifetime
    ends = lifetime.bounded and lifetime.minutes is not None
    return min(lifetime.minutes or 0, left) if ends else left


def _minutes_left(last: date, now: datetime) -> int:
    end = datetime.combine(last, time.max, UTC)
    return max(0, -((now - end) // _MINUTE))


def _currency(row: BudgetRow, default: str) -> str | None:
    if row.unit is BudgetUnit.ACCELERATOR_MINUTES:
        return None
    return row.currency or default


def _budget(entry: _Entry, left: int, found: _Sum) -> Budget:
    row = entry.row
    return Budget(
        path=entry.path,
        ancestors=entry.ancestors,
        basis=row.basis,
        unit=row.unit,
        currency=entry.currency,
        period_start=row.period.start.isoformat(),
        period_end=row.period.end.isoformat(),
        minutes_left=left,
        limit=row.limit,
        approval=row.approval,
        approvers=row.approvers,
        soft=row.soft,
        spent=row.spent,
        as_of=row.as_of.isoformat() if row.as_of else None,
        asked=Asked(
            firm=_exact(found.firm),
            estimated=_exact(found.estimated),
            uncounted=tuple(dict.fromkeys(found.uncounted)),
        ),
    )


def _usage(row: UsageRow) -> Usage:
    return Usage(
        team=row.team,
        vendor=row.vendor,
        role=row.role,
        accelerators=row.accelerators,
        micros_per_hour=row.micros_per_hour,
        currency=row.currency,
        as_of=row.as_of.isoformat(),
    )


def _exact(amount: int) -> int:
    return max(-LARGEST_EXACT, min(amount, LARGEST_EXACT))
