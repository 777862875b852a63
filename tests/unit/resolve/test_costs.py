from __future__ import annotations

from typing import Any

import pytest

from service.bundle.values import Bundle, InternalRate, OrgPrice
from service.model.base import LARGEST_EXACT, Basis, PriceKind, Range, Reason
from service.model.resource import Accelerator, Cost, Lifetime, Sharing
from service.resolve.resolver import Resolver


def test_a_list_price_of_the_region_is_firm(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(nodes=Range(min=1, max=4)))

    assert resource.cost == Cost(
        micros_per_hour=Range(min=55_040_000, max=220_160_000), currency="USD", basis=Basis.LIST
    )
    assert resource.provenance["/cost"] == "catalog"


def test_a_contract_price_goes_before_the_list(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(region="eu-central-1"))

    assert (resource.cost.basis, resource.cost.micros_per_hour.max) == (Basis.CONTRACT, 40_000_000)
    assert resource.provenance["/cost"] == "scope"


def test_the_highest_price_of_other_regions_is_an_estimate(resolve: Any, capacity: Any) -> None:
    cost = resolve(capacity(region="eu-west-2")).cost

    assert (cost.basis, cost.micros_per_hour.max) == (Basis.LIST_OTHER_REGION, 66_048_000)


@pytest.mark.parametrize(
    ("kind", "micros", "basis"),
    [
        (PriceKind.ON_DEMAND, 55_040_000, Basis.LIST),
        (PriceKind.SPOT, 20_000_000, Basis.LIST),
        (PriceKind.RESERVED, 24_000_000, Basis.CONTRACT),
    ],
)
def test_each_kind_has_its_own_price(
    kind: PriceKind, micros: int, basis: Basis, resolve: Any, capacity: Any
) -> None:
    cost = resolve(capacity(price_kind=kind)).cost

    assert (cost.micros_per_hour.max, cost.basis) == (micros, basis)


def test_no_other_price_stands_in_for_spot(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(instance_type="g6.xlarge", price_kind=PriceKind.SPOT))

    assert resource.cost == Cost()
    assert resource.unknown["/cost"] is Reason.NOT_IN_CATALOG


def test_a_hidden_price_kind_hides_the_price(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(unknown={"/price_kind": Reason.AFTER_APPLY}))

    assert (resource.cost, resource.unknown["/cost"]) == (Cost(), Reason.AFTER_APPLY)


def test_a_price_may_hold_in_an_area_or_everywhere(resolve: Any, capacity: Any) -> None:
    area = resolve(capacity(vendor="gcp", region="europe-west4", instance_type="g2-standard-8"))
    everywhere = resolve(capacity(region="eu-west-2", instance_type="g6.xlarge"))

    assert (area.cost.basis, area.cost.micros_per_hour.max) == (Basis.LIST, 900_000)
    assert everywhere.cost.basis is Basis.LIST


def test_a_workload_is_priced_by_the_cheapest_offer_with_its_accelerator(
    resolve: Any, workload: Any
) -> None:
    cost = resolve(workload(), cluster="eu-prod").cost

    assert (cost.micros_per_hour.max, cost.basis, cost.inferred) == (1_485_832, Basis.LIST, True)


def test_an_offer_of_other_regions_is_an_estimate(resolve: Any, workload: Any) -> None:
    cost = resolve(workload(vendor="gcp", region="europe-west1")).cost

    assert (cost.micros_per_hour.max, cost.basis) == (1_485_832, Basis.LIST_OTHER_REGION)


def test_a_contract_is_the_cheapest_offer_where_it_holds(resolve: Any, workload: Any) -> None:
    asked = Accelerator(model="nvidia-h100-sxm", per_worker=1, total=Range(min=3, max=3))

    cost = resolve(workload(accelerators=(asked,), vendor="aws", region="eu-central-1")).cost

    assert (cost.micros_per_hour.max, cost.basis, cost.inferred) == (
        15_000_000,
        Basis.CONTRACT,
        True,
    )


