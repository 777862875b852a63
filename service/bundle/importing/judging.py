"""Which offers of a price list become rows of a catalog, and why others do not.

An offer is refused where the catalog cannot place it (no such size, no such region), where it
contradicts the catalog about the hardware, where its price is outside the bounds of `prices.csv`,
and where the same list states another price for the same thing: nobody can tell which one holds. It
is not taken, either, where the catalog knows better: a row with higher confidence or of a later day
stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from service.bundle import exact
from service.bundle.catalog_prices import KEY, accelerators_of, check_price
from service.bundle.catalog_rows import Row
from service.bundle.catalog_sizes import check_size
from service.bundle.importing.offers import Hardware, Offer, Place, Refused, Source
from service.errors import BundleRefused
from service.model.base import PriceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.bundle.importing.offers import Reading

# By how much the memory of one accelerator may differ from the catalog's: GB and GiB, printed and
# usable figures.
_MEMORY_TOLERANCE = Fraction(8, 100)
# An on-demand price that many times below the lowest or above the highest that the catalog has for
# this accelerator is a slip and no offer. Vendors of one accelerator differ by a factor of about 4.
_FACTOR = 8
_CONFIDENCE = ("low", "medium", "high")
_MOST_OFFERS = 500_000
_MOST_REFUSED = 10_000

Cells = dict[str, str]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An offer that the catalog has a better row for."""

    place: Place
    reason: str


@dataclass(slots=True)
class Judgement:
    """What a price list adds up to.

    Attributes:
        prices: New rows of `prices.csv`, by their key.
        sizes: New rows of `instance_types.csv`, by vendor and type.
        sources: Rows of `sources.csv` that the new rows name.
        refused: Rows that are not taken; at most 10,000 are listed, `refused_rows` counts all.
        kept: Offers that the catalog has a better row for.
        same: How many offers the catalog has already, as they are.
        others: How many offers are of sizes without accelerators.
    """

    prices: dict[Key, Cells] = field(default_factory=dict)
    sizes: dict[Key, Cells] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    refused_rows: int = 0
    kept: list[Kept] = field(default_factory=list)
    same: int = 0
    others: int = 0

    def refuse(self, place: Place, reason: str) -> None:
        """Count and, up to a limit, list a row that is not taken."""
        self.refused_rows += 1
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append(Refused(place, reason))


def judge(reading: Reading, catalog: Mapping[str, Any]) -> Judgement:
    """Judge every row of *reading* against the compiled *catalog*.

    Raises:
        BundleRefused: The file is not what it should be, or has more offers than any real list.
    """
    judgement = Judgement()
    judge_one = _Judge(catalog, judgement, mixed=reading.mixed)
    offers: dict[Key, list[Offer]] = {}
    count = 0
    for item in reading.offers:
        if isinstance(item, Refused):
            judgement.refuse(item.place, item.reason)
            continue
        placed = judge_one.placed(item)
        if placed is None:
            continue
        count += 1
        if count > _MOST_OFFERS:
            raise BundleRefused(f"there are more than {_MOST_OFFERS} offers of accelerators")
        key: Key = (placed.vendor, placed.instance_type, placed.price_kind, placed.region)
        _add(offers.setdefault(key, []), placed)
    for key, same in offers.items():
        if len(same) > 1:
            _refuse_contradiction(same, judgement)
        else:
            judge_one.weigh(key, same[0])
    used = {cells["source"] for cells in judgement.prices.values()}
    judgement.sources = [source for source in reading.sources if source.id in used]
    priced = {key[:2] for key in judgement.prices}
    judgement.sizes = {key: row for key, row in judgement.sizes.items() if key in priced}
    return judgement


def _add(same: list[Offer], offer: Offer) -> None:
    """Keep one offer for each price that is stated for the same thing."""
    if all((other.price, other.currency) != (offer.price, offer.currency) for other in same):
        same.append(offer)


def _refuse_contradiction(offers: list[Offer], judgement: Judgement) -> None:
    stated = " and ".join(f"{offer.price} {offer.currency} ({offer.place})" for offer in offers[:4])
    for offer in offers:
        name = f"{offer.vendor} {offer.instance_type} {offer.price_kind} {offer.region}"
        judgement.refuse(offer.place, f"`{name}` has more than one price: {stated}")


