"""What each vendor has of a team and of the organisation, and what a request changes there.

What is taken already is the organisation's table ``usage``; what a request changes is counted as in
``totals``: after minus before, at the largest size. The figures of other teams are in the sums of
the organisation only, so that no request carries them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.model.base import LARGEST_EXACT, Basis, Change, Role
from service.model.request import Holder, VendorUse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.bundle.values import Org
    from service.model.resource import Resource, ResourceState


class _Group(NamedTuple):
    """Whose it is; ``team`` is ``None`` for the organisation, and for resources without a team."""

    holder: Holder
    team: str | None
    role: Role


class _Where(NamedTuple):
    vendor: str | None
    currency: str


class _Sum:
    __slots__ = ("accelerators", "micros", "uncounted", "unpriced")

    def __init__(self) -> None:
        self.accelerators = self.micros = 0
        self.uncounted: list[str] = []
        self.unpriced: list[str] = []


class _Used:
    """What ``usage`` says; ``None`` as soon as one of its rows does not say."""

    __slots__ = ("accelerators", "micros")

    def __init__(self) -> None:
        self.accelerators: int | None = 0
        self.micros: int | None = 0


class Shares:
    """Adds up requests by vendor with what *org* takes already.

    An organisation that states neither ``usage`` nor a vendor under evaluation gets no rows: no
    rule has a use for them then.
    """

    def __init__(self, org: Org) -> None:
        self._currency = org.limits.currency
        self._is_wanted = bool(org.usage or org.vendor.evaluations)
        self._used: dict[_Group, dict[_Where, _Used]] = {}
        for row in org.usage:
            where = _Where(row.vendor, row.currency)
            for group in _groups(row.team, row.role):
                used = self._used.setdefault(group, {}).setdefault(where, _Used())
                used.accelerators = _plus(used.accelerators, row.accelerators)
                used.micros = _plus(used.micros, row.micros_per_hour)

    def of(self, resources: Iterable[Resource]) -> tuple[VendorUse, ...]:
        """The rows of resolved *resources*, sorted: of every team and role that they touch."""
        if not self._is_wanted:
            return ()
        sums: dict[_Group, dict[_Where, _Sum]] = {}
        for resource in resources:
            if resource.change not in (Change.READ, Change.NO_OP):
                self._add(sums, resource)
        return tuple(
            _row(group, where, sums[group].get(where) or _Sum(), used.get(where) or _Used())
            for group in sorted(sums, key=_order)
            for used in (self._used.get(group, {}),)
            for where in sorted({*used, *sums[group]}, key=_order)
        )

    def _add(self, sums: dict[_Group, dict[_Where, _Sum]], resource: Resource) -> None:
        before = resource.before
        if resource.change is Change.DELETE:
            self._count(sums, resource, before or resource, -1)
            return
        if before is not None:
            self._count(sums, resource, before, -1)
        self._count(sums, resource, resource, 1)

    def _count(
        self,
        sums: dict[_Group, dict[_Where, _Sum]],
        resource: Resource,
        state: ResourceState,
        sign: int,
    ) -> None:
        cost, taken = state.cost, state.accelerators
        micros = cost.micros_per_hour.max or cost.micros_per_hour.min or 0
        counted = sum(item.total.max or item.total.min or 0 for item in taken or ())
        where = _Where(state.vendor, cost.currency or self._currency)
        for group in _groups(state.ownership.team, resource.role):
            found = sums.setdefault(group, {}).setdefault(where, _Sum())
            found.accelerators += sign * counted
            found.micros += sign * micros
            # What a deletion frees and nobody knows can only make the sum too large.
            if resource.change is not Change.DELETE:
                if taken is None or any(item.total.max is None for item in taken):
                    found.uncounted.append(resource.address)
                if _is_unpriced(state):
                    found.unpriced.append(resource.address)


def _groups(team: str | None, role: Role) -> tuple[_Group, _Group]:
    return _Group(Holder.ORGANISATION, None, role), _Group(Holder.TEAM, team, role)


def _is_unpriced(state: ResourceState) -> bool:
    if state.cost.basis is Basis.UNKNOWN:
        return "/cost" in state.unknown
    return state.cost.micros_per_hour.max is None


def _row(group: _Group, where: _Where, found: _Sum, used: _Used) -> VendorUse:
    return VendorUse(
        holder=group.holder,
        team=group.team,
        vendor=where.vendor,
        role=group.role,
        currency=where.currency,
        accelerators=_exact(found.accelerators),
        micros_per_hour=_exact(found.micros),
        used_accelerators=None if used.accelerators is None else _exact(used.accelerators),
        used_micros_per_hour=None if used.micros is None else _exact(used.micros),
        uncounted=tuple(dict.fromkeys(found.uncounted)),
        unpriced=tuple(dict.fromkeys(found.unpriced)),
    )


def _plus(known: int | None, more: int | None) -> int | None:
    return None if known is None or more is None else known + more


def _exact(amount: int) -> int:
    return max(-LARGEST_EXACT, min(amount, LARGEST_EXACT))


def _order(key: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(part or "" for part in key)
