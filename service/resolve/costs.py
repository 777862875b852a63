"""The cost of one resource: its price times how much of it there is."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from service.model.base import Basis, PriceKind, Range, Reason, Role
from service.model.resource import Accelerator, Cost, Sharing
from service.resolve.draft import Draft, exact, times
from service.resolve.models import mib_of, part_of
from service.resolve.prices import Prices, Quote, mig_share
from service.resolve.tables import REMEMBERED

if TYPE_CHECKING:
    from service.resolve.accelerators import Accelerators
    from service.resolve.instances import Instances

_NO_COST = Cost()
_FIRMEST_FIRST = (
    Basis.CONTRACT,
    Basis.LIST,
    Basis.LIST_UNCONFIRMED,
    Basis.LIST_OTHER_REGION,
    Basis.INTERNAL_RATE,
)


class _Amount(NamedTuple):
    """An hourly cost at its smallest and its largest size, and the quote it was computed from."""

    least: int | None
    most: int | None
    quote: Quote


class _Wanted(NamedTuple):
    """What the price of an accelerator depends on."""

    vendor: str | None
    region: str | None
    zone: str | None
    instance_type: str | None
    kind: PriceKind
    model: str


class Costs:
    """Writes costs into drafts."""

    def __init__(self, prices: Prices, accelerators: Accelerators, instances: Instances) -> None:
        self._prices = prices
        self._accelerators = accelerators
        self._instances = instances
        self._quote = functools.lru_cache(maxsize=REMEMBERED)(self._look_up)

    def apply(self, draft: Draft) -> None:
        """Write the cost, or the reason why it is not known, into *draft*."""
        takes = draft.accelerators is None or bool(draft.accelerators)
        found: _Amount | Reason | None = self._price_kind_reason(draft)
        if found is None and draft.role is Role.CAPACITY:
            found = self._of_capacity(draft)
        elif found is None:
            found = self._of_workload(draft) if takes else None
        if isinstance(found, _Amount):
            self._write(draft, found)
            return
        draft.update["cost"] = _NO_COST
        if takes:
            draft.hide("/cost", found or Reason.NOT_IN_CATALOG)

    def _price_kind_reason(self, draft: Draft) -> Reason | None:
        return draft.reason("/price_kind") if draft.state.price_kind is None else None

    def _write(self, draft: Draft, found: _Amount) -> None:
        quote, lifetime, total = found.quote, draft.state.lifetime, None
        if found.most is None:
            draft.hide("/cost/micros_per_hour", self._size_reason(draft))
        elif lifetime.bounded and lifetime.minutes is not None:
            total = exact(-(-found.most * lifetime.minutes // 60))
        draft.update["cost"] = _cost(found, total)
        draft.provenance["/cost"] = _SOURCE[quote.basis.value]

    def _size_reason(self, draft: Draft) -> Reason:
        if draft.role is Role.CAPACITY:
            return draft.reason("/nodes/max") or Reason.UNDECLARED
        count = len(draft.accelerators or ())
        reasons = (draft.reason(f"/accelerators/{index}/total/max") for index in range(count))
        return next(filter(None, reasons), None) or draft.reason("/copies/max") or Reason.UNDECLARED

    def _of_capacity(self, draft: Draft) -> _Amount | Reason:
        state = draft.state
        if state.instance_type is None:
            return draft.reason("/instance_type") or Reason.UNDECLARED
        if draft.vendor is None:
            return draft.reason("/vendor") or Reason.UNDECLARED
        quote = self._prices.of_instance(
            draft.vendor,
            state.instance_type,
            state.price_kind or PriceKind.ON_DEMAND,
            self._prices.places(draft.vendor, draft.region, state.zone),
        )
        if quote is None:
            return Reason.NOT_IN_CATALOG
        nodes = state.nodes
        return _Amount(times(nodes.min, quote.micros), times(nodes.max, quote.micros), quote)

    def _of_workload(self, draft: Draft) -> _Amount | Reason:
        """The sum over all accelerators; all must have a price, in one currency."""
        if draft.accelerators is None:
            return draft.reason("/accelerators") or Reason.UNDECLARED
        parts = [self._of_accelerator(draft, i, a) for i, a in enumerate(draft.accelerators)]
        if len(parts) == 1:
            return parts[0]
        amounts = [part for part in parts if isinstance(part, _Amount)]
        for part in parts:
            if isinstance(part, Reason):
                return part
        quotes = [amount.quote for amount in amounts]
        if len({quote.currency for quote in quotes}) > 1:
            return Reason.NOT_IN_CATALOG
        weakest = max(quotes, key=lambda quote: _FIRMEST_FIRST.index(quote.basis))
        quote = weakest._replace(inferred=any(quote.inferred for quote in quotes))
        return _Amount(
            _sum([amount.least for amount in amounts]),
            _sum([amount.most for amount in amounts]),
            quote,
        )

    def _of_accelerator(self, draft: Draft, index: int, item: Accelerator) -> _Amount | Reason:
        if item.model is None:
            return draft.reason(f"/accelerators/{index}/model") or Reason.UNDECLARED
        state = draft.state
        kind = state.price_kind or PriceKind.ON_DEMAND
        quote = self._quote(
            _Wanted(draft.vendor, draft.region, state.zone, state.instance_type, kind, item.model)
        )
        if quote is None and draft.vendor is None:
            return draft.reason("/vendor") or Reason.UNDECLARED
        share = self._share(item)
        if quote is None or share is None:
            return Reason.NOT_IN_CATALOG if quote is None else Reason.UNDECLARED
        upper, lower = share
        total = item.total
        return _Amount(
            _priced(total.min, quote, upper, lower), _priced(total.max, quote, upper, lower), quote
        )

    def _look_up(self, wanted: _Wanted) -> Quote | None:
        """The price of whole accelerators, from the instance type if it is known."""
        vendor, region, zone, name, kind, model = wanted
        if vendor is None:
            return self._prices.internal(model)
        places = self._prices.places(vendor, region, zone)
        row = self._instances.find(vendor, name)
        if name is not None and row is not None and row["accelerator"] == model:
            quote = self._prices.of_instance(vendor, name, kind, places)
            # A pod sees the share of a card that the instance has as one device.
            return quote._replace(accelerators=row["count"]) if quote is not None else None
        return self._prices.of_accelerator(vendor, model, kind, places)

    def _share(self, item: Accelerator) -> tuple[int, int] | None:
        """How much of a whole accelerator one of these takes; ``None`` where nobody can say.

        Nothing tells how many replicas a time-sliced card is divided into.
        """
        if item.sharing is Sharing.TIME_SLICED:
            return None
        if item.slice is None:
            whole = item.sharing is None or item.sharing is Sharing.WHOLE
            return (1, 1) if whole else None
        row = self._accelerators.rows[item.model] if item.model else {}
        stated, usable = mib_of(item.slice), row.get("usable_mib")
        if stated is not None:
            return (min(stated, usable), usable) if usable else None
        profiles = row.get("mig_profiles")
        return part_of(item.slice) or mig_share(item.slice, profiles or ())


_SOURCE = {
    basis.value: "scope" if basis in (Basis.CONTRACT, Basis.INTERNAL_RATE) else "catalog"
    for basis in Basis
}


@functools.lru_cache(maxsize=REMEMBERED)
def _cost(amount: _Amount, total: int | None) -> Cost:
    quote = amount.quote
    return Cost(
        micros_per_hour=Range(min=amount.least, max=amount.most),
        micros_total=total,
        currency=quote.currency,
        basis=quote.basis,
        inferred=quote.inferred,
    )


def _priced(count: int | None, quote: Quote, upper: int, lower: int) -> int | None:
    """The price of *count* shares of *upper*/*lower* accelerators, rounded up to a micro."""
    if count is None:
        return None
    return exact(-(-count * quote.micros * upper // (quote.accelerators * lower)))


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return exact(sum(known)) if len(known) == len(amounts) else None
