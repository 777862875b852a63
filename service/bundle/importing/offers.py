"""What a reader of a price list yields: offers, and rows that are no offer with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from service.errors import BundleRefused

_MICRO = Decimal("0.000001")
_LARGEST = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; it shows as ``file:line``."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a price list says of the size itself; ``None`` where it does not.

    *memory_gib* is of one accelerator, *host_memory_gib* of the whole instance.
    """

    accelerator: str | None
    count: int
    memory_gib: Decimal | None = None
    vcpus: int | None = None
    host_memory_gib: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One price of one size in one region; names are those of the vendor's API.

    *price* is decimal text of one hour of a whole instance. *source* is an id of ``sources.csv``.
    """

    place: Place
    vendor: str
    instance_type: str
    region: str
    price_kind: str
    price: str
    currency: str
    as_of: str
    source: str
    confidence: str
    hardware: Hardware | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken, and why."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """A row of ``sources.csv``."""

    id: str
    title: str
    licence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read from a price list: where it comes from, and its rows as they are asked for.

    *sources* is complete only when *offers* is exhausted. *mixed* lists have sizes without
    accelerators too, which are then left out and not refused.
    """

    sources: list[Source]
    offers: Iterator[Offer | Refused]
    mixed: bool = True


def price_text(value: str) -> str:
    """The decimal *value* to six places, as the catalog writes prices.

    Lists print ten decimals or binary fractions such as ``0.30000000000000004``.

    Raises:
        ValueError: *value* is no finite number, is negative or absurdly large.
    """
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite() or not 0 <= number < _LARGEST:
        raise ValueError(value)
    rounded = number.quantize(_MICRO, rounding=ROUND_HALF_UP)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".")


def unreadable(name: str, reason: str, *, hint: str = "") -> BundleRefused:
    """The refusal of a whole file, to be raised."""
    return BundleRefused(f"`{name}`: {reason}", hint=hint)
