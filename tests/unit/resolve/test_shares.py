"""What the context says of each vendor: what is used already and what a request changes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from service.bundle.budgets import UsageRow
from service.bundle.parameters.vendor import Evaluation, VendorParameters
from service.bundle.values import Org
from service.model.base import Basis, Change, Range, Reason, Role
from service.model.request import Holder, VendorUse
from service.model.resource import Accelerator, Cost, Ownership, Resource, ResourceState
from service.resolve.shares import Shares

DAY = date(2026, 10, 31)


def used(team: str, vendor: str | None, accelerators: int | None, **more: Any) -> UsageRow:
    fields = {"micros_per_hour": 5, "as_of": DAY, "role": Role.CAPACITY, **more}
    return UsageRow(team=team, vendor=vendor, accelerators=accelerators, **fields)


def org(*usage: UsageRow) -> Org:
    return Org(name="Toy", usage=usage)


def capacity(count: int | None = 8, **more: Any) -> Resource:
    fields = {
        "address": "a",
        "subject": "a",
        "kind": "aws_instance",
        "role": Role.CAPACITY,
        "change": Change.CREATE,
        "vendor": "aws",
        "accelerators": (Accelerator(total=Range(min=1, max=count)),),
        "ownership": Ownership(team="vision"),
        "cost": Cost(micros_per_hour=Range(min=7, max=7), currency="USD", basis=Basis.LIST),
        **more,
    }
    return Resource(**fields)


def state(resource: Resource) -> ResourceState:
    return ResourceState(**{name: getattr(resource, name) for name in ResourceState.model_fields})


def figures(rows: tuple[VendorUse, ...], holder: Holder) -> list[tuple[object, ...]]:
    return [
        (row.team, row.vendor, row.accelerators, row.used_accelerators)
        for row in rows
        if row.holder is holder
    ]


def test_an_organisation_sees_all_teams_in_sums_and_a_team_only_itself() -> None:
    stated = org(used("vision", "aws", 16), used("speech", "aws", 4), used("speech", "gcp", 2))

    rows = Shares(stated).of([capacity()])

    assert figures(rows, Holder.ORGANISATION) == [(None, "aws", 8, 20), (None, "gcp", 0, 2)]
    assert figures(rows, Holder.TEAM) == [("vision", "aws", 8, 16)]
    assert rows[0].micros_per_hour == 7
    assert rows[0].used_micros_per_hour == 10


def test_a_row_that_does_not_say_makes_the_sum_unknown() -> None:
    stated = org(used("vision", "aws", None), used("speech", "aws", 4, micros_per_hour=None))

    row = Shares(stated).of([capacity()])[0]

    assert (row.used_accelerators, row.used_micros_per_hour) == (None, None)


def test_currencies_and_roles_are_apart() -> None:
    stated = org(
        used("vision", "aws", 1, currency="EUR"), used("vision", "aws", 2, role=Role.WORKLOAD)
    )

    rows = Shares(stated).of([capacity()])

    assert [(row.currency, row.used_accelerators) for row in rows] == [
        ("EUR", 1),
        ("USD", 0),
        ("EUR", 1),
        ("USD", 0),
    ]


def test_what_is_changed_is_after_minus_before() -> None:
    shares = Shares(org(used("vision", "aws", 16)))
    before = state(capacity(8))

    updated = shares.of([capacity(24, change=Change.UPDATE, before=before)])
    deleted = shares.of([capacity(change=Change.DELETE, before=before)])
    moved = shares.of([capacity(change=Change.REPLACE, vendor="gcp", before=before)])

    assert figures(updated, Holder.TEAM) == [("vision", "aws", 16, 16)]
    assert figures(deleted, Holder.TEAM) == [("vision", "aws", -8, 16)]
    assert figures(moved, Holder.TEAM) == [("vision", "aws", -8, 16), ("vision", "gcp", 8, 0)]


def test_what_cannot_be_counted_or_priced_is_named_once() -> None:
    shares = Shares(org(used("vision", "aws", 16)))
    unpriced = {"cost": Cost(), "unknown": {"/cost": Reason.NOT_IN_CATALOG}}

    row = shares.of([capacity(None, **unpriced), capacity(None, accelerators=None)])[0]
    freed = shares.of([capacity(None, change=Change.DELETE, **unpriced)])[0]

    assert (row.uncounted, row.unpriced) == (("a",), ("a",))
    assert (freed.uncounted, freed.unpriced) == ((), ())


def test_a_price_without_a_largest_size_is_a_lower_bound() -> None:
    cost = Cost(micros_per_hour=Range(min=7), currency="USD", basis=Basis.LIST)

    row = Shares(org(used("vision", "aws", 16))).of([capacity(cost=cost)])[0]

    assert (row.micros_per_hour, row.unpriced) == (7, ("a",))


@pytest.mark.parametrize("change", [Change.READ, Change.NO_OP])
def test_what_changes_nothing_has_no_rows(change: Change) -> None:
    assert Shares(org(used("vision", "aws", 16))).of([capacity(change=change)]) == ()


def test_rows_are_made_only_where_a_rule_has_a_use_for_them() -> None:
    trial = VendorParameters(evaluations={"nebius": Evaluation(until="2026-12-31")})

    assert Shares(org()).of([capacity()]) == ()
    assert len(Shares(Org(name="Toy", vendor=trial)).of([capacity()])) == 2
