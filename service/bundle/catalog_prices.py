"""List prices: of one size, on one day, in one region or in all of them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from service.bundle import exact
from service.bundle.catalog_rows import Row, Tables, read_table, unique
from service.bundle.catalog_sizes import CONFIDENCE
from service.model.base import PriceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.bundle.catalog_places import Regions
    from service.bundle.catalog_sizes import Sizes

PRICES = "vendor instance_type price_kind region price currency as_of source confidence"
SOURCES = "id title licence note"

KEY = ("vendor", "instance_type", "price_kind", "region")
EVERYWHERE = "*"
PRICE_KINDS = tuple(kind.value for kind in PriceKind)

# Outside these bounds per accelerator and hour a figure has another unit, another currency or a
# slip of the decimal point (0.01 USD for a B200 was once published). The prices of the shipped
# tables lie between 0.2 and 55 USD. A renminbi was about a seventh of a dollar when they were read.
BOUNDS = {
    "CNY": (Fraction(2, 10), Fraction(430)),
    "EUR": (Fraction(3, 100), Fraction(60)),
    "USD": (Fraction(3, 100), Fraction(60)),
}

Prices = dict[str, dict[str, dict[str, dict[str, dict[str, Any]]]]]


def read_sources(directory: Tables) -> dict[str, dict[str, str | None]]:
    """What the ids in the prices' ``source`` column stand for."""
    rows = unique(read_table(directory, "sources.csv", SOURCES), lambda row: row.text("id"))
    return {
        name: {
            "title": row.text("title"),
            "licence": row.text("licence"),
            "note": row.optional("note"),
        }
        for name, row in rows.items()
    }


def read_prices(
    directory: Tables, sizes: Sizes, regions: Regions, sources: dict[str, Any]
) -> Prices:
    """Prices of a whole instance by vendor, type, price kind and region (``*`` for all)."""
    rows = unique(
        read_table(directory, "prices.csv", PRICES),
        lambda row: tuple(row.text(name) for name in KEY),
    )
    prices: Prices = {}
    for (vendor, name, kind, region), row in rows.items():
        price = check_price(row, sizes, regions)
        if row.text("source") not in sources:
            raise row.refused(f"the source `{row.text('source')}` is not in sources.csv")
        of_type = prices.setdefault(vendor, {}).setdefault(name, {})
        of_type.setdefault(kind, {})[region] = price
    return prices


def check_price(row: Row, sizes: Sizes, regions: Regions) -> dict[str, Any]:
    """The price that *row* states, of a size and a region that the catalog has.

    Raises:
        BundleRefused: The size or region does not exist, or the price is outside its bounds.
    """
    vendor, name, region = (row.text(column) for column in ("vendor", "instance_type", "region"))
    size = sizes.get(vendor, {}).get(name)
    if size is None:
        raise row.refused(f"`{vendor} {name}` is not in instance_types.csv")
    if region != EVERYWHERE and region not in regions.get(vendor, {}):
        raise row.refused(f"`{region}` is not a region of `{vendor}` in regions.csv")
    row.choice("price_kind", PRICE_KINDS)
    return {
        "micros_per_hour": _micros(row, size),
        "currency": row.text("currency"),
        "as_of": row.day("as_of"),
        "source": row.text("source"),
        "confidence": row.choice("confidence", CONFIDENCE),
    }


def accelerators_of(size: Mapping[str, Any]) -> Fraction:
    """How many whole accelerators a size carries; below 1 for a share of one."""
    return Fraction(size["slice"] or size["count"])


def _micros(row: Row, size: dict[str, Any]) -> int:
    text = row.text("price")
    low, high = BOUNDS[row.choice("currency", BOUNDS)]
    try:
        price = exact.decimal(text)
        amount = exact.micros(price)
    except ValueError:
        raise row.refused(
            f"`price` is `{text}`, expected a decimal number with at most six decimals"
        ) from None
    count = accelerators_of(size)
    if not low <= price / count <= high:
        raise row.refused(
            f"`price` is `{text}` for {count} accelerators, expected {exact.shown(low)} to"
            f" {exact.shown(high)} {row.text('currency')} per accelerator and hour",
            hint="A price that is not known has no row.",
        )
    return amount
