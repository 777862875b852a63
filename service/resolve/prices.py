"""What a resource costs per hour, and what that figure rests on.

In this order: the organisation's contract price, the list price of the region (or of everywhere, or
of the vendor's price area that the region lies in; unconfirmed where the catalog has low confidence
in it), the highest list price of the same type in other regions, and, only where no vendor is
known, the organisation's internal rate. Spot prices count for spot only, and nothing else counts
for spot. Without a price kind, on-demand is assumed.

A workload whose instance type is not known is priced by the vendor's cheapest offer with that
accelerator: the cost is then ``inferred``, its basis stays what the offer rests on. A workload with
an instance type pays its accelerators' share of the instance. A resource without accelerators needs
no price: without one its cost is ``Cost()`` and nothing in ``unknown`` says otherwise. Where a
price is needed and missing, ``unknown`` has ``/cost``; where only the amount is not known, it has
``/cost/micros_per_hour``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from service.model.base import Basis, PriceKind
from service.resolve.tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.bundle.values import Org, OrgPrice
    from service.resolve.instances import Instances

EVERYWHERE = "*"
_UNCERTAIN = "low"


class Quote(NamedTuple):
    """A price per hour of so many *accelerators*, which are 1 for that of a whole instance."""

    micros: int
    accelerators: int
    currency: str
    basis: Basis
    inferred: bool = False


class Prices:
    """Contract, list and internal prices of a bundle."""

    def __init__(self, catalog: Table, index: Table, org: Org, instances: Instances) -> None:
        self._list = table(catalog, "prices")
        self._areas = table(catalog, "price_areas")
        self._offers = table(index, "offers")
        self._instances = instances
        self._currency = org.limits.currency
        self._rates = {rate.accelerator: rate for rate in org.internal_rates}
        self._contract: dict[tuple[str, str, PriceKind], dict[str, Quote]] = {}
        self._contract_offers: dict[tuple[str, str, PriceKind], dict[str, Quote]] = {}
        for price in org.prices:
            self._add_contract(price)

    def _add_contract(self, price: OrgPrice) -> None:
        quote = Quote(price.micros_per_hour, 1, price.currency, Basis.CONTRACT)
        key = (price.vendor, price.instance_type, price.price_kind)
        self._contract.setdefault(key, {}).setdefault(price.region, quote)
        row = self._instances.find(price.vendor, price.instance_type)
        if row is None or row["slice"]:
            return
        offer = quote._replace(accelerators=row["count"], inferred=True)
        offers = self._contract_offers.setdefault(
            (price.vendor, row["accelerator"], price.price_kind), {}
        )
        known = offers.get(price.region)
        if known is None or offer.micros * known.accelerators < known.micros * offer.accelerators:
            offers[price.region] = offer

    def of_instance(
        self, vendor: str, name: str, kind: PriceKind, places: Iterable[str]
    ) -> Quote | None:
        """The price of one whole instance in the first of *places* that has one."""
        if self._contract and (contract := self._contract.get((vendor, name, kind))):
            quote = _first(contract, (*places, EVERYWHERE))
            if quote is not None:
                return quote
        rows = self._list.get(vendor, {}).get(name, {}).get(kind.value)
        if not rows:
            return None
        return self._listed(rows, places, "micros_per_hour")

    def of_accelerator(
        self, vendor: str, accelerator: str, kind: PriceKind, places: Iterable[str]
    ) -> Quote | None:
        """The vendor's cheapest offer with that accelerator in the first of *places* with one."""
        offers = self._contract_offers
        if offers and (contract := offers.get((vendor, accelerator, kind))):
            quote = _first(contract, (*places, EVERYWHERE))
            if quote is not None:
                return quote
        rows = self._offers.get(accelerator, {}).get(vendor)
        if not rows or kind is not PriceKind.ON_DEMAND:
            return None
        return self._listed(rows, places, "micros_per_accelerator_hour", inferred=True)

    def internal(self, accelerator: str) -> Quote | None:
        """The organisation's own rate for one accelerator."""
        rate = self._rates.get(accelerator)
        if rate is None:
            return None
        return Quote(rate.micros_per_hour, 1, rate.currency, Basis.INTERNAL_RATE)

    def places(self, vendor: str, region: str | None, zone: str | None) -> tuple[str, ...]:
        """The names under which a price that holds in *region* may be listed, the nearest first."""
        areas: Mapping[str, str] = self._areas.get(vendor, {})
        named = [name for name in (region, zone) if name is not None]
        return (*named, *(areas[name] for name in named if name in areas))

    def _listed(
        self, rows: Table, places: Iterable[str], column: str, *, inferred: bool = False
    ) -> Quote:
        for place in (*places, EVERYWHERE):
            row = rows.get(place)
            if row is not None:
                uncertain = row.get("confidence") == _UNCERTAIN
                basis = Basis.LIST_UNCONFIRMED if uncertain else Basis.LIST
                return Quote(row[column], 1, row["currency"], basis, inferred)
        # Amounts of several currencies cannot be compared: the organisation's goes first.
        currencies = {row["currency"] for row in rows.values()}
        chosen = self._currency if self._currency in currencies else max(currencies)
        highest = max(row[column] for row in rows.values() if row["currency"] == chosen)
        return Quote(highest, 1, chosen, Basis.LIST_OTHER_REGION, inferred)


def _first(quotes: Mapping[str, Quote], places: Iterable[str]) -> Quote | None:
    return next((quotes[place] for place in places if place in quotes), None)


def mig_share(profile: str, profiles: Iterable[Any]) -> tuple[int, int] | None:
    """The share of a card's compute slices: ``1g.10gb`` is 1/7 of an H100."""
    slices = [int(head) for name in profiles if (head := str(name).partition("g.")[0]).isdecimal()]
    head = profile.partition("g.")[0]
    if not slices or not head.isdecimal() or not 1 <= int(head) <= max(slices):
        return None
    return int(head), max(slices)
