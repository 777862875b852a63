"""What an organisation lays over the shared catalog replaces rows, and only rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build, catalog_tables
from service.bundle.catalog import build_catalog
from service.bundle.catalog_rows import KEYS, Overlay, Tables
from service.errors import BundleRefused

SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"
PRICES = "vendor,instance_type,price_kind,region,price,currency,as_of,source,confidence\n"
SOURCES = "id,title,licence,note\nletter,a letter of the vendor,facts only,\n"
P5 = "aws,p5.48xlarge,on_demand,us-east-1"


def _over(folder: Path, **tables: str) -> Tables:
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return Tables(SHIPPED, (Overlay("acme/catalog", folder),))


def test_every_shipped_table_can_be_laid_over() -> None:
    assert set(KEYS) == {path.name for path in SHIPPED.glob("*.csv")}


def test_a_row_replaces_the_one_with_its_key_and_no_other(tmp_path: Path) -> None:
    tables = _over(
        tmp_path, sources=SOURCES, prices=f"{PRICES}{P5},44,USD,2026-11-01,letter,high\n"
    )

    before, after = build_catalog(SHIPPED)[0]["prices"], build_catalog(tables)[0]["prices"]
    assert after["aws"]["p5.48xlarge"]["on_demand"].pop("us-east-1") == {
        "micros_per_hour": 44_000_000,
        "currency": "USD",
        "as_of": "2026-11-01",
        "source": "letter",
        "confidence": "high",
    }
    del before["aws"]["p5.48xlarge"]["on_demand"]["us-east-1"]
    assert before == after


def test_the_last_overlay_decides(tmp_path: Path) -> None:
    first = _over(
        tmp_path / "a", sources=SOURCES, prices=f"{PRICES}{P5},44,USD,2026-11-01,letter,high\n"
    )
    second = _over(tmp_path / "b", prices=f"{PRICES}{P5},43,USD,2026-11-02,letter,high\n")

    both = Tables(SHIPPED, (*first.overlays, *second.overlays))
    prices = build_catalog(both)[0]["prices"]["aws"]["p5.48xlarge"]["on_demand"]
    assert prices["us-east-1"]["micros_per_hour"] == 43_000_000


def test_a_site_of_ones_own_is_a_region_and_a_size_with_a_price(tmp_path: Path) -> None:
    tables = _over(
        tmp_path,
        sources=SOURCES,
        regions="vendor,region,city,country,kind,paired_region,partition,note,source\n"
        "on-prem,hamburg,Hamburg,DE,physical,,,,own site\n",
        prices=f"{PRICES}on-prem,hgx-h100-8,on_demand,hamburg,19.5,EUR,2026-11-01,letter,high\n",
    )
    catalog, _ = build_catalog(tables)

    assert catalog["regions"]["on-prem"]["hamburg"]["country"] == "DE"
    assert catalog["prices"]["on-prem"]["hgx-h100-8"]["on_demand"]["hamburg"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"prices": f"{PRICES}{P5},0,USD,2026-11-01,letter,high\n"},
            "acme/catalog/prices.csv:2: `price` is `0` for 8 accelerators",
        ),
        (
            {"prices": PRICES + f"{P5},44,USD,2026-11-01,letter,high\n" * 2},
            "acme/catalog/prices.csv:3: `aws p5.48xlarge on_demand us-east-1` is in line 2",
        ),
        (
            {"prices": f"{PRICES}{P5},44,USD,2026-11-01,rumour,high\n"},
            "acme/catalog/prices.csv:2: the source `rumour` is not in sources.csv",
        ),
        (
            {
                "regions": "vendor,region,city,country,kind,paired_region,partition,note,source\n"
                "on-prem,hamburg,Hamburg,,physical,,,,own site\n"
            },
            "acme/catalog/regions.csv:2: `on-prem hamburg` is `physical` and has no country",
        ),
        (
            {
                "instance_types": "vendor,instance_type,accelerator,accelerator_count,"
                "memory_per_accelerator_gib,vcpus,host_memory_gib,fabric,fabric_gbps,as_of,source,"
                "confidence,notes\non-prem,box,nvidia-x1,8,80,,,,,2026-11-01,own,high,\n"
            },
            "acme/catalog/instance_types.csv:2: the accelerator `nvidia-x1` is not in",
        ),
        ({"price": PRICES}, "acme/catalog/price.csv: the catalog has no such table"),
        ({"prices": PRICES}, "acme/catalog/prices.csv:1: the table has no rows"),
    ],
)
def test_an_overlay_is_held_to_the_same_rules(
    tmp_path: Path, tables: dict[str, str], said: str
) -> None:
    with pytest.raises(BundleRefused) as caught:
        build_catalog(_over(tmp_path, **{"sources": SOURCES} | tables))

    assert caught.value.message.startswith(said)


def test_a_bundle_has_its_own_catalog_and_that_of_what_it_extends(project: Path) -> None:
    base = project.parent / "base"
    (base / "catalog").mkdir(parents=True)
    (base / "bundle.yaml").write_text('name: base\nrevision: "1"\n')
    (base / "catalog/sources.csv").write_text(SOURCES)
    (base / "catalog/prices.csv").write_text(f"{PRICES}{P5},44,USD,2026-11-01,letter,high\n")
    (project / "bundle.yaml").write_text('name: toy\nrevision: "7"\nextends: base\n')
    (project / "catalog").mkdir()
    (project / "catalog/prices.csv").write_text(
        PRICES + "aws,p5.48xlarge,on_demand,us-east-2,45,USD,2026-11-01,letter,high\n"
    )

    prices = build(project).data["catalog"]["prices"]["aws"]["p5.48xlarge"]["on_demand"]
    assert prices["us-east-1"]["micros_per_hour"] == 44_000_000
    assert prices["us-east-2"]["micros_per_hour"] == 45_000_000


def test_the_place_for_a_bundles_own_rows_is_known_before_it_exists(project: Path) -> None:
    tables = catalog_tables(project)

    assert tables.overlays == (Overlay("toy/catalog", project.resolve() / "catalog"),)
    assert not tables.overlays[0].folder.exists()
