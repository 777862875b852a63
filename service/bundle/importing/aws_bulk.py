"""The offer file of Amazon EC2 in AWS's bulk price list, as CSV or as JSON.

Only what `prices.csv` means by an on-demand price is an offer: Linux without licensed software, in
a region, on shared hardware, by the hour. Everything else in the file is another product.

The CSV form has the file's own facts in its first five lines and the columns in the sixth. The JSON
form has products first and their terms after, joined by a stock keeping unit.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from service.bundle.importing import streams
from service.bundle.importing.offers import (
    Hardware,
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

_HEAD_LINES = 5
_SERVICE = "AmazonEC2"
_CURRENCIES = ("USD", "CNY")
_MOST_PRODUCTS = 2_000_000

# Per attribute: its name in the JSON form, its column in the CSV form, and what an offer has. An
# empty value is what files have that are older than the attribute.
_PRODUCT = (
    ("operatingSystem", "Operating System", ("Linux",)),
    ("tenancy", "Tenancy", ("Shared",)),
    ("preInstalledSw", "Pre Installed S/W", ("NA", "")),
    ("capacitystatus", "CapacityStatus", ("Used",)),
    ("locationType", "Location Type", ("AWS Region", "")),
    ("marketoption", "MarketOption", ("OnDemand", "")),
)
_COLUMNS = (
    "TermType",
    "Unit",
    "PricePerUnit",
    "Currency",
    "Instance Type",
    "Region Code",
    *(column for _, column, _ in _PRODUCT[:4]),
)


def read(path: Path) -> Reading:
    """The on-demand offers of the file at *path*."""
    sources: list[Source] = []
    return Reading(sources, _offers(path, sources))


def _offers(path: Path, sources: list[Source]) -> Iterator[Offer | Refused]:
    with path.open("rb") as file:
        beginning = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(0)
        if beginning.startswith(b"{"):
            yield from _from_json(file, path.name, sources)
        else:
            yield from _from_csv(file, path.name, sources)


def _source(name: str, facts: Mapping[str, str]) -> tuple[Source, str]:
    """The source and the day of a file that says *facts* of itself.

    Raises:
        BundleRefused: It is the file of another service, or does not say when it was published.
    """
    service, published = facts.get("offerCode", ""), facts.get("publicationDate", "")[:10]
    if service != _SERVICE:
        raise unreadable(name, f"this is the offer file of `{service[:40]}`, expected {_SERVICE}")
    try:
        day = date.fromisoformat(published).isoformat()
    except ValueError:
        raise unreadable(
            name, f"the publication date is `{published}`, expected a day such as `2026-11-23`"
        ) from None
    title = f"AWS price list, offer file {_SERVICE}, version {facts.get('version', '')[:40]}"
    return Source(f"aws-bulk-{day}", title, "facts only", f"published {day}"), day


def _from_csv(file: IO[bytes], name: str, sources: list[Source]) -> Iterator[Offer | Refused]:
    lines = streams.lines(file, name)
    pairs = [row[:2] for row in csv.reader(islice(lines, _HEAD_LINES)) if len(row) > 1]
    # "Publication Date" here, "publicationDate" in the JSON form.
    known = {key.replace(" ", "").lower(): value for key, value in pairs}
    facts = {key: known.get(key.lower(), "") for key in ("offerCode", "publicationDate", "version")}
    source, day = _source(name, facts)
    sources.append(source)
    for line, cells in streams.table(lines, name, _COLUMNS, first=_HEAD_LINES + 1):
        if cells["TermType"] != "OnDemand" or cells["Unit"] != "Hrs":
            continue
        if any(cells.get(column, "") not in allowed for _, column, allowed in _PRODUCT):
            continue
        yield _offer(
            Place(name, line),
            cells["Instance Type"],
            cells["Region Code"],
            price=(cells["PricePerUnit"], cells["Currency"]),
            gpus=cells.get("GPU", ""),
            of=(source.id, day),
        )


def _from_json(file: IO[bytes], name: str, sources: list[Source]) -> Iterator[Offer | Refused]:
    document = streams.Json(file, name)
    facts: dict[str, str] = {}
    products: dict[str, tuple[str, str, str]] | None = None
    for key in document.keys():  # noqa: SIM118  # it is a walk through a stream and no mapping
        if key == "products":
            products = _products(document, name)
        elif key == "terms":
            if products is None:
                raise unreadable(name, "`terms` stands before `products`, so nothing can be joined")
            source, day = _source(name, facts)
            sources.append(source)
            yield from _terms(document, name, products, of=(source.id, day))
        else:
            value = document.value()
            if isinstance(value, str):
                facts[key] = value
    if not sources:
        raise unreadable(name, "there are no `terms`", hint="Give the whole offer file.")


def _products(document: streams.Json, name: str) -> dict[str, tuple[str, str, str]]:
    """Type, region and accelerators of each product that an offer can be about."""
    found: dict[str, tuple[str, str, str]] = {}
    for sku in document.keys():  # noqa: SIM118  # as above
        attributes = _mapping(_mapping(document.value()).get("attributes"))
        if all(attributes.get(key, "") in allowed for key, _, allowed in _PRODUCT):
            found[sku] = (
                str(attributes.get("instanceType", "")),
                str(attributes.get("regionCode", "")),
                str(attributes.get("gpu", "")),
            )
            if len(found) > _MOST_PRODUCTS:
                raise unreadable(name, f"there are more than {_MOST_PRODUCTS} products")
    return found


def _terms(
    document: streams.Json,
    name: str,
    products: Mapping[str, tuple[str, str, str]],
    *,
    of: tuple[str, str],
) -> Iterator[Offer | Refused]:
    for kind in document.keys():  # noqa: SIM118  # as above
        if kind != "OnDemand":
            document.skip()
            continue
        for sku in document.keys():  # noqa: SIM118  # as above
            place = Place(name, document.line)
            terms = _mapping(document.value())
            if sku not in products:
                continue
            instance_type, region, gpus = products[sku]
            for price in _hourly(terms):
                yield _offer(place, instance_type, region, price=price, gpus=gpus, of=of)


def _hourly(terms: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each hourly price of a product and its currency."""
    for term in terms.values():
        for dimension in _mapping(_mapping(term).get("priceDimensions")).values():
            prices = _mapping(_mapping(dimension).get("pricePerUnit"))
            if _mapping(dimension).get("unit") == "Hrs":
                for currency in _CURRENCIES:
                    if currency in prices:
                        yield str(prices[currency]), currency


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _offer(
    place: Place,
    instance_type: str,
    region: str,
    *,
    price: tuple[str, str],
    gpus: str,
    of: tuple[str, str],
) -> Offer | Refused:
    amount, currency = price
    source, day = of
    try:
        text = price_text(amount)
    except ValueError:
        return Refused(place, f"`PricePerUnit` is `{amount[:40]}`, expected a number")
    count = int(gpus) if gpus.isascii() and gpus.isdecimal() else 0
    return Offer(
        place=place,
        vendor="aws",
        instance_type=instance_type,
        region=region,
        price_kind="on_demand",
        price=text,
        currency=currency,
        as_of=day,
        source=source,
        confidence="high",
        # The file does not name the accelerator, and counts a share of one as none or as one.
        hardware=Hardware(None, count) if count else None,
    )
