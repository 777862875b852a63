"""How old the list prices of a bundle are on a day.

Nothing here is part of a decision: a decision follows from the bundle and the request alone, and
must come out the same when it is made again a year later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from service.bundle.values import Bundle


@dataclass(frozen=True, slots=True)
class OldPrices:
    """The list prices of one vendor, all of which are older than the organisation allows.

    Attributes:
        vendor: Whose.
        newest: The day of the newest one.
        days: How old that is.
        limit: After how many days the organisation calls prices old.
    """

    vendor: str
    newest: str
    days: int
    limit: int


def old_prices(bundle: Bundle, today: date) -> list[OldPrices]:
    """The vendors whose newest list price is too old on the day *today*, by name."""
    limit = bundle.org.catalog.stale_price_days
    found: list[OldPrices] = []
    for vendor, days in sorted(price_days(bundle.data["catalog"]).items()):
        newest = max(days)
        age = (today - date.fromisoformat(newest)).days
        if age > limit:
            found.append(OldPrices(vendor, newest, age, limit))
    return found


def price_days(catalog: Mapping[str, Any]) -> dict[str, list[str]]:
    """The day of every list price by vendor."""
    prices = catalog.get("prices", {})
    return {vendor: days for vendor in prices if (days := list(_days(prices[vendor])))}


def _days(types: Mapping[str, Any]) -> Iterator[str]:
    for kinds in types.values():
        for regions in kinds.values():
            for price in regions.values():
                yield price["as_of"]
