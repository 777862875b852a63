"""A rule that looks for a cheaper offer finds a few by accelerator, shape and place."""

from __future__ import annotations

from typing import Any

from service.bundle.catalog_offers import offers_by_accelerator


def _size(count: int = 1, accelerator_slice: str | None = None) -> dict[str, Any]:
    return {"accelerator": "nvidia-l4", "count": count, "slice": accelerator_slice}


def _price(micros: int, **fields: Any) -> dict[str, Any]:
    row = {"currency": "USD", "as_of": "2026-11-01", "source": "s", "confidence": "high"}
    return {"micros_per_hour": micros, **row, **fields}


SIZES: Any = {
    "aws": {"one": _size(), "other": _size(), "two": _size(2), "part": _size(1, "1/8")},
    "gcp": {"one": _size()},
    "vultr": {"one": _size()},
}
PRICES: Any = {
    "aws": {
        "one": {"on_demand": {"us": _price(90), "nl": _price(100)}, "spot": {"us": _price(1)}},
        "other": {"on_demand": {"us": _price(91), "gov": _price(2), "cn": _price(3)}},
        "two": {"on_demand": {"us": _price(151)}},
        "part": {"on_demand": {"us": _price(1)}},
    },
    "gcp": {"one": {"on_demand": {"*": _price(80), "us": _price(9, currency="EUR")}}},
    "vultr": {"one": {"on_demand": {"us": _price(1, confidence="low")}}},
}
REGIONS: Any = {
    "aws": {
        "us": {"country": "US", "kind": "physical"},
        "nl": {"country": "NL", "kind": "physical"},
        "gov": {"country": "US", "kind": "sovereign"},
        "cn": {"country": None, "kind": "logical"},
    },
}


def _member(jurisdiction: str, **fields: Any) -> dict[str, Any]:
    row = {"condition": None, "valid_from": None, "valid_to": None}
    return {"jurisdiction": jurisdiction, **row, **fields}


COUNTRIES: Any = {
    "US": [_member("US"), _member("GDPR_ADEQUATE", condition="certified")],
    "NL": [
        _member("EU", valid_from="1958-01-01"),
        _member("LATER", valid_from="2027-01-01"),
        _member("ENDING", valid_to="2031-01-01"),
    ],
}


def _found() -> dict[str, Any]:
    found: dict[str, Any] = offers_by_accelerator(SIZES, PRICES, REGIONS, COUNTRIES)["nvidia-l4"]
    return found


def _named(offers: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(o["vendor"], o["region"], o["micros_per_accelerator_hour"]) for o in offers]


def test_each_vendor_is_there_once_with_its_cheapest_offer() -> None:
    assert _named(_found()["1"]["anywhere"]) == [("aws", "cn", 3), ("gcp", "*", 80)]


def test_places_have_their_own_cheapest_offers() -> None:
    one = _found()["1"]

    assert _named(one["countries"]["US"]) == [("aws", "us", 90)]
    assert _named(one["jurisdictions"]["EU"]) == [("aws", "nl", 100)]
    assert one["jurisdictions"]["EU"][0]["instance_type"] == "one"


def test_only_what_holds_without_condition_and_end_is_a_jurisdiction() -> None:
    assert set(_found()["1"]["jurisdictions"]) == {"US", "EU"}


def test_the_price_is_that_of_one_accelerator_rounded_up() -> None:
    assert _named(_found()["2"]["anywhere"]) == [("aws", "us", 76)]


def test_without_prices_there_are_no_offers() -> None:
    assert offers_by_accelerator(SIZES, {}, REGIONS, COUNTRIES) == {}
