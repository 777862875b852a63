"""Our own form: a table with the columns of ``prices.csv``.

``source`` may be any text that says where a price was read: an id of ``sources.csv`` where it is
one, else a source of that title is made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.bundle.catalog_prices import PRICES
from service.bundle.importing import streams
from service.bundle.importing.offers import Offer, Place, Reading, Refused, Source, price_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

_COLUMNS = tuple(PRICES.split())
_NO_WORD = re.compile(r"[^a-z0-9]+")
_LONGEST_ID = 64


def read(path: Path, known_sources: Collection[str]) -> Reading:
    """The rows of the table at *path*."""
    sources: list[Source] = []
    return Reading(sources, _offers(path, known_sources, sources), mixed=False)


def _offers(path: Path, known: Collection[str], sources: list[Source]) -> Iterator[Offer | Refused]:
    made: dict[str, str] = {}
    with path.open("rb") as file:
        for line, cells in streams.table(streams.lines(file, path.name), path.name, _COLUMNS):
            place = Place(path.name, line)
            row = {column: cells[column].strip() for column in _COLUMNS}
            empty = next((column for column in _COLUMNS if not row[column]), None)
            if empty:
                yield Refused(place, f"`{empty}` is empty, expected a value")
                continue
            try:
                row["price"] = price_text(row["price"])
            except ValueError:
                yield Refused(place, f"`price` is `{row['price'][:40]}`, expected a decimal number")
                continue
            title = row["source"]
            if title not in known and title not in made:
                made[title] = _id_of(title)
                sources.append(Source(made[title], title, "facts only"))
            row["source"] = made.get(title, title)
            yield _offer(place, row)


def _offer(place: Place, row: Mapping[str, str]) -> Offer:
    return Offer(
        place=place,
        vendor=row["vendor"],
        instance_type=row["instance_type"],
        region=row["region"],
        price_kind=row["price_kind"],
        price=row["price"],
        currency=row["currency"],
        as_of=row["as_of"],
        source=row["source"],
        confidence=row["confidence"],
    )


def _id_of(title: str) -> str:
    return _NO_WORD.sub("-", title.lower()).strip("-")[:_LONGEST_ID] or "import"
