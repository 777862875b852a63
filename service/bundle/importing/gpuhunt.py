"""The catalog of gpuhunt: one CSV file per provider, in a zip file or a folder.

Prices are US dollars per hour of a whole instance; ``gpu_memory`` is of one accelerator, in GB.
The files do not say on which day they were made.
"""

from __future__ import annotations

import zipfile
from decimal import Decimal, InvalidOperation
from typing import IO, TYPE_CHECKING

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

_COLUMNS = ("instance_name", "location", "price", "gpu_count", "gpu_name", "gpu_memory", "spot")
# Providers that are called something else here. Others have the same name, or none.
_VENDORS = {"lambdalabs": "lambda"}
_MOST_BYTES = 2 * 1024**3
_MOST_FILES = 100
_LARGEST = 10**6
_NO_PRICE = {"", "nan", "none", "inf"}


def read(path: Path, as_of: str) -> Reading:
    """The offers of the zip file, folder or single CSV file at *path*, read on the day *as_of*."""
    source = Source(f"gpuhunt-{as_of}", f"dstackai/gpuhunt catalog as of {as_of}", "facts only")
    return Reading([source], _offers(path, as_of, source.id))


def _offers(path: Path, as_of: str, source: str) -> Iterator[Offer | Refused]:
    for name, file in _files(path):
        with file:
            provider = name.removesuffix(".csv").rpartition("/")[2]
            vendor = _VENDORS.get(provider, provider)
            for line, cells in streams.table(streams.lines(file, name), name, _COLUMNS):
                place = Place(name, line)
                try:
                    offer = _offer(place, vendor, cells, as_of=as_of, source=source)
                except ValueError as error:
                    yield Refused(place, str(error))
                    continue
                if offer is not None:
                    yield offer


def _files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Each table of the catalog and its name."""
    if path.is_dir():
        found = sorted(path.glob("*.csv"))
        if not found:
            raise unreadable(path.name, "the folder holds no CSV file")
        for table in found:
            yield table.name, table.open("rb")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if item.filename.endswith(".csv")]
            size = sum(item.file_size for item in members)
            if not members or len(members) > _MOST_FILES or size > _MOST_BYTES:
                raise unreadable(
                    path.name,
                    f"the archive has {len(members)} tables of {size} bytes, expected 1 to"
                    f" {_MOST_FILES} of {_MOST_BYTES} at most",
                )
            for item in members:
                yield item.filename, archive.open(item)
    else:
        yield path.name, path.open("rb")


def _offer(
    place: Place, vendor: str, cells: dict[str, str], *, as_of: str, source: str
) -> Offer | None:
    """The offer in a row; ``None`` for a size without accelerators."""
    count = _whole("gpu_count", cells["gpu_count"])
    if not count:
        return None
    if cells["price"].lower() in _NO_PRICE:
        raise ValueError("`price` is empty: a price that is not known has no row")
    try:
        price = price_text(cells["price"])
    except ValueError:
        raise ValueError(f"`price` is `{cells['price'][:40]}`, expected a number") from None
    spot = cells["spot"].lower()
    if spot not in {"true", "false"}:
        raise ValueError(f"`spot` is `{cells['spot'][:40]}`, expected `True` or `False`")
    return Offer(
        place=place,
        vendor=vendor,
        instance_type=_name(vendor, cells["instance_name"]),
        region=cells["location"],
        price_kind="spot" if spot == "true" else "on_demand",
        price=price,
        currency="USD",
        as_of=as_of,
        source=source,
        confidence="medium",
        hardware=Hardware(
            accelerator=cells["gpu_name"] or None,
            count=count,
            memory_gib=_number("gpu_memory", cells["gpu_memory"]),
            vcpus=_whole("cpu", cells.get("cpu", "")),
            host_memory_gib=_number("memory", cells.get("memory", "")),
        ),
    )


def _name(vendor: str, name: str) -> str:
    """Nebius: platform and preset, which the catalog joins by an underscore."""
    return name.replace(" ", "_") if vendor == "nebius" else name


def _whole(column: str, text: str) -> int | None:
    number = _number(column, text)
    if number is None:
        return None
    if number != int(number):
        raise ValueError(f"`{column}` is `{text[:40]}`, expected a whole number")
    return int(number)


def _number(column: str, text: str) -> Decimal | None:
    """``None`` for an empty cell and for 0, which stands for what gpuhunt does not know."""
    try:
        number = Decimal(text or 0)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and 0 <= number < _LARGEST):
        raise ValueError(f"`{column}` is `{text[:40]}`, expected a number")
    return number or None