class _Judge:
    """The look-ups that judging needs."""

    def __init__(self, catalog: Mapping[str, Any], judgement: Judgement, *, mixed: bool) -> None:
        self._catalog = catalog
        self._judgement = judgement
        self._mixed = mixed
        self._added: dict[Key, dict[str, Any]] = {}
        self._ranges = _ranges(catalog)

    def placed(self, offer: Offer) -> Offer | None:
        """*offer* with a region of the catalog, where its size is known or can be added."""
        vendor, name = offer.vendor, offer.instance_type
        if vendor not in self._catalog["regions"]:
            self._judgement.refuse(offer.place, f"the catalog has no vendor `{vendor[:40]}`")
            return None
        size = self._catalog["instance_types"].get(vendor, {}).get(name)
        if size is None:
            if not self._carries_accelerators(offer):
                self._judgement.others += 1
                return None
            reason = self._new_size(offer)
        else:
            reason = None if offer.hardware is None else self._contradiction(size, offer.hardware)
        if reason is not None:
            self._judgement.refuse(offer.place, reason)
            return None
        region = self._region(vendor, offer.region)
        if region is None:
            reason = f"`{offer.region[:60]}` is not a region of `{vendor}` in regions.csv"
            self._judgement.refuse(offer.place, reason)
            return None
        return offer if region == offer.region else replace(offer, region=region)

    def weigh(self, key: Key, offer: Offer) -> None:
        """Take *offer* where it is valid, and nothing better is known."""
        cells = _cells(offer)
        vendor, name, kind, region = key
        size = self._catalog["instance_types"].get(vendor, {}).get(name) or self._added[key[:2]]
        row = Row(offer.place.file, offer.place.line, cells)
        try:
            new = check_price(row, {vendor: {name: size}}, self._catalog["regions"])
        except BundleRefused as error:
            self._judgement.refuse(offer.place, error.message.removeprefix(f"{offer.place}: "))
            return
        reason = self._far_off(size, kind, new)
        if reason is not None:
            self._judgement.refuse(offer.place, reason)
            return
        types = self._catalog["prices"].get(vendor, {})
        old = types.get(name, {}).get(kind, {}).get(region)
        better = None if old is None else _better(old, new)
        if better is not None:
            self._judgement.kept.append(Kept(offer.place, f"`{' '.join(key)}`: {better}"))
        elif old == new:
            self._judgement.same += 1
        else:
            self._judgement.prices[key] = cells

    def _far_off(self, size: Mapping[str, Any], kind: str, price: Mapping[str, Any]) -> str | None:
        """Why a price cannot be that of this accelerator; a spot price may be anything."""
        known = self._ranges.get((size["accelerator"], price["currency"]))
        if known is None or kind != PriceKind.ON_DEMAND.value:
            return None
        each = Fraction(price["micros_per_hour"], exact.MICROS) / accelerators_of(size)
        low, high = known
        if low / _FACTOR <= each <= high * _FACTOR:
            return None
        return (
            f"{exact.shown(each)} {price['currency']} for one accelerator and hour is far from the"
            f" {exact.shown(low)} to {exact.shown(high)} that the catalog has for"
            f" `{size['accelerator']}`"
        )

    def _carries_accelerators(self, offer: Offer) -> bool:
        if offer.hardware is not None or not self._mixed:
            return True
        families = self._catalog["instance_families"].get(offer.vendor, {})
        prefixes = [prefix for prefix in families if offer.instance_type.startswith(prefix)]
        return bool(prefixes) and families[max(prefixes, key=len)] == "some"

    def _region(self, vendor: str, name: str) -> str | None:
        """A region by its name or by that of one of its zones, such as `us-central1-a`."""
        regions = self._catalog["regions"][vendor]
        if name in regions or name == "*":
            return name
        zone: str | None = self._catalog["zones"].get(vendor, {}).get(name)
        region, _, letter = name.rpartition("-")
        return zone or (region if len(letter) == 1 and region in regions else None)

    def _contradiction(self, size: Mapping[str, Any], stated: Hardware) -> str | None:
        """What a price list says of a size that the catalog knows to be otherwise."""
        # A list counts a share of a device as one, or as none.
        if size["slice"] is None and stated.count != size["count"]:
            return (
                f"the list says {stated.count} accelerators, the catalog has {size['count']}:"
                " the price may be of another size"
            )
        printed = self._catalog["accelerators"][size["accelerator"]]["memory_marketing_gb"]
        if stated.memory_gib is None or printed is None:
            return None
        return _memory_contradiction(
            stated.memory_gib, printed * Fraction(size["slice"] or 1), size["count"]
        )

    def _new_size(self, offer: Offer) -> str | None:
        """Add the size that *offer* is of; why that cannot be done."""
        key: Key = (offer.vendor, offer.instance_type)
        if key in self._judgement.sizes:
            return self._contradiction(self._added[key], offer.hardware or Hardware(None, 0))
        unknown = f"`{' '.join(key)}` is not in instance_types.csv"
        stated = offer.hardware
        if stated is None or stated.accelerator is None:
            return unknown
        name = self._catalog["accelerator_names"].get(stated.accelerator.lower())
        if name is None:
            return f"{unknown}, and `{stated.accelerator[:40]}` names no one accelerator for sure"
        printed = self._catalog["accelerators"][name]["memory_marketing_gb"]
        if stated.memory_gib is not None and printed is not None:
            reason = _memory_contradiction(stated.memory_gib, Fraction(printed), stated.count)
            if reason is not None:
                return reason
        cells = _size_cells(offer, stated, name)
        try:
            row = Row(offer.place.file, offer.place.line, cells)
            self._added[key] = check_size(row, self._catalog["accelerators"])
        except BundleRefused as error:
            return error.message.removeprefix(f"{offer.place}: ")
        self._judgement.sizes[key] = cells
        return None


