"""`portreeve catalog import|show|diff`, as a person runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from service.bundle.build import catalog_tables
from service.bundle.catalog import build_catalog
from service.cli import main

DATA = Path(__file__).parent / "data"
SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"
AWS = ["catalog", "import", "--from", "aws-bulk", str(DATA / "aws_offer.csv")]
GPUHUNT = ["catalog", "import", "--from", "gpuhunt", "--as-of", "2026-11-05"]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of an organisation that has no catalog of its own yet."""
    folder = tmp_path / "acme"
    (folder / "org").mkdir(parents=True)
    (folder / "bundle.yaml").write_text('name: acme\nrevision: "1"\nextends: default\n')
    (folder / "org" / "organisation.yaml").write_text("name: Acme\n")
    return folder


def _catalog(bundle: Path) -> dict[str, Any]:
    return build_catalog(catalog_tables(bundle))[0]


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    main([*arguments, "--format", "json"])
    return json.loads(capsys.readouterr().out)


class TestImport:
    def test_prices_go_to_the_bundles_own_catalog_and_only_what_is_new(
        self, bundle: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*AWS, "--into", str(bundle)]) == 0
        shown = capsys.readouterr().out

        assert "+ prices aws p5.48xlarge on_demand eu-central-1: micros_per_hour 61.25" in shown
        assert "refused aws_offer.csv:15: `aws p9.48xlarge` is not in instance_types.csv" in shown
        assert "4 prices taken, 0 sizes added" in shown
        assert shown.endswith(f"written to {bundle / 'catalog'}\n")
        assert sorted(path.name for path in (bundle / "catalog").iterdir()) == [
            "prices.csv",
            "sources.csv",
        ]
        price = _catalog(bundle)["prices"]["aws"]["p5.48xlarge"]["on_demand"]["eu-central-1"]
        assert price == {
            "micros_per_hour": 61_250_000,
            "currency": "USD",
            "as_of": "2026-11-02",
            "source": "aws-bulk-2026-11-02",
            "confidence": "high",
        }

    def test_a_second_import_changes_nothing(
        self, bundle: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([*AWS, "--into", str(bundle)])
        before = {path.name: path.read_bytes() for path in (bundle / "catalog").iterdir()}
        capsys.readouterr()

        again = _json(capsys, *AWS, "--into", str(bundle))
        assert (again["prices"], again["same"], again["changes"]) == (0, 4, [])
        assert again["written"] is None
        assert before == {path.name: path.read_bytes() for path in (bundle / "catalog").iterdir()}

    @pytest.mark.parametrize("extra", [["--dry-run"], []])
    def test_nothing_is_written_in_a_dry_run_or_without_a_place(
        self, bundle: Path, capsys: pytest.CaptureFixture[str], extra: list[str]
    ) -> None:
        into = ["--into", str(bundle)] if extra else []
        assert main([*AWS, *into, *extra]) == 0

        assert capsys.readouterr().out.endswith("nothing was written\n")
        assert not (bundle / "catalog").exists()

    def test_a_size_that_is_new_comes_with_its_price(
        self, bundle: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = str(DATA / "gpuhunt/lambdalabs.csv")
        found = _json(capsys, *GPUHUNT, path, "--into", str(bundle))

        assert (found["sizes"], found["prices"]) == (1, 1)
        assert [change["table"] for change in found["changes"]] == [
            "instance_types",
            "prices",
            "sources",
        ]
        size = _catalog(bundle)["instance_types"]["lambda"]["gpu_2x_l40s"]
        assert (size["accelerator"], size["count"], size["vcpus"]) == ("nvidia-l40s", 2, 32)

    def test_a_later_list_replaces_an_earlier_one_and_its_source(
        self, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([*AWS, "--into", str(bundle)])
        later = tmp_path / "later.csv"
        text = (DATA / "aws_offer.csv").read_text()
        later.write_text(text.replace("2026-11-02", "2026-12-02").replace("61.25", "60.00"))
        capsys.readouterr()

        found = _json(
            capsys, "catalog", "import", "--from", "aws-bulk", str(later), "--into", str(bundle)
        )
        changed = {
            tuple(change["key"]): change
            for change in found["changes"]
            if change["change"] == "changed"
        }["aws", "p5.48xlarge", "on_demand", "eu-central-1"]
        assert changed["before"]["micros_per_hour"] == 61_250_000
        sources = (bundle / "catalog/sources.csv").read_text()
        assert "aws-bulk-2026-12-02" in sources
        assert "aws-bulk-2026-11-02" not in sources, "no price names it any more"

    def test_an_earlier_list_does_not_replace_a_later_one(
        self, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([*AWS, "--into", str(bundle)])
        earlier = tmp_path / "earlier.csv"
        earlier.write_text((DATA / "aws_offer.csv").read_text().replace("2026-11-02", "2026-10-02"))
        capsys.readouterr()

        found = _json(
            capsys, "catalog", "import", "--from", "aws-bulk", str(earlier), "--into", str(bundle)
        )
        assert found["prices"] == 0
        assert found["kept"][0]["reason"].endswith(
            "the catalog's price is of 2026-11-02, this one of 2026-10-02"
        )

    def test_a_whole_catalog_is_changed_in_its_own_tables(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = Path(shutil.copytree(SHIPPED, tmp_path / "catalog"))
        main([*AWS, "--into", str(folder)])

        lines = (folder / "prices.csv").read_text().splitlines()
        old = (SHIPPED / "prices.csv").read_text().splitlines()
        assert len(lines) == len(old) + 3, "three are added and one is replaced in its place"
        assert lines.index(next(row for row in lines if row.startswith("aws,p5.48xlarge,"))) == (
            old.index(next(row for row in old if row.startswith("aws,p5.48xlarge,")))
        )
        assert main(["catalog", "diff", str(SHIPPED), str(folder)]) == 1
        assert capsys.readouterr().out.endswith("prices: 3 added, 1 changed; sources: 1 added\n")

    def test_a_folder_that_is_neither_bundle_nor_catalog_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*AWS, "--into", str(tmp_path)]) == 2
        assert "is neither a bundle nor a catalog" in capsys.readouterr().err

    def test_a_catalog_that_would_contradict_itself_is_not_written(
        self, bundle: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (bundle / "catalog").mkdir()
        broken = "vendor,zone,region,source\naws,x,nowhere,me\n"
        (bundle / "catalog/zones.csv").write_text(broken)

        assert main([*AWS, "--into", str(bundle)]) == 2
        assert "acme/catalog/zones.csv:2: `region` is `nowhere`" in capsys.readouterr().err
        assert not (bundle / "catalog/prices.csv").exists()


class TestShow:
    def test_accelerators_by_any_of_their_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        rows = _json(capsys, "catalog", "show", "accelerators", "--accelerator", "H100")

        assert [row["accelerator"] for row in rows] == ["nvidia-h100-sxm"]
        assert rows[0]["status"] == "current"

    def test_prices_of_a_size_in_a_region(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["prices", "--vendor", "aws", "--type", "p5.*", "--region", "us-east-1"]
        assert main(["catalog", "show", *arguments]) == 0

        header, *rows = capsys.readouterr().out.splitlines()
        assert header.split()[:4] == ["vendor", "type", "accelerator", "kind"]
        assert [row.split()[1] for row in rows] == ["p5.48xlarge", "p5.4xlarge"]
        assert "55.04" in rows[0]

    @pytest.mark.parametrize(
        ("table", "option", "value"),
        [("sizes", "--vendor", "oci"), ("regions", "--region", "eu-*"), ("models", "--name", "*")],
    )
    def test_other_tables(
        self, capsys: pytest.CaptureFixture[str], table: str, option: str, value: str
    ) -> None:
        assert len(_json(capsys, "catalog", "show", table, option, value)) > 3

    def test_no_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["catalog", "show", "sizes", "--vendor", "nobody"]) == 0
        assert capsys.readouterr().out == "no rows\n"

    def test_a_filter_that_the_table_does_not_have_is_refused(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["catalog", "show", "models", "--region", "eu-west-1"]) == 2
        assert "rows of models have no such column" in capsys.readouterr().err

    def test_a_bundles_own_rows_are_shown(
        self, bundle: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([*AWS, "--into", str(bundle)])
        capsys.readouterr()

        arguments = ["show", "prices", "--bundle", str(bundle), "--region", "eu-central-1"]
        types = {row["type"] for row in _json(capsys, "catalog", *arguments)}
        assert types == {"p5.48xlarge", "g6f.large"}


class TestDiff:
    def test_the_same_catalog_has_no_differences(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["catalog", "diff", "default", str(SHIPPED)]) == 0
        assert capsys.readouterr().out == "no differences\n"

    def test_old_and_new_values_are_named(
        self, bundle: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([*AWS, "--into", str(bundle)])
        capsys.readouterr()

        assert main(["catalog", "diff", "default", str(bundle)]) == 1
        assert (
            "~ prices aws p5.48xlarge on_demand us-east-1: as_of 2026-07-20 -> 2026-11-02"
            in capsys.readouterr().out
        )
        changes = _json(capsys, "catalog", "diff", str(bundle), "default")
        removed = [change for change in changes if change["change"] == "removed"]
        assert {change["table"] for change in removed} == {"prices", "sources"}
        assert all(change["after"] is None for change in removed)