def test_a_workload_pays_its_share_of_the_instance(resolve: Any, workload: Any) -> None:
    asked = Accelerator(model="nvidia-h100-sxm", per_worker=1, total=Range(min=1, max=3))
    node = {"vendor": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge"}

    cost = resolve(workload(accelerators=(asked,), **node)).cost

    assert cost.micros_per_hour == Range(min=6_880_000, max=20_640_000)
    assert not cost.inferred


def test_an_internal_rate_counts_only_without_a_vendor(resolve: Any, workload: Any) -> None:
    resource = resolve(workload())
    elsewhere = resolve(workload(vendor="nobody"))

    assert (resource.cost.basis, resource.cost.micros_per_hour.max) == (
        Basis.INTERNAL_RATE,
        1_000_000,
    )
    assert elsewhere.unknown["/cost"] is Reason.NOT_IN_CATALOG


def test_without_a_vendor_and_a_rate_the_price_is_undeclared(resolve: Any, workload: Any) -> None:
    asked = Accelerator(model="mi300x", per_worker=1, total=Range(min=1, max=1))

    resource = resolve(workload(accelerators=(asked,)))

    assert (resource.cost, resource.unknown["/cost"]) == (Cost(), Reason.UNDECLARED)


@pytest.mark.parametrize(
    ("part", "micros"),
    [("1g.10gb", 982_858), ("1/2", 3_440_000), ("0MiB", 0), ("999999MiB", 6_880_000)],
)
def test_a_part_of_a_card_costs_its_share_rounded_up(
    part: str, micros: int, resolve: Any, workload: Any
) -> None:
    asked = Accelerator(
        model="nvidia-h100-sxm", slice=part, per_worker=1, total=Range(min=1, max=1)
    )

    cost = resolve(workload(accelerators=(asked,), vendor="aws", region="us-east-1")).cost

    assert cost.micros_per_hour.max == micros


@pytest.mark.parametrize(
    "item",
    [
        {"sharing": Sharing.TIME_SLICED},
        {"sharing": Sharing.FRACTION},
        {"slice": "9g.90gb"},
        {"slice": "x"},
        {"slice": "xMiB"},
    ],
)
def test_a_share_that_nobody_knows_has_no_price(
    item: dict[str, Any], resolve: Any, workload: Any
) -> None:
    asked = Accelerator(model="nvidia-l4", per_worker=1, total=Range(min=1, max=1), **item)

    resource = resolve(workload(accelerators=(asked,)))

    assert (resource.cost, resource.unknown["/cost"]) == (Cost(), Reason.UNDECLARED)


def test_what_takes_no_accelerators_needs_no_price(
    resolve: Any, workload: Any, capacity: Any
) -> None:
    for resource in (
        resolve(workload(accelerators=())),
        resolve(capacity(instance_type="m5.large")),
    ):
        assert resource.cost == Cost()
        assert "/cost" not in resource.unknown


def test_all_kinds_of_accelerators_must_have_a_price(resolve: Any, workload: Any) -> None:
    priced = Accelerator(model="nvidia-l4", per_worker=1, total=Range(min=1, max=1))
    other = priced.model_copy(update={"model": "nvidia-h100-sxm"})
    unpriced = priced.model_copy(update={"model": "mi300x"})
    place = {"vendor": "aws", "region": "us-east-1"}

    both = resolve(workload(accelerators=(priced, other), **place))
    half = resolve(workload(accelerators=(priced, unpriced), **place))

    assert both.cost.micros_per_hour.max == 804_800 + 6_880_000
    assert half.unknown["/cost"] is Reason.NOT_IN_CATALOG


def test_a_bounded_lifetime_has_a_total(resolve: Any, capacity: Any) -> None:
    bounded = resolve(capacity(lifetime=Lifetime(minutes=90, bounded=True)))
    open_ended = resolve(capacity(lifetime=Lifetime(minutes=90, bounded=False)))

    assert bounded.cost.micros_total == 82_560_000
    assert open_ended.cost.micros_total is None


def test_an_amount_beyond_every_engine_is_the_largest_exact_one(
    resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(nodes=Range(min=1, max=LARGEST_EXACT)))

    assert resource.accelerators[0].total.max == LARGEST_EXACT
    assert resource.cost.micros_per_hour.max == LARGEST_EXACT


def test_a_size_that_nobody_knows_keeps_the_price_and_its_reason(
    resolve: Any, workload: Any
) -> None:
    asked = Accelerator(model="l4", per_worker=1, total=Range(min=1))

    resource = resolve(
        workload(accelerators=(asked,), unknown={"/accelerators/0/total": Reason.ELSEWHERE})
    )

    assert resource.cost.basis is Basis.INTERNAL_RATE
    assert resource.cost.micros_per_hour == Range(min=500_000, max=None)
    assert resource.unknown["/cost/micros_per_hour"] is Reason.ELSEWHERE


def test_prices_in_two_currencies_are_not_added(
    bundle: Bundle, request_of: Any, workload: Any, now: Any
) -> None:
    rates = (
        InternalRate(accelerator="nvidia-l4", micros_per_hour=1, currency="EUR"),
        InternalRate(accelerator="amd-mi300x", micros_per_hour=1, currency="USD"),
    )
    org = bundle.org.model_copy(update={"internal_rates": rates})
    one = Accelerator(model="nvidia-l4", per_worker=1, total=Range(min=1, max=1))
    two = one.model_copy(update={"model": "amd-mi300x"})
    resolver = Resolver(Bundle(bundle.ref, {}, bundle.data, {}, org))

    asked = request_of(workload(accelerators=(one, two)))
    [resource] = resolver.resolve(asked, now=now).resources

    assert (resource.cost, resource.unknown["/cost"]) == (Cost(), Reason.NOT_IN_CATALOG)


def test_a_contract_for_a_share_of_a_card_is_no_offer_of_whole_cards(
    bundle: Bundle, request_of: Any, workload: Any, now: Any
) -> None:
    share = OrgPrice(vendor="aws", instance_type="g6f.large", micros_per_hour=1)
    whole = OrgPrice(vendor="aws", instance_type="p5.48xlarge", micros_per_hour=8_000_000)
    dearer = OrgPrice(vendor="aws", instance_type="p5.48xlarge", micros_per_hour=9_000_000)
    org = bundle.org.model_copy(update={"prices": (share, whole, dearer)})
    resolver = Resolver(Bundle(bundle.ref, {}, bundle.data, {}, org))
    asked = Accelerator(model="nvidia-h100-sxm", per_worker=1, total=Range(min=1, max=1))

    request = request_of(
        workload(vendor="aws", region="eu-west-2"),
        workload(vendor="aws", region="eu-west-2", accelerators=(asked,)),
    )
    small, large = resolver.resolve(request, now=now).resources

    assert small.cost.basis is Basis.LIST
    assert large.cost.micros_per_hour.max == 1_000_000