def _ranges(catalog: Mapping[str, Any]) -> dict[tuple[str, str], tuple[Fraction, Fraction]]:
    """The lowest and highest on-demand price of one accelerator, by accelerator and currency."""
    found: dict[tuple[str, str], tuple[Fraction, Fraction]] = {}
    for vendor, types in catalog["prices"].items():
        for name, kinds in types.items():
            size = catalog["instance_types"][vendor][name]
            count = accelerators_of(size)
            for price in kinds.get(PriceKind.ON_DEMAND.value, {}).values():
                each = Fraction(price["micros_per_hour"], exact.MICROS) / count
                key = (size["accelerator"], price["currency"])
                low, high = found.get(key, (each, each))
                found[key] = (min(low, each), max(high, each))
    return found


def _better(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Why the *old* price stays; ``None`` where it does not."""
    if _CONFIDENCE.index(old["confidence"]) > _CONFIDENCE.index(new["confidence"]):
        return (
            f"the catalog's price of {old['as_of']} has confidence {old['confidence']},"
            f" this one {new['confidence']}"
        )
    if old["as_of"] > new["as_of"]:
        return f"the catalog's price is of {old['as_of']}, this one of {new['as_of']}"
    return None


def _memory_contradiction(stated: Decimal, one: Fraction, count: int) -> str | None:
    """Why the *stated* memory is not that of *one* accelerator."""
    memory = Fraction(stated)
    if abs(memory - one) <= one * _MEMORY_TOLERANCE:
        return None
    total = one * count
    if count > 1 and abs(memory - total) <= total * _MEMORY_TOLERANCE:
        return (
            f"the list says {exact.shown(memory)} GB of memory, which is that of all {count}"
            " accelerators and not of one"
        )
    return (
        f"the list says {exact.shown(memory)} GB of memory for one accelerator, the catalog"
        f" {exact.shown(one)}: the price may be of another size"
    )


def _cells(offer: Offer) -> Cells:
    key = (offer.vendor, offer.instance_type, offer.price_kind, offer.region)
    return dict(zip(KEY, key, strict=True)) | {
        "price": offer.price,
        "currency": offer.currency,
        "as_of": offer.as_of,
        "source": offer.source,
        "confidence": offer.confidence,
    }


def _size_cells(offer: Offer, stated: Hardware, accelerator: str) -> Cells:
    return {
        "vendor": offer.vendor,
        "instance_type": offer.instance_type,
        "accelerator": accelerator,
        "accelerator_count": str(stated.count),
        "memory_per_accelerator_gib": _plain(stated.memory_gib),
        "vcpus": "" if stated.vcpus is None else str(stated.vcpus),
        "host_memory_gib": _plain(stated.host_memory_gib),
        "fabric": "",
        "fabric_gbps": "",
        "as_of": offer.as_of,
        "source": offer.source,
        "confidence": offer.confidence,
        "notes": "",
    }


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"
