"""Budgets and usage reach only those they are about, with what a request adds."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.bundle.values import Org
from service.errors import BundleRefused
from service.model.base import Basis, Change, Range, Role
from service.model.request import Asked, Budget, Context
from service.model.resource import Lifetime, Ownership, Resource, ResourceState
from service.resolve.resolver import Resolver

# Two hours of the last day of the year are left.
LATE = datetime(2026, 12, 31, 22, 0, tzinfo=UTC)
YEAR = {"start": "2026-01-01", "end": "2026-12-31"}
HOURLY = 55_040_000


def _row(**fields: Any) -> dict[str, Any]:
    return {"basis": "capacity", "period": YEAR, **fields}


BUDGETS = {
    "acme": _row(limit=1000),
    "acme/research": _row(parent="acme"),
    "acme/research/vision": _row(parent="acme/research", match={"teams": ["vision"]}),
    "acme/speech": _row(parent="acme", match={"teams": ["speech"], "vendors": ["aws"]}),
    "workloads": _row(basis="workload"),
}
USAGE = [
    {
        "team": "vision",
        "vendor": "aws",
        "role": "capacity",
        "micros_per_hour": 7,
        "as_of": "2026-11-01",
    },
    {"team": "speech", "role": "workload", "accelerators": 3, "as_of": "2026-11-01"},
]


@pytest.fixture
def context(bundle: Any, request_of: Any) -> Any:
    def run(
        *resources: Resource, budgets: dict[str, Any] = BUDGETS, at: datetime = LATE
    ) -> Context:
        org = Org.model_validate(
            {**bundle.org.model_dump(mode="json"), "budgets": budgets, "usage": USAGE}
        )
        resolver = Resolver(replace(bundle, org=org))
        found: Context = resolver.resolve(request_of(*resources), now=at).context
        return found

    return run


@pytest.fixture
def budgets(context: Any) -> Any:
    def run(*resources: Resource, **more: Any) -> dict[str, Budget]:
        return {budget.path: budget for budget in context(*resources, **more).budgets}

    return run


def _state(resource: Resource) -> ResourceState:
    return ResourceState(**{name: getattr(resource, name) for name in ResourceState.model_fields})


def _of(team: str | None) -> Ownership:
    return Ownership(team=team)


def test_only_the_budgets_above_a_team_are_copied_the_root_first(
    budgets: Any, capacity: Any
) -> None:
    found = budgets(capacity(ownership=_of("vision")))

    assert list(found) == ["acme", "acme/research", "acme/research/vision"]
    assert found["acme/research/vision"].ancestors == ("acme", "acme/research")


def test_all_selectors_of_a_budget_must_hold(budgets: Any, capacity: Any) -> None:
    assert "acme/speech" in budgets(capacity(ownership=_of("speech")))
    assert "acme/speech" not in budgets(capacity(ownership=_of("speech"), vendor="gcp"))


def test_a_root_without_selectors_counts_what_has_no_team(budgets: Any, capacity: Any) -> None:
    assert list(budgets(capacity())) == ["acme"]


def test_capacity_and_workloads_are_never_added_up(
    budgets: Any, capacity: Any, workload: Any
) -> None:
    assert list(budgets(workload())) == ["workloads"]
    assert list(budgets(capacity(), workload())) == ["acme", "workloads"]


def test_the_amount_is_the_rate_times_what_is_left_of_the_period(
    budgets: Any, capacity: Any
) -> None:
    found = budgets(capacity(nodes=Range(min=1, max=3)))["acme"]

    assert found.minutes_left == 120
    assert found.asked == Asked(firm=2 * 3 * HOURLY)


def test_a_bounded_lifetime_that_is_shorter_takes_the_place_of_the_period(
    budgets: Any, capacity: Any
) -> None:
    def asked(**lifetime: Any) -> int:
        firm: int = budgets(capacity(lifetime=Lifetime(**lifetime)))["acme"].asked.firm
        return firm

    assert asked(minutes=30, bounded=True) == HOURLY // 2
    assert asked(minutes=30, bounded=False) == 2 * HOURLY
    assert asked(minutes=600, bounded=True) == 2 * HOURLY


def test_an_update_adds_what_it_changes(budgets: Any, capacity: Any) -> None:
    def asked(**after: Any) -> int:
        before = _state(capacity(nodes=Range(min=2, max=2)))
        resource = capacity(change=Change.UPDATE, before=before, **after)
        firm: int = budgets(resource)["acme"].asked.firm
        return firm

    assert asked(nodes=Range(min=3, max=3)) == 2 * HOURLY
    assert asked(nodes=Range(min=1, max=1)) == -2 * HOURLY
    assert asked(nodes=Range(min=2, max=2)) == 0


def test_a_change_that_prolongs_something_adds_to_the_budget(budgets: Any, capacity: Any) -> None:
    before = _state(capacity(lifetime=Lifetime(minutes=60, bounded=True)))

    assert budgets(capacity(change=Change.UPDATE, before=before))["acme"].asked.firm == HOURLY


def test_what_moves_to_another_team_moves_to_its_budget(budgets: Any, capacity: Any) -> None:
    before = _state(capacity(ownership=_of("vision")))

    found = budgets(capacity(change=Change.UPDATE, before=before, ownership=_of("speech")))

    assert found["acme"].asked.firm == 0
    assert found["acme/research/vision"].asked.firm == -2 * HOURLY
    assert found["acme/speech"].asked.firm == 2 * HOURLY


def test_a_deletion_frees_what_was_there(budgets: Any, capacity: Any) -> None:
    gone = capacity(change=Change.DELETE, before=_state(capacity()))

    assert budgets(gone)["acme"].asked.firm == -2 * HOURLY
    assert budgets(capacity(change=Change.DELETE))["acme"].asked.firm == -2 * HOURLY


@pytest.mark.parametrize("change", [Change.READ, Change.NO_OP])
def test_what_changes_nothing_meets_no_budget(change: Change, budgets: Any, capacity: Any) -> None:
    assert budgets(capacity(change=change)) == {}


def test_what_rests_on_an_estimate_is_apart(budgets: Any, workload: Any, capacity: Any) -> None:
    assert budgets(workload())["workloads"].asked == Asked(estimated=2 * 2 * 500_000)
    before = _state(capacity(region="eu-west-2"))
    both = budgets(capacity(change=Change.UPDATE, before=before, nodes=Range(min=2, max=2)))
    assert both["acme"].asked == Asked(estimated=2 * (2 * HOURLY - 66_048_000))


def test_what_cannot_be_counted_is_named(budgets: Any, capacity: Any) -> None:
    unpriced, unsized = capacity(instance_type="x9"), capacity(nodes=Range(min=1))
    former = capacity(change=Change.UPDATE, before=_state(unpriced))
    euros = {"acme": _row(currency="EUR")}

    named = ("aws_instance.gpu",)
    assert budgets(unpriced)["acme"].asked == Asked(uncounted=named)
    assert budgets(unsized)["acme"].asked == Asked(firm=2 * HOURLY, uncounted=named)
    assert budgets(former)["acme"].asked.uncounted == named
    assert budgets(capacity(), budgets=euros)["acme"].asked == Asked(uncounted=named)


def test_what_needs_no_price_takes_nothing(budgets: Any, capacity: Any) -> None:
    assert budgets(capacity(instance_type="m5.large"))["acme"].asked == Asked()


def test_a_budget_of_accelerator_minutes_counts_devices(budgets: Any, capacity: Any) -> None:
    rows = {"hours": _row(unit="accelerator_minutes")}

    found = budgets(capacity(), budgets=rows)["hours"]
    assert (found.currency, found.asked) == (None, Asked(firm=8 * 120))
    unknown = budgets(capacity(instance_type="x9"), budgets=rows)["hours"]
    assert unknown.asked.uncounted == ("aws_instance.gpu",)
    unsized = budgets(capacity(nodes=Range(min=1)), budgets=rows)["hours"]
    assert unsized.asked == Asked(firm=8 * 120, uncounted=("aws_instance.gpu",))


def test_after_its_period_a_budget_counts_nothing_and_stays(budgets: Any, capacity: Any) -> None:
    found = budgets(capacity(), at=datetime(2027, 1, 1, tzinfo=UTC))["acme"]

    assert (found.minutes_left, found.asked) == (0, Asked(uncounted=("aws_instance.gpu",)))


def test_before_its_period_a_budget_is_none(budgets: Any, capacity: Any) -> None:
    assert budgets(capacity(), at=datetime(2025, 12, 31, 23, 59, tzinfo=UTC)) == {}


def test_the_last_minute_of_a_period_is_a_whole_one(budgets: Any, capacity: Any) -> None:
    at = datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)

    assert budgets(capacity(), at=at)["acme"].minutes_left == 1


def test_usage_is_that_of_the_own_teams(context: Any, capacity: Any) -> None:
    [row] = context(capacity(ownership=_of("vision"))).usage

    assert (row.team, row.vendor, row.role, row.micros_per_hour) == (
        "vision",
        "aws",
        Role.CAPACITY,
        7,
    )
    assert context(capacity()).usage == ()


def test_budgets_that_are_no_tree_are_refused(context: Any, capacity: Any) -> None:
    with pytest.raises(BundleRefused, match="lies below itself"):
        context(capacity(), budgets={"a": _row(parent="b"), "b": _row(parent="a")})


def test_a_price_of_low_confidence_is_an_estimate(
    bundle: Any, request_of: Any, capacity: Any
) -> None:
    catalog = copy.deepcopy(bundle.data["catalog"])
    catalog["prices"]["aws"]["p5.48xlarge"]["on_demand"]["us-east-1"]["confidence"] = "low"
    resolver = Resolver(replace(bundle, data={**bundle.data, "catalog": catalog}))

    resolved = resolver.resolve(request_of(capacity()), now=LATE)

    assert resolved.resources[0].cost.basis is Basis.LIST_UNCONFIRMED
    [total] = resolved.context.totals
    assert (total.firm_micros_per_hour, total.estimated_micros_per_hour) == (0, HOURLY)
