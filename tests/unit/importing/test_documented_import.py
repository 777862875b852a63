"""The commands that docs/catalog.md shows are commands, and its tables are tables."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from service.bundle.build import catalog_tables
from service.bundle.catalog import build_catalog
from service.bundle.catalog_rows import KEYS
from service.bundle.importing.reading import Format
from service.bundle.parameters.catalog import CatalogParameters
from service.bundle.reading import read_mapping
from service.cli import parser

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("portreeve ")]
CSV = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_shown_can_be_typed(command: str) -> None:
    given = parser().parse_args(shlex.split(command)[1:])

    assert given.command == "catalog"


def test_every_kind_of_price_list_and_every_action_is_shown() -> None:
    assert {kind.value for kind in Format} <= {
        word for command in COMMANDS for word in command.split()
    }
    assert {command.split()[2] for command in COMMANDS} == {"import", "show", "diff"}


def test_the_default_is_the_one_that_is_shown() -> None:
    assert f"stale_price_days: {CatalogParameters().stale_price_days}" in PAGE
    stated = read_mapping(ROOT / "bundles/default/org/catalog.yaml", what="catalog.yaml")
    assert stated == {"catalog": CatalogParameters().model_dump(mode="json")}


def test_the_rows_that_are_shown_are_rows(tmp_path: Path) -> None:
    (tmp_path / "bundle.yaml").write_text('name: acme\nrevision: "1"\nextends: default\n')
    folder = tmp_path / "catalog"
    folder.mkdir()
    for text in CSV:
        table = "regions.csv" if ",region," in text else "instance_types.csv"
        (folder / table).write_text(text)
    catalog, _ = build_catalog(catalog_tables(tmp_path))

    assert catalog["regions"]["on-prem"]["hamburg-1"]["country"] == "DE"
    assert catalog["instance_types"]["on-prem"]["render-box"]["count"] == 4
    assert {path.name for path in folder.iterdir()} <= set(KEYS)
