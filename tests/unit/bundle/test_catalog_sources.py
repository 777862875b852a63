"""The shipped prices equal the vendors' tables that they were read from."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from service.bundle.catalog import build_catalog

SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    return build_catalog(SHIPPED)[0]


@pytest.fixture(scope="session")
def sources(shared_data: Path) -> Path:
    folder = shared_data / "catalog-sources"
    if not folder.is_dir():
        pytest.skip(f"no source tables in {folder}")
    return folder


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Table(NamedTuple):
    """A vendor's own price table and what its column of sizes is called."""

    vendor: str
    name: str
    rows: list[dict[str, str]]


PRICE = "price_usd_per_hour"
RAW = {
    "aws": ("karpenter-aws-accelerator-prices.csv", "instance_type"),
    "azure": ("karpenter-azure-n-series-prices.csv", "vm_size"),
    "gcp": ("karpenter-gcp-accelerator-prices.csv", "machine_type"),
}


def _table(sources: Path, vendor: str) -> Table:
    file, name = RAW[vendor]
    return Table(vendor, name, _read(sources / "raw" / file))


@pytest.fixture
def table(sources: Path, request: pytest.FixtureRequest) -> Table:
    return _table(sources, request.param)


def _micros(text: str) -> int:
    return int(Decimal(text) * 10**6)


@pytest.mark.parametrize(
    ("table", "price", "least"),
    [("aws", "price_per_hour", 150), ("azure", PRICE, 700), ("gcp", PRICE, 768)],
    indirect=["table"],
)
def test_every_price_of_a_known_size_is_taken_over_unchanged(
    catalog: dict[str, Any], table: Table, price: str, least: int
) -> None:
    compared = 0
    for row in table.rows:
        name = row[table.name]
        if name in catalog["instance_types"][table.vendor]:
            kinds = catalog["prices"][table.vendor][name]
            found = kinds[row.get("price_kind") or "on_demand"][row["region"]]
            assert found["micros_per_hour"] == _micros(row[price]), row
            assert found["currency"] == row.get("currency", "USD")
            compared += 1

    assert compared >= least


def test_every_row_of_the_size_table_is_here_with_its_price(
    catalog: dict[str, Any], sources: Path
) -> None:
    left_out = set()
    for row in _read(sources / "instance_types.csv"):
        size = catalog["instance_types"][row["vendor"]].get(row["instance_type"])
        if size is None:
            left_out.add(row["instance_type"])
            continue
        assert size["accelerator"] == row["accelerator"]
        text = row["price_usd_per_hour"] or row["native_price_per_hour"]
        kinds = catalog["prices"].get(row["vendor"], {}).get(row["instance_type"], {})
        if text:
            found = kinds[row["price_kind"]][row["price_region"]]
            assert found["micros_per_hour"] == _micros(text)
            assert found["currency"] == (row["native_currency"] or "USD")
            assert found["as_of"] == row["as_of"]

    assert left_out == {"trn2.3xlarge"}, "its count of accelerators is not known"


def test_no_price_is_here_that_no_source_has(catalog: dict[str, Any], sources: Path) -> None:
    expected = {
        (row["vendor"], row["instance_type"], row["price_kind"], row["price_region"])
        for row in _read(sources / "instance_types.csv")
    }
    for vendor in RAW:
        raw = _table(sources, vendor)
        expected |= {
            (vendor, row[raw.name], row.get("price_kind") or "on_demand", row["region"])
            for row in raw.rows
        }
    found = {
        (vendor, name, kind, region)
        for vendor, sizes in catalog["prices"].items()
        for name, kinds in sizes.items()
        for kind, regions in kinds.items()
        for region in regions
    }

    assert found <= expected


@pytest.mark.parametrize(
    ("table", "key"),
    [("regions.csv", ("vendor", "region")), ("jurisdictions.csv", ("jurisdiction", "country"))],
)
def test_every_region_and_jurisdiction_of_the_sources_is_here(
    sources: Path, table: str, key: tuple[str, str]
) -> None:
    there = {(row[key[0]], row[key[1]], row.get("kind")) for row in _read(sources / table)}
    here = {(row[key[0]], row[key[1]], row.get("kind")) for row in _read(SHIPPED / table)}

    assert there <= here


def test_countries_of_regions_are_those_of_the_sources(
    catalog: dict[str, Any], sources: Path
) -> None:
    for row in _read(sources / "regions.csv"):
        region = catalog["regions"][row["vendor"]][row["region"]]
        assert region["country"] == (row["country"] or None)
