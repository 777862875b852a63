"""Old list prices are said to be old, and never change a decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from service.bundle.freshness import old_prices, price_days
from service.bundle.inspecting import inspect
from service.bundle.parameters.catalog import CatalogParameters
from service.bundle.values import Bundle, Org

Assembled = Callable[..., Bundle]


def _price(day: str) -> dict[str, object]:
    return {"micros_per_hour": 1_000_000, "currency": "USD", "as_of": day}


PRICES = {
    "acme": {"a": {"on_demand": {"x": _price("2026-01-01"), "y": _price("2026-06-30")}}},
    "bolt": {"b": {"spot": {"*": _price("2026-06-01")}}},
    "nobody": {},
}


@pytest.fixture
def bundle(sources: dict[str, str], assembled: Assembled) -> Bundle:
    return assembled(sources, catalog={"prices": PRICES})


def _with_limit(bundle: Bundle, days: int) -> Bundle:
    org = Org(name="Test", catalog=CatalogParameters(stale_price_days=days))
    return Bundle(bundle.ref, bundle.modules, bundle.data, bundle.rulebook, org)


def test_a_vendor_is_old_when_its_newest_price_is(bundle: Bundle) -> None:
    found = old_prices(_with_limit(bundle, 30), date(2026, 7, 15))

    assert [(old.vendor, old.newest, old.days, old.limit) for old in found] == [
        ("bolt", "2026-06-01", 44, 30)
    ]


@pytest.mark.parametrize(("days", "vendors"), [(44, []), (43, ["bolt"]), (1, ["acme", "bolt"])])
def test_the_day_of_the_limit_itself_is_not_too_old(
    bundle: Bundle, days: int, vendors: list[str]
) -> None:
    found = old_prices(_with_limit(bundle, days), date(2026, 7, 15))

    assert [old.vendor for old in found] == vendors


def test_a_vendor_without_prices_is_not_old(bundle: Bundle) -> None:
    assert set(price_days(bundle.data["catalog"])) == {"acme", "bolt"}
    assert price_days({}) == {}


def test_inspection_names_the_vendors_only_for_a_day(bundle: Bundle) -> None:
    assert inspect(bundle)["prices"]["stale_vendors"] == {}
    found = inspect(_with_limit(bundle, 30), today=date(2026, 7, 15))["prices"]
    assert found["stale_vendors"] == {"bolt": "2026-06-01"}
    assert found["stale_after_days"] == 30
