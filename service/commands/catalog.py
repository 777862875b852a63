"""``portreeve catalog import|show|diff``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.app import find_bundle
from service.bundle.build import catalog_tables
from service.bundle.catalog import build_catalog
from service.bundle.catalog_rows import Tables
from service.bundle.comparing import compare
from service.bundle.importing.judging import judge
from service.bundle.importing.reading import Format, read
from service.bundle.importing.writing import catalog_after, changed_tables, target, write
from service.bundle.load import load
from service.bundle.shipped import CATALOG, shipped_root
from service.errors import SettingsRefused
from service.report import catalog as report
from service.report.catalog_tables import TABLES, Row

_DESCRIPTION_IMPORT = (
    "Take list prices of accelerators from a file that you have: our own CSV form, the catalog of"
    " gpuhunt (zip or CSV), the offer file of EC2 (CSV or JSON) or answers of Azure's retail prices"
    " API (JSON). Nothing is downloaded. Rows that cannot be right are refused with file and line;"
    " the difference is shown before it is written."
)
_DESCRIPTION_SHOW = "Show accelerators, sizes, prices, regions or models of a bundle's catalog."
_DESCRIPTION_DIFF = (
    "Compare the catalogs of two bundles or catalog folders, row by row. Exits 1 where they differ."
)
_FILTERS = {
    "vendor": "who rents it out; for accelerators, who makes them",
    "accelerator": "id or any other name of an accelerator, such as h100",
    "type": "instance type, or the beginning of one with *",
    "region": "region as the vendor's API writes it",
    "name": "id of a model, or the beginning of one with *",
}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("catalog", help="look at prices and hardware, and import prices")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    take = actions.add_parser(
        "import", help="take prices from a file", description=_DESCRIPTION_IMPORT
    )
    take.add_argument("path", metavar="PATH", type=Path, help="the file, or a folder of them")
    take.add_argument("--from", dest="kind", required=True, choices=[kind.value for kind in Format])
    take.add_argument(
        "--into",
        type=Path,
        metavar="DIR",
        help="folder of the bundle (or of a whole catalog) to write to; without it nothing is"
        " written",
    )
    take.add_argument("--as-of", metavar="DAY", help="the day the file was made, if it has none")
    take.add_argument("--dry-run", action="store_true", help="show what would change, and stop")
    take.set_defaults(run=run_import)
    show = actions.add_parser("show", help="rows of the catalog", description=_DESCRIPTION_SHOW)
    show.add_argument("table", choices=list(TABLES), metavar="TABLE", help=", ".join(TABLES))
    show.add_argument("--bundle", default="default", help="shipped bundle, folder or archive")
    for name, text in _FILTERS.items():
        show.add_argument(f"--{name}", metavar="NAME", help=text)
    show.set_defaults(run=run_show)
    diff = actions.add_parser("diff", help="compare two catalogs", description=_DESCRIPTION_DIFF)
    diff.add_argument("before", metavar="A", help="bundle, archive or catalog folder")
    diff.add_argument("after", metavar="B", help="bundle, archive or catalog folder")
    diff.set_defaults(run=run_diff)
    for command in (take, show, diff):
        command.add_argument("--format", choices=["table", "json"], default="table")


def run_import(given: argparse.Namespace) -> int:
    """Read, judge, show and, where told to, write."""
    into = target(given.into or shipped_root() / "bundles" / CATALOG)
    before, _ = build_catalog(into.tables)
    reading = read(
        Format(given.kind), given.path, as_of=given.as_of, known_sources=before["sources"]
    )
    judgement = judge(reading, before)
    texts = changed_tables(into, judgement)
    changes = compare(before, catalog_after(into, texts)) if texts else []
    written = None
    if texts and given.into is not None and not given.dry_run:
        write(into, texts)
        written = str(into.folder)
    if given.format == "json":
        _print(report.import_as_json(judgement, changes, written=written))
    else:
        sys.stdout.write(report.import_as_text(judgement, changes, written=written))
    return 0


def run_show(given: argparse.Namespace) -> int:
    """Print the rows that meet every stated filter."""
    catalog = _catalog(given.bundle)
    rows = TABLES[given.table](catalog)
    for column in _FILTERS:
        text = getattr(given, column)
        if text is not None:
            rows = _where(rows, column, text, catalog=catalog, table=given.table)
    if given.format == "json":
        _print(rows)
    else:
        sys.stdout.write(report.table(rows))
    return 0


def run_diff(given: argparse.Namespace) -> int:
    """Print what differs; 1 where something does."""
    changes = compare(_catalog(given.before), _catalog(given.after))
    if given.format == "json":
        _print(report.changes_as_json(changes))
    else:
        sys.stdout.write(report.changes_as_text(changes))
    return 1 if changes else 0


def _catalog(name: str) -> Mapping[str, Any]:
    """The compiled catalog of a bundle, an archive of one, or a folder of tables."""
    path = Path(name)
    if (path / "accelerators.csv").is_file() and not (path / "bundle.yaml").is_file():
        return build_catalog(Tables(path))[0]
    found = find_bundle(name)
    if found.is_dir():
        return build_catalog(catalog_tables(found))[0]
    catalog: Mapping[str, Any] = load(found).data["catalog"]
    return catalog


def _where(
    rows: list[Row], column: str, text: str, *, catalog: Mapping[str, Any], table: str
) -> list[Row]:
    """The rows that have *text*, or what begins with it where it ends in ``*``, in *column*.

    Raises:
        SettingsRefused: The table has no such column.
    """
    if rows and column not in rows[0]:
        raise SettingsRefused(
            f"--{column} is given, but rows of {table} have no such column",
            hint=f"They have {', '.join(rows[0])}.",
        )
    wanted = text.lower()
    if column == "accelerator":
        wanted = catalog["accelerator_names"].get(wanted, wanted)
    beginning, star, _ = wanted.partition("*")
    if star:
        return [row for row in rows if str(row[column]).lower().startswith(beginning)]
    return [row for row in rows if str(row[column]).lower() == wanted]


def _print(value: object) -> None:
    print(json.dumps(value, indent=2))
