"""Answers of Azure's retail prices API: one JSON file, or a folder with one for each page.

Consumption and spot prices of virtual machines with Linux are offers. A reservation's price is of
its whole term although its unit says an hour, so reservations are left out; so are Windows, cloud
services, dedicated hosts and low priority. An answer does not say when it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service.bundle.importing import streams
from service.bundle.importing.offers import (
    Offer,
    Place,
    Reading,
    Refused,
    Source,
    price_text,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHER_PRODUCTS = ("Windows", "Cloud Services", "CloudServices", "Dedicated")
_OTHER_METERS = ("Low Priority", "Expired")
_NEVER = "9999-12-31"


def read(path: Path, as_of: str) -> Reading:
    """The offers of the answers at *path*, given on the day *as_of*."""
    source = Source(f"azure-retail-{as_of}", f"Azure retail prices API as of {as_of}", "facts only")
    return Reading([source], _offers(path, as_of, source.id))


def _offers(path: Path, as_of: str, source: str) -> Iterator[Offer | Refused]:
    pages = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not pages:
        raise unreadable(path.name, "the folder holds no JSON file")
    for page in pages:
        with page.open("rb") as file:
            document = streams.Json(file, page.name)
            for line, item in _items(document, page.name):
                offer = _offer(Place(page.name, line), item, as_of=as_of, source=source)
                if offer is not None:
                    yield offer


def _items(document: streams.Json, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The items of an answer, or of a list that somebody joined from several."""
    if document.peek() == "[":
        yield from _objects(document, name)
        return
    found = False
    for key in document.keys():  # noqa: SIM118  # it is a walk through a stream and no mapping
        if key == "Items":
            found = True
            yield from _objects(document, name)
        else:
            document.skip()
    if not found:
        raise unreadable(
            name, "there are no `Items`", hint="Give an answer of `/api/retail/prices` as it came."
        )


def _objects(document: streams.Json, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, item in document.items():
        if not isinstance(item, dict):
            raise unreadable(name, f"line {line}: an item is no object")
        yield line, item


def _offer(
    place: Place, item: Mapping[str, Any], *, as_of: str, source: str
) -> Offer | Refused | None:
    """The offer that an item is; ``None`` for another kind of price."""
    text = {key: value for key, value in item.items() if isinstance(value, str)}
    product, meter = text.get("productName", ""), text.get("meterName", "")
    sku = text.get("skuName", "")
    if (
        text.get("serviceName") != "Virtual Machines"
        or text.get("type") != "Consumption"
        or text.get("unitOfMeasure") != "1 Hour"
        or item.get("isPrimaryMeterRegion") is False
        or not text.get("armSkuName")
        or text.get("effectiveStartDate", "")[:10] > as_of
        or text.get("effectiveEndDate", _NEVER)[:10] < as_of
        or any(word in product for word in _OTHER_PRODUCTS)
        or any(word in f"{sku} {meter}" for word in _OTHER_METERS)
    ):
        return None
    amount = text.get("retailPrice", "")
    try:
        price = price_text(amount)
    except ValueError:
        return Refused(place, f"`retailPrice` is `{amount[:40]}`, expected a number")
    return Offer(
        place=place,
        vendor="azure",
        instance_type=text["armSkuName"],
        region=text.get("armRegionName", ""),
        price_kind="spot" if "Spot" in sku or "Spot" in meter else "on_demand",
        price=price,
        currency=text.get("currencyCode", ""),
        as_of=as_of,
        source=source,
        confidence="high",
    )
