"""Offers by what a rule holds when it looks for a cheaper one: accelerator, shape and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.bundle import exact
from service.bundle.catalog_prices import EVERYWHERE, accelerators_of
from service.model.base import PriceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.bundle.catalog_places import Regions
    from service.bundle.catalog_prices import Prices
    from service.bundle.catalog_sizes import Sizes

Countries = dict[str, list[dict[str, str | None]]]
Offer = dict[str, Any]

_UNCERTAIN = "low"
_CLOSED = "sovereign"


def offers_by_accelerator(
    sizes: Sizes, prices: Prices, regions: Regions, countries: Countries
) -> dict[str, Any]:
    """The cheapest offer of each vendor, by accelerator, count per instance and place.

    Places are ``anywhere``, and by name ``countries`` and ``jurisdictions``: as many offers as
    vendors are left for each, the cheapest first. They are on-demand prices in US dollars of whole
    accelerators, in which the catalog does not have low confidence, outside of regions that are
    open to some customers only. An offer that holds in an area or everywhere has no country.
    Jurisdictions are those that hold without a condition and without an end on the day of the
    newest price, because nobody knows on which day the index will be read.
    """
    day = max((price["as_of"] for *_, price in _rows(prices)), default="")
    found: dict[str, Any] = {}
    for vendor, name, region, price in _rows(prices):
        size = sizes[vendor][name]
        kind = regions.get(vendor, {}).get(region, {}).get("kind")
        usable = price["currency"] == "USD" and price["confidence"] != _UNCERTAIN
        if size["slice"] is not None or kind == _CLOSED or not usable:
            continue
        country = regions.get(vendor, {}).get(region, {}).get("country")
        offer = {
            "vendor": vendor,
            "region": region,
            "instance_type": name,
            "micros_per_accelerator_hour": exact.divided_up(
                price["micros_per_hour"], accelerators_of(size)
            ),
            "currency": price["currency"],
            "country": country,
            "jurisdictions": _jurisdictions(countries.get(country or "", []), day),
        }
        places = found.setdefault(size["accelerator"], {}).setdefault(
            str(size["count"]), {"anywhere": {}, "countries": {}, "jurisdictions": {}}
        )
        for of_place in _of_places(places, offer):
            of_place[vendor] = min(of_place.get(vendor, offer), offer, key=_rank)
    return {
        accelerator: {count: _sorted(places) for count, places in counts.items()}
        for accelerator, counts in found.items()
    }


def _rows(prices: Prices) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for vendor, of_vendor in prices.items():
        for name, of_type in of_vendor.items():
            for region, price in of_type.get(PriceKind.ON_DEMAND.value, {}).items():
                yield vendor, name, region, price


def _jurisdictions(members: list[dict[str, str | None]], day: str) -> list[str]:
    return sorted(
        str(member["jurisdiction"])
        for member in members
        if not member["condition"]
        and not member["valid_to"]
        and (member["valid_from"] or "") <= day
    )


def _of_places(places: dict[str, dict[str, Any]], offer: Offer) -> Iterator[dict[str, Offer]]:
    yield places["anywhere"]
    if offer["country"] is not None:
        yield places["countries"].setdefault(offer["country"], {})
    for jurisdiction in offer["jurisdictions"]:
        yield places["jurisdictions"].setdefault(jurisdiction, {})


def _sorted(places: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "anywhere": sorted(places["anywhere"].values(), key=_rank),
        **{
            kind: {
                name: sorted(offers.values(), key=_rank) for name, offers in places[kind].items()
            }
            for kind in ("countries", "jurisdictions")
        },
    }


def _rank(offer: Offer) -> tuple[int, bool, str, str, str]:
    """Cheapest first; among equals one with a place of its own, then by name."""
    return (
        offer["micros_per_accelerator_hour"],
        offer["region"] == EVERYWHERE,
        offer["vendor"],
        offer["region"],
        offer["instance_type"],
    )
