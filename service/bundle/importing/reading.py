"""Opening a price list as the kind of file that the user says it is."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from service.bundle.importing import aws_bulk, azure_retail, gpuhunt, own
from service.bundle.importing.offers import unreadable
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from service.bundle.importing.offers import Offer, Reading, Refused


class Format(StrEnum):
    """The kinds of price list that ``--from`` names."""

    CSV = "csv"
    GPUHUNT = "gpuhunt"
    AWS_BULK = "aws-bulk"
    AZURE_RETAIL = "azure-retail"


# These say themselves of which day they are, each row or the whole file.
_DATED = frozenset((Format.CSV, Format.AWS_BULK))
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def read(kind: Format, path: Path, *, as_of: str | None, known_sources: Collection[str]) -> Reading:
    """The price list at *path*, read as *kind* while its offers are asked for.

    Args:
        kind: What the file is.
        path: The file, or a folder of them where *kind* has several.
        as_of: The day on which it was made, for kinds that do not say so themselves.
        known_sources: The ids of ``sources.csv``.

    Raises:
        BundleRefused: It does not exist, or its day is missing or stated twice.
    """
    if not path.exists():
        raise unreadable(str(path), "there is no such file or folder")
    day = _day(kind, as_of)
    if kind is Format.CSV:
        reading = own.read(path, known_sources)
    elif kind is Format.AWS_BULK:
        reading = aws_bulk.read(path)
    elif kind is Format.GPUHUNT:
        reading = gpuhunt.read(path, day)
    else:
        reading = azure_retail.read(path, day)
    return replace(reading, offers=_explained(path, reading.offers))


def _day(kind: Format, as_of: str | None) -> str:
    if kind in _DATED:
        if as_of is not None:
            raise BundleRefused(f"--as-of is given, but a file of {kind} says its own day")
        return ""
    if as_of is None:
        raise BundleRefused(
            f"--as-of is missing: a file of {kind} does not say of which day it is",
            hint="Give the day on which it was downloaded, such as `--as-of 2026-11-23`.",
        )
    try:
        return date.fromisoformat(as_of).isoformat()
    except ValueError:
        raise BundleRefused(f"--as-of is `{as_of}`, expected a day such as `2026-11-23`") from None


def _explained(path: Path, offers: Iterator[Offer | Refused]) -> Iterator[Offer | Refused]:
    try:
        yield from offers
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise unreadable(str(path), f"it cannot be read: {reason}") from error
    except _BROKEN as error:
        raise unreadable(str(path), f"the archive cannot be read: {error}") from error
