"""What an import changes in a folder of tables, checked as a whole before it is written."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.bundle.build import catalog_tables
from service.bundle.catalog import build_catalog
from service.bundle.catalog_prices import PRICES, SOURCES
from service.bundle.catalog_rows import KEYS, Overlay, Tables, read_rows
from service.bundle.catalog_sizes import SIZES
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.bundle.importing.judging import Cells, Judgement

_COLUMNS = {"sources.csv": SOURCES, "instance_types.csv": SIZES, "prices.csv": PRICES}
# Sources that imports made; one that no price names any more is dropped.
_MADE = re.compile(r"(?:aws-bulk|azure-retail|gpuhunt)-\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go.

    Attributes:
        tables: The catalog that they change.
        folder: The folder that they are written to: the last overlay's, or the shared one.
        name: What messages call the folder.
    """

    tables: Tables
    folder: Path
    name: str


def target(folder: Path) -> Target:
    """The tables to change in *folder*, a bundle's or one with a whole catalog.

    Raises:
        BundleRefused: It is neither.
    """
    if (folder / "bundle.yaml").is_file():
        tables = catalog_tables(folder)
        own = tables.overlays[-1]
        return Target(tables, own.folder, own.name)
    if (folder / "accelerators.csv").is_file():
        return Target(Tables(folder), folder, folder.name)
    raise BundleRefused(
        f"`{folder}` is neither a bundle nor a catalog",
        hint="Give the folder of a bundle (it has a `bundle.yaml`): rows go to `catalog` in it.",
    )


def changed_tables(target: Target, judgement: Judgement) -> dict[str, str]:
    """The text of each table of *target* that *judgement* changes."""
    sources: dict[tuple[str, ...], Cells] = {
        (source.id,): {
            "id": source.id,
            "title": source.title,
            "licence": source.licence,
            "note": source.note,
        }
        for source in judgement.sources
    }
    new: dict[str, Mapping[tuple[str, ...], Cells]] = {
        "instance_types.csv": judgement.sizes,
        "prices.csv": judgement.prices,
        "sources.csv": sources,
    }
    merged = {name: _merged(target, name, rows) for name, rows in new.items() if rows}
    if "sources.csv" in merged:
        used = {row["source"] for row in merged["prices.csv"]}
        merged["sources.csv"] = [
            row
            for row in merged["sources.csv"]
            if row["id"] in used or not _MADE.fullmatch(row["id"])
        ]
    return {name: _text(rows, _COLUMNS[name].split()) for name, rows in merged.items()}


def _merged(target: Target, name: str, new: Mapping[tuple[str, ...], Cells]) -> list[Cells]:
    """The rows of a table with the *new* ones: those replaced in their place, others at the end."""
    path = target.folder / name
    old = read_rows(path, f"{target.name}/{name}", _COLUMNS[name]) if path.exists() else []
    left = dict(new)
    rows = [
        left.pop(tuple(row.cells[column] for column in KEYS[name]), dict(row.cells)) for row in old
    ]
    return [*rows, *(left[key] for key in sorted(left))]


def _text(rows: list[Cells], columns: list[str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def catalog_after(target: Target, texts: Mapping[str, str]) -> dict[str, Any]:
    """The compiled catalog as it would be with *texts* in the place of the tables of *target*.

    Raises:
        BundleRefused: The tables contradict one another then.
    """
    with tempfile.TemporaryDirectory(prefix="portreeve-catalog-") as name:
        folder = Path(name)
        if target.folder.is_dir():
            for path in target.folder.glob("*.csv"):
                shutil.copyfile(path, folder / path.name)
        for table, text in texts.items():
            (folder / table).write_text(text, encoding="utf-8")
        if target.tables.overlays:
            over = (*target.tables.overlays[:-1], Overlay(target.name, folder))
            return build_catalog(replace(target.tables, overlays=over))[0]
        return build_catalog(Tables(folder))[0]


def write(target: Target, texts: Mapping[str, str]) -> None:
    """Put *texts* into the folder of *target*; each table appears complete or not at all.

    Sources come first, prices last: a catalog that was left between two of them is whole.

    Raises:
        BundleRefused: They cannot be written.
    """
    with _explained(target.folder):
        target.folder.mkdir(exist_ok=True)
        for name in ("sources.csv", "instance_types.csv", "prices.csv"):
            if name in texts:
                _replace(target.folder / name, texts[name])


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=path.parent, prefix=".import-", delete=False
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial = Path(file.name)
    partial.chmod(0o644)
    partial.replace(path)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BundleRefused(f"`{folder}` cannot be written to: {error.strerror}") from error
