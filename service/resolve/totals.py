"""What a request changes in all, by team, role and currency.

The run rate that remains when everything is done, minus the one before, at the largest size.
A replacement that creates before it destroys takes both for a while; that peak ends by itself and
is not part of a run rate. Reads and changes without effect count nothing.

What cannot be priced is listed in ``unpriced`` and never counted as zero in silence: of a resource
whose largest size is not known its smallest is counted, so that the amounts are then a lower bound.
What a deletion frees is subtracted when it is known; when it is not, nothing is, which can only
make the total larger than it is, and needs no mention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.model.base import LARGEST_EXACT, Basis, Change, Role
from service.model.request import Total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.model.resource import Resource, ResourceState


class _Key(NamedTuple):
    team: str | None
    role: Role
    currency: str


class _Side(NamedTuple):
    """One state's part: ``micros`` is ``None`` where a price is needed and missing."""

    key: _Key
    micros: int | None
    is_lower_bound: bool
    is_firm: bool
    accelerators: int


class _Sum:
    __slots__ = ("accelerators", "estimated", "firm", "unpriced")

    def __init__(self) -> None:
        self.firm = self.estimated = self.accelerators = 0
        self.unpriced: list[str] = []


def totals(resources: Iterable[Resource], currency: str) -> tuple[Total, ...]:
    """The totals of resolved *resources*, sorted; *currency* stands for amounts without one."""
    sums: dict[_Key, _Sum] = {}
    for resource in resources:
        if resource.change is not Change.READ and resource.change is not Change.NO_OP:
            _add(sums, resource, currency)
    return tuple(
        Total(
            team=key.team,
            role=key.role,
            currency=key.currency,
            firm_micros_per_hour=_exact(found.firm),
            estimated_micros_per_hour=_exact(found.estimated),
            accelerators=_exact(found.accelerators),
            unpriced=tuple(dict.fromkeys(found.unpriced)),
        )
        for key, found in sorted(sums.items(), key=lambda item: _order(item[0]))
    )


def _add(sums: dict[_Key, _Sum], resource: Resource, currency: str) -> None:
    after, before = _sides(resource, currency)
    if (
        after is not None
        and before is not None
        and after.key == before.key
        and after.is_firm != before.is_firm
    ):
        after, before = after._replace(is_firm=False), before._replace(is_firm=False)
    if before is not None and (before.micros or before.accelerators):
        _count(sums.setdefault(before.key, _Sum()), before, -1)
    if after is None:
        return
    unpriced = after.micros is None or after.is_lower_bound
    # Without the former price the difference is not known either.
    unpriced = unpriced or (before is not None and before.micros is None and bool(after.micros))
    if unpriced or after.micros or after.accelerators:
        found = sums.setdefault(after.key, _Sum())
        _count(found, after, 1)
        if unpriced:
            found.unpriced.append(resource.address)


def _sides(resource: Resource, currency: str) -> tuple[_Side | None, _Side | None]:
    former: ResourceState | None = resource.before
    if resource.change is Change.DELETE:
        return None, _side(former or resource, resource.role, currency)
    before = _side(former, resource.role, currency) if former is not None else None
    return _side(resource, resource.role, currency), before


def _side(state: ResourceState, role: Role, currency: str) -> _Side:
    cost = state.cost
    basis, most = cost.basis, cost.micros_per_hour.max
    missing = basis is Basis.UNKNOWN and "/cost" in state.unknown
    amount = most if most is not None else cost.micros_per_hour.min
    return _Side(
        key=_Key(state.ownership.team, role, cost.currency or currency),
        micros=None if missing else amount or 0,
        is_lower_bound=basis is not Basis.UNKNOWN and most is None,
        is_firm=basis is Basis.LIST
        or basis is Basis.CONTRACT
        or (basis is Basis.UNKNOWN and not missing),
        accelerators=sum(
            item.total.max or item.total.min or 0 for item in state.accelerators or ()
        ),
    )


def _count(found: _Sum, side: _Side, sign: int) -> None:
    amount = sign * (side.micros or 0)
    if side.is_firm:
        found.firm += amount
    else:
        found.estimated += amount
    found.accelerators += sign * side.accelerators


def _exact(amount: int) -> int:
    return max(-LARGEST_EXACT, min(amount, LARGEST_EXACT))


def _order(key: _Key) -> tuple[str, str, str]:
    return key.team or "", key.role.value, key.currency
