"""Reading a CSV table strictly: every refusal names the file, the line and the column.

A table that is read leniently is a table that allows: a shifted column turns a price into a date,
and a row that is skipped turns a known size into an unknown one. So a table has exactly its columns
and every cell is checked. An empty cell is ``None``: unknown, never zero and never "none".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from service.bundle import exact
from service.bundle.countries import COUNTRIES
from service.errors import BundleRefused

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

# Every table, and the columns by which a row of another folder replaces one of it.
KEYS: Mapping[str, tuple[str, ...]] = {
    "accelerator_names.csv": ("name",),
    "accelerators.csv": ("id",),
    "instance_families.csv": ("vendor", "prefix"),
    "instance_types.csv": ("vendor", "instance_type"),
    "jurisdictions.csv": ("jurisdiction", "country", "condition", "valid_from"),
    "kubernetes_resources.csv": ("resource",),
    "mig_profiles.csv": ("accelerator", "profile"),
    "model_aliases.csv": ("alias",),
    "model_sizes.csv": ("id",),
    "operators.csv": ("vendor", "partition"),
    "price_areas.csv": ("vendor", "place"),
    "prices.csv": ("vendor", "instance_type", "price_kind", "region"),
    "regions.csv": ("vendor", "region"),
    "sources.csv": ("id",),
    "unknown_places.csv": ("vendor", "region"),
    "zones.csv": ("vendor", "zone"),
}

LARGEST_TABLE = 16 * 1024 * 1024
LONGEST_CELL = 1024

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A folder of tables whose rows replace those with the same key, or are added.

    It has only the tables it changes; *name* is what messages call it.
    """

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Tables:
    """Where a catalog is read from: a folder with every table, and what is laid over it in turn."""

    folder: Path
    overlays: tuple[Overlay, ...] = ()

    def check_overlays(self) -> None:
        """Refuse a file that is no table of the catalog: nobody would notice that it is not read.

        Raises:
            BundleRefused: Names the file.
        """
        for overlay in self.overlays:
            for path in sorted(overlay.folder.glob("*.csv")):
                if path.name not in KEYS:
                    raise BundleRefused(
                        f"{overlay.name}/{path.name}: the catalog has no such table",
                        hint=f"Tables are {', '.join(sorted(KEYS))}.",
                    )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, with typed access to its cells.

    Every accessor raises ``BundleRefused`` naming ``file:line`` for a cell that is not what it
    should be.
    """

    file: str
    line: int
    cells: Mapping[str, str]

    def refused(self, message: str, *, hint: str = "") -> BundleRefused:
        """The refusal of this row, to be raised."""
        return BundleRefused(f"{self.file}:{self.line}: {message}", hint=hint)

    def optional(self, column: str) -> str | None:
        """The text of a cell; ``None`` where it is empty."""
        return self.cells[column] or None

    def text(self, column: str) -> str:
        """The text of a cell that may not be empty."""
        value = self.cells[column]
        if not value:
            raise self.refused(f"`{column}` is empty, expected a value")
        return value

    def choice(self, column: str, allowed: Collection[str]) -> str:
        """One of the *allowed* words."""
        value = self.text(column)
        if value not in allowed:
            expected = ", ".join(f"`{word}`" for word in sorted(allowed))
            raise self.refused(f"`{column}` is `{value}`, expected one of {expected}")
        return value

    def flag(self, column: str) -> bool:
        """``yes`` or ``no``."""
        return self.choice(column, ("no", "yes")) == "yes"

    def items(self, column: str) -> list[str]:
        """The parts of a cell that are separated by ``;``."""
        value = self.cells[column]
        return value.split(";") if value else []

    def number(self, column: str, low: str, high: str) -> Fraction | None:
        """A decimal number from *low* to *high*, exactly; ``None`` where the cell is empty."""
        value = self.cells[column]
        if not value:
            return None
        expected = f"expected a decimal number from {low} to {high}"
        try:
            number = exact.decimal(value)
        except ValueError:
            raise self.refused(f"`{column}` is `{value}`, {expected}") from None
        if not exact.decimal(low) <= number <= exact.decimal(high):
            raise self.refused(f"`{column}` is `{value}`, {expected}")
        return number

    def rounded(self, column: str, low: str, high: str) -> int | None:
        """As `number`, to the nearest whole; a figure that would become 0 is unknown."""
        number = self.number(column, low, high)
        return None if number is None else exact.rounded(number) or None

    def whole(self, column: str, low: int, high: int) -> int | None:
        """A whole number from *low* to *high*; ``None`` where the cell is empty."""
        number = self.number(column, str(low), str(high))
        if number is not None and number.denominator != 1:
            raise self.refused(
                f"`{column}` is `{self.cells[column]}`, expected a whole number, {low} to {high}"
            )
        return None if number is None else number.numerator

    def day(self, column: str) -> str:
        """A date written ``YYYY-MM-DD``."""
        value = self.text(column)
        try:
            valid = date.fromisoformat(value).isoformat() == value
        except ValueError:
            valid = False
        if not valid:
            raise self.refused(f"`{column}` is `{value}`, expected a date such as `2026-11-23`")
        return value

    def optional_day(self, column: str) -> str | None:
        """As `day`; ``None`` where the cell is empty."""
        return self.day(column) if self.cells[column] else None

    def optional_country(self, column: str) -> str | None:
        """A country as two letters of ISO 3166-1; ``None`` where the cell is empty."""
        value = self.cells[column]
        if value and value not in COUNTRIES:
            raise self.refused(
                f"`{column}` is `{value}`, expected a country of ISO 3166-1 such as `DE`",
                hint="The United Kingdom is `GB`; `EU` is a jurisdiction and not a country."
                if value in {"UK", "EU"}
                else "",
            )
        return value or None


def read_table(tables: Tables, name: str, columns: str) -> list[Row]:
    """The rows of the table *name*, which has exactly these *columns*, after all overlays.

    *columns* are names separated by spaces; a file may have them in any order.

    Raises:
        BundleRefused: The file is missing, too large, not UTF-8 or not CSV, has other columns, or
            a cell holds what no table needs (a control character, a space at its edge).
    """
    rows = read_rows(tables.folder / name, name, columns)
    for overlay in tables.overlays:
        path = overlay.folder / name
        if path.exists():
            over = read_rows(path, f"{overlay.name}/{name}", columns)
            replaced = {_key(name, row) for row in over}
            rows = [*(row for row in rows if _key(name, row) not in replaced), *over]
    return rows


def _key(name: str, row: Row) -> tuple[str, ...]:
    return tuple(row.cells[column].casefold() for column in KEYS[name])


def read_rows(path: Path, name: str, columns: str) -> list[Row]:
    """The rows of one file, which messages call *name*.

    Raises:
        BundleRefused: As `read_table`.
    """
    text = _read_text(path, name)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if header is None:
                header = _check_header(name, cells, columns.split())
            else:
                rows.append(_row(name, line, header, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BundleRefused(f"{name}:{line}: this line is not CSV: {error}") from None
    if not rows:
        raise BundleRefused(f"{name}:1: the table has no rows, expected at least one")
    return rows


def unique(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, Row]:
    """The *rows* by their key, in their order.

    Raises:
        BundleRefused: Two rows have the same key, so that one of them would win by its place.
    """
    found: dict[Key, Row] = {}
    for row in rows:
        identity = key(row)
        first = found.setdefault(identity, row)
        if first is not row:
            shown = " ".join(identity) if isinstance(identity, tuple) else str(identity)
            raise row.refused(f"`{shown}` is in line {first.line} already, expected one row for it")
    return found


def _read_text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_TABLE + 1)
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise BundleRefused(
            f"{name}:1: the table cannot be read: {reason}",
            hint=f"A catalog has all its tables; this one is looked for at `{path}`.",
        ) from error
    if len(raw) > LARGEST_TABLE:
        raise BundleRefused(f"{name}:1: the table is larger than {LARGEST_TABLE} bytes")
    nul = raw.find(b"\0")
    if nul >= 0:
        line = raw.count(b"\n", 0, nul) + 1
        raise BundleRefused(f"{name}:{line}: the table holds a NUL byte, expected text in UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BundleRefused(f"{name}:{line}: the table is not UTF-8") from None


def _check_header(name: str, cells: list[str], columns: Collection[str]) -> list[str]:
    for column in columns:
        if column not in cells:
            raise BundleRefused(f"{name}:1: the column `{column}` is missing")
    for position, cell in enumerate(cells):
        if cell not in columns:
            raise BundleRefused(f"{name}:1: the column `{cell}` is not one of this table")
        if cell in cells[:position]:
            raise BundleRefused(f"{name}:1: the column `{cell}` is there twice")
    return cells


def _row(name: str, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise BundleRefused(
            f"{name}:{line}: {len(cells)} cells found, expected {len(header)}",
            hint="A text that holds a comma stands in double quotes.",
        )
    for column, cell in zip(header, cells, strict=True):
        if not cell.isprintable() or len(cell) > LONGEST_CELL or cell != cell.strip():
            raise BundleRefused(
                f"{name}:{line}: `{column}` holds a control character, a space at its edge or more"
                f" than {LONGEST_CELL} characters, expected plain text"
            )
    return Row(name, line, dict(zip(header, cells, strict=True)))
