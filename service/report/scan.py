"""What a scan found, as values: the objects one by one, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from service.bundle.baseline import BaselineRow
from service.model.base import Count, Role, Text, Value
from service.model.decision import BundleRef, Cause, DecidedResource, Outcome
from service.model.finding import JudgedFinding

MONTH_HOURS = 730
_MICROS = 1_000_000
SCHEMA_VERSION = 1


class Scanned(Value):
    """One object and what was decided about it.

    ``counts`` is false for an object that is about what another one takes, as an autoscaler is.
    ``accepted`` is what a baseline would say of it, ``unbounded`` whether it has findings that no
    baseline can accept.
    """

    api_version: Text
    kind: Text
    namespace: Text
    name: Text
    uid: Text
    address: Text
    decision_id: Text
    outcome: Outcome
    cause: Cause
    findings: tuple[JudgedFinding, ...] = ()
    resource: DecidedResource | None = None
    counts: bool = True
    accepted: tuple[BaselineRow, ...] = ()
    unbounded: bool = False

    @property
    def failed(self) -> bool:
        """Whether nothing could be decided about it."""
        return self.cause in {Cause.ERROR, Cause.BUSY}

    @property
    def resources(self) -> tuple[DecidedResource, ...]:
        """What it takes, as a decision has it."""
        return (self.resource,) if self.resource is not None else ()

    @property
    def accelerators(self) -> int | None:
        """How many it takes at its largest size; ``None`` where that is not known."""
        resource = self.resource
        if resource is None or resource.accelerators is None:
            return None
        totals = [item.total.max for item in resource.accelerators]
        return None if None in totals else sum(total or 0 for total in totals)


class IdleAccelerators(Value):
    """Accelerators of one product that nodes offer, and how many of them no pod has asked for."""

    resource: Text
    product: Text | None
    model: Text | None
    nodes: Count
    offered: Count
    asked: Count
    idle: Count
    idle_nodes: Count


class TeamCost(Value):
    """What one team takes in one role and currency; ``team`` is ``None`` where nobody is named.

    ``micros_per_hour`` sums what has a price, ``unpriced`` counts what has none; ``accelerators``
    sums what is known, ``uncounted`` counts objects of which it is not.
    """

    team: Text | None
    role: Role
    currency: Text | None
    objects: Count
    accelerators: Count
    uncounted: Count
    micros_per_hour: Count
    unpriced: Count


class NotRead(Value):
    """A kind of objects that could not be read, and why."""

    kind: Text
    why: Text


class Survey(Value):
    """What a scan of a cluster found.

    ``read`` counts objects by kind, ``left_out`` by why nothing was asked about them.
    """

    schema_version: int = SCHEMA_VERSION
    cluster: Text
    time: Text
    bundle: BundleRef
    read: dict[Text, Count] = {}
    left_out: dict[Text, Count] = {}
    not_read: tuple[NotRead, ...] = ()
    idle: tuple[IdleAccelerators, ...] = ()
    costs: tuple[TeamCost, ...] = ()
    objects: tuple[Scanned, ...] = ()

    def with_outcome(self, outcome: Outcome) -> list[Scanned]:
        """The objects with *outcome*, but for those about which nothing could be decided."""
        return [item for item in self.objects if item.outcome is outcome and not item.failed]

    @property
    def failed(self) -> list[Scanned]:
        """The objects about which nothing could be decided."""
        return [item for item in self.objects if item.failed]

    @property
    def kept(self) -> list[Scanned]:
        """The objects of which the baseline keeps something observed."""
        return [
            item
            for item in self.objects
            if any(finding.baseline is not None for finding in item.findings)
        ]

    @property
    def unowned(self) -> list[Scanned]:
        """The objects that take accelerators and name no team."""
        return [
            item
            for item in self.objects
            if item.counts
            and item.resource is not None
            and item.resource.team is None
            and item.accelerators != 0
        ]


class _Group(NamedTuple):
    team: str | None
    role: Role


def costs(objects: Iterable[Scanned]) -> tuple[TeamCost, ...]:
    """What *objects* cost by team, what costs most first; capacity and workloads stay apart.

    A workload runs on capacity, so that the two are never added up. A team that pays in several
    currencies has a row for each, and one for what has no price.
    """
    found: dict[_Group, dict[str | None, list[Scanned]]] = {}
    for item in objects:
        if item.counts and item.resource is not None:
            cost = item.resource.cost
            currency = cost.currency if cost is not None else None
            group = _Group(item.resource.team, item.resource.role)
            found.setdefault(group, {}).setdefault(currency, []).append(item)
    rows = [
        _cost(group, currency, items)
        for group, by_currency in found.items()
        for currency, items in _joined(by_currency)
    ]
    return tuple(
        sorted(
            rows,
            key=lambda row: (row.role, -row.micros_per_hour, row.team or "", row.currency or ""),
        )
    )


def _joined(
    by_currency: dict[str | None, list[Scanned]],
) -> Iterable[tuple[str | None, list[Scanned]]]:
    """One currency is that of what has no price, too."""
    if len(by_currency) == 2 and None in by_currency:
        (currency,) = by_currency.keys() - {None}
        return [(currency, [item for items in by_currency.values() for item in items])]
    return by_currency.items()


def monthly(micros_per_hour: int) -> int:
    """An hourly price in millionths, as whole units of the currency per month of 730 hours."""
    return micros_per_hour * MONTH_HOURS // _MICROS


def _cost(group: _Group, currency: str | None, items: list[Scanned]) -> TeamCost:
    counts = [item.accelerators for item in items]
    prices = [
        item.resource.cost.micros_per_hour
        for item in items
        if item.resource is not None and item.resource.cost is not None
    ]
    return TeamCost(
        team=group.team,
        role=group.role,
        currency=currency,
        objects=len(items),
        accelerators=sum(count or 0 for count in counts),
        uncounted=counts.count(None),
        micros_per_hour=sum(price or 0 for price in prices),
        unpriced=prices.count(None),
    )
