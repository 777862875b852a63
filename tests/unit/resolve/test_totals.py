from __future__ import annotations

from typing import Any

import pytest

from service.model.base import Change, PriceKind, Range, Reason, Role
from service.model.request import Total
from service.model.resource import Ownership, ReplaceOrder, Resource, ResourceState
from service.resolve.resolver import Resolver


@pytest.fixture
def totals(bundle: Any, request_of: Any, now: Any) -> Any:
    resolver = Resolver(bundle)

    def run(*resources: Resource) -> tuple[Total, ...]:
        return resolver.resolve(request_of(*resources), now=now).context.totals

    return run


def _state(resource: Resource) -> ResourceState:
    return ResourceState(**{name: getattr(resource, name) for name in ResourceState.model_fields})


def test_an_update_counts_after_minus_before(totals: Any, capacity: Any) -> None:
    before = _state(capacity())

    [total] = totals(capacity(change=Change.UPDATE, nodes=Range(min=1, max=3), before=before))

    assert total.firm_micros_per_hour == 110_080_000
    assert total.accelerators == 16


def test_a_deletion_counts_minus_what_was_there(totals: Any, capacity: Any) -> None:
    [total] = totals(capacity(change=Change.DELETE, before=_state(capacity())))

    assert (total.firm_micros_per_hour, total.accelerators) == (-55_040_000, -8)


def test_a_deletion_that_cannot_be_priced_frees_nothing_and_needs_no_mention(
    totals: Any, capacity: Any
) -> None:
    assert totals(capacity(change=Change.DELETE, instance_type="x9.large")) == ()


@pytest.mark.parametrize("change", [Change.READ, Change.NO_OP])
def test_what_changes_nothing_counts_nothing(change: Change, totals: Any, capacity: Any) -> None:
    assert totals(capacity(change=change)) == ()


def test_a_replacement_counts_what_remains(totals: Any, capacity: Any) -> None:
    [total] = totals(
        capacity(
            change=Change.REPLACE,
            replace_order=ReplaceOrder.CREATE_BEFORE_DESTROY,
            before=_state(capacity()),
        ),
        capacity(address="b"),
    )

    assert total.firm_micros_per_hour == 55_040_000


def test_what_cannot_be_priced_is_named_and_not_counted_as_nothing(
    totals: Any, capacity: Any
) -> None:
    [total] = totals(capacity(), capacity(address="b", instance_type="x9.large"))

    assert (total.firm_micros_per_hour, total.unpriced) == (55_040_000, ("b",))


def test_an_unknown_largest_size_counts_its_smallest_and_is_named(
    totals: Any, capacity: Any
) -> None:
    [total] = totals(capacity(nodes=Range(min=2), unknown={"/nodes/max": Reason.AFTER_APPLY}))

    assert (total.firm_micros_per_hour, total.accelerators) == (110_080_000, 16)
    assert total.unpriced == ("aws_instance.gpu",)


def test_a_change_from_an_unknown_price_is_not_known_either(totals: Any, capacity: Any) -> None:
    before = _state(capacity(instance_type="x9.large"))

    [total] = totals(capacity(change=Change.UPDATE, before=before))

    assert total.unpriced == ("aws_instance.gpu",)


def test_an_estimate_on_either_side_makes_the_difference_an_estimate(
    totals: Any, capacity: Any
) -> None:
    before = _state(capacity(region="eu-west-2"))

    [total] = totals(capacity(change=Change.UPDATE, before=before))

    assert total.firm_micros_per_hour == 0
    assert total.estimated_micros_per_hour == 55_040_000 - 66_048_000


def test_teams_roles_and_currencies_are_apart_and_sorted(
    totals: Any, capacity: Any, workload: Any
) -> None:
    found = totals(
        workload(address="w", ownership=Ownership(team="b")),
        capacity(address="c", ownership=Ownership(team="b")),
        capacity(address="d", ownership=Ownership(team="a"), price_kind=PriceKind.SPOT),
    )

    assert [(total.team, total.role, total.firm_micros_per_hour) for total in found] == [
        ("a", Role.CAPACITY, 20_000_000),
        ("b", Role.CAPACITY, 55_040_000),
        ("b", Role.WORKLOAD, 0),
    ]
    assert found[2].estimated_micros_per_hour == 1_000_000


def test_a_move_between_teams_counts_for_both(totals: Any, capacity: Any) -> None:
    before = _state(capacity(ownership=Ownership(team="a")))

    first, second = totals(
        capacity(change=Change.UPDATE, ownership=Ownership(team="b"), before=before)
    )

    assert (first.team, first.firm_micros_per_hour) == ("a", -55_040_000)
    assert (second.team, second.firm_micros_per_hour) == ("b", 55_040_000)


def test_what_needs_no_price_is_not_in_the_totals(totals: Any, workload: Any) -> None:
    assert totals(workload(accelerators=())) == ()
