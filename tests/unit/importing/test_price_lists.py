"""What each kind of price list becomes; the files in `data` are synthetic rows in its form."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from service.bundle.catalog import build_catalog
from service.bundle.importing.judging import Judgement, judge
from service.bundle.importing.reading import Format, read
from service.errors import BundleRefused

DATA = Path(__file__).parent / "data"
SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"
DAY = "2026-11-05"


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    return build_catalog(SHIPPED)[0]


def _judged(catalog: dict[str, Any], kind: Format, name: str | Path) -> Judgement:
    as_of = DAY if kind in {Format.GPUHUNT, Format.AZURE_RETAIL} else None
    reading = read(kind, DATA / name, as_of=as_of, known_sources=catalog["sources"])
    return judge(reading, catalog)


def _prices(judgement: Judgement) -> dict[str, str]:
    return {" ".join(key): row["price"] for key, row in judgement.prices.items()}


def _reasons(judgement: Judgement) -> dict[str, str]:
    return {str(row.place): row.reason for row in judgement.refused}


class TestOwnForm:
    def test_rows_are_taken_as_they_are_and_name_where_they_were_read(
        self, catalog: dict[str, Any]
    ) -> None:
        judgement = _judged(catalog, Format.CSV, "own.csv")

        assert _prices(judgement) == {
            "aws p5.48xlarge on_demand eu-central-1": "61.25",
            "ovh l4-90 on_demand GRA11": "1.1",
        }
        frankfurt = judgement.prices["aws", "p5.48xlarge", "on_demand", "eu-central-1"]
        assert frankfurt["source"] == "price-page-read-by-hand"
        assert frankfurt["as_of"] == "2026-11-01"
        assert [source.title for source in judgement.sources] == ["price page read by hand"]

    def test_a_confident_row_is_never_replaced_by_a_weaker_one(
        self, catalog: dict[str, Any]
    ) -> None:
        judgement = _judged(catalog, Format.CSV, "own.csv")

        (kept,) = judgement.kept
        assert str(kept.place) == "own.csv:3"
        assert kept.reason.endswith(
            "the catalog's price of 2026-07-20 has confidence high, this one medium"
        )

    def test_rows_that_cannot_be_right_are_refused_with_their_line(
        self, catalog: dict[str, Any]
    ) -> None:
        assert _reasons(_judged(catalog, Format.CSV, "own.csv")) == {
            "own.csv:4": "`eu-west-9` is not a region of `aws` in regions.csv",
            "own.csv:5": "`aws p9.48xlarge` is not in instance_types.csv",
            "own.csv:6": "`price` is `free`, expected a decimal number",
            "own.csv:7": "`price` is empty, expected a value",
            "own.csv:8": "`currency` is `GBP`, expected one of `CNY`, `EUR`, `USD`",
        }


class TestGpuhunt:
    def test_prices_are_rounded_to_millionths_and_dated_by_the_user(
        self, catalog: dict[str, Any]
    ) -> None:
        judgement = _judged(catalog, Format.GPUHUNT, "gpuhunt/aws.csv")

        assert _prices(judgement) == {
            "aws p5.48xlarge on_demand eu-west-1": "60.5",
            "aws p5.48xlarge spot eu-west-1": "18.3",
        }
        assert {row["as_of"] for row in judgement.prices.values()} == {DAY}
        assert [source.id for source in judgement.sources] == [f"gpuhunt-{DAY}"]
        assert judgement.others == 0, "rows without accelerators are not even offers"

    def test_known_defects_of_public_catalogs_are_refused(self, catalog: dict[str, Any]) -> None:
        judgement = _judged(catalog, Format.GPUHUNT, "gpuhunt/aws.csv")
        reasons = _reasons(judgement)

        assert reasons["aws.csv:5"].startswith("`price` is `0` for 8 accelerators, expected 0.03")
        assert reasons["aws.csv:6"] == "`price` is empty: a price that is not known has no row"
        assert reasons["aws.csv:7"] == (
            "the list says 640.00 GB of memory, which is that of all 8 accelerators and not of one"
        )
        assert reasons["aws.csv:8"].startswith(
            "the list says 1 accelerators, the catalog has 8: the price may be of another size"
        )
        assert reasons["aws.csv:9"].startswith("`price` is `0.01` for 8 accelerators")
        assert reasons["aws.csv:10"].startswith("0.50 USD for one accelerator and hour is far from")
        assert reasons["aws.csv:12"] == "`spot` is `maybe`, expected `True` or `False`"
        assert len(reasons) == 7
        assert [str(row.place) for row in judgement.kept] == ["aws.csv:4"]

    def test_zones_are_one_region_and_two_prices_for_it_are_refused(
        self, catalog: dict[str, Any]
    ) -> None:
        judgement = _judged(catalog, Format.GPUHUNT, "gpuhunt/gcp.csv")

        assert _reasons(judgement) == {
            "gcp.csv:4": "`gcp a3-megagpu-8g on_demand us-central1` has more than one price: "
            "81.5 USD (gcp.csv:4) and 91.5 USD (gcp.csv:5)",
            "gcp.csv:5": "`gcp a3-megagpu-8g on_demand us-central1` has more than one price: "
            "81.5 USD (gcp.csv:4) and 91.5 USD (gcp.csv:5)",
        }
        found = len(judgement.prices) + len(judgement.kept) + judgement.same
        assert found == 1, "the two zones of europe-west4 are one offer"

    def test_a_new_size_is_added_where_its_accelerator_is_certain(
        self, catalog: dict[str, Any]
    ) -> None:
        judgement = _judged(catalog, Format.GPUHUNT, "gpuhunt/lambdalabs.csv")

        assert list(judgement.sizes) == [("lambda", "gpu_2x_l40s")]
        size = judgement.sizes["lambda", "gpu_2x_l40s"]
        assert (size["accelerator"], size["accelerator_count"]) == ("nvidia-l40s", "2")
        assert (size["fabric"], size["confidence"]) == ("", "medium")
        assert _prices(judgement) == {"lambda gpu_2x_l40s on_demand us-east-1": "2.4"}
        reasons = _reasons(judgement)
        assert reasons["lambdalabs.csv:3"].endswith("`A100` names no one accelerator for sure")
        assert reasons["lambdalabs.csv:4"].startswith("`vcpus` is `900`")
        assert reasons["lambdalabs.csv:5"].endswith("that of all 8 accelerators and not of one")

    def test_a_vendor_that_the_catalog_does_not_have_is_refused(
        self, catalog: dict[str, Any]
    ) -> None:
        judgement = _judged(catalog, Format.GPUHUNT, "gpuhunt/elsewhere.csv")

        assert _reasons(judgement) == {"elsewhere.csv:2": "the catalog has no vendor `elsewhere`"}

    def test_a_folder_and_a_zip_file_hold_the_same(
        self, catalog: dict[str, Any], tmp_path: Path
    ) -> None:
        with zipfile.ZipFile(tmp_path / "catalog.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((DATA / "gpuhunt").glob("*.csv")):
                archive.write(path, path.name)

        folder = _judged(catalog, Format.GPUHUNT, "gpuhunt")
        zipped = _judged(catalog, Format.GPUHUNT, tmp_path / "catalog.zip")
        assert folder == zipped
        assert folder.refused_rows == 13


class TestAwsBulk:
    @pytest.mark.parametrize("name", ["aws_offer.csv", "aws_offer.json"])
    def test_only_plain_linux_on_demand_is_an_offer(
        self, catalog: dict[str, Any], name: str
    ) -> None:
        judgement = _judged(catalog, Format.AWS_BULK, name)

        row = judgement.prices["aws", "p5.48xlarge", "on_demand", "eu-central-1"]
        assert (row["price"], row["as_of"]) == ("61.25", "2026-11-02")
        assert (row["source"], row["confidence"]) == ("aws-bulk-2026-11-02", "high")
        assert "version 20261102101112" in judgement.sources[0].title

    def test_rows_of_the_table(self, catalog: dict[str, Any]) -> None:
        judgement = _judged(catalog, Format.AWS_BULK, "aws_offer.csv")

        assert _prices(judgement) == {
            "aws p5.48xlarge on_demand eu-central-1": "61.25",
            "aws g6f.large on_demand eu-central-1": "0.202",
            "aws trn1.2xlarge on_demand eu-north-1": "1.48",
            "aws p5.48xlarge on_demand us-east-1": "55.04",
        }
        reasons = _reasons(judgement)
        assert list(reasons) == ["aws_offer.csv:15", "aws_offer.csv:13"]
        assert reasons["aws_offer.csv:13"].startswith("`price` is `0` for 8 accelerators")
        assert reasons["aws_offer.csv:15"] == "`aws p9.48xlarge` is not in instance_types.csv"
        assert judgement.others == 1

    def test_rows_of_the_document(self, catalog: dict[str, Any]) -> None:
        judgement = _judged(catalog, Format.AWS_BULK, "aws_offer.json")

        row = judgement.prices["aws", "g6.xlarge", "on_demand", "cn-north-1"]
        assert (row["price"], row["currency"]) == ("7.5", "CNY")
        assert list(_reasons(judgement)) == ["aws_offer.json:18"]


class TestAzureRetail:
    def test_consumption_and_spot_of_linux_are_offers(self, catalog: dict[str, Any]) -> None:
        judgement = _judged(catalog, Format.AZURE_RETAIL, "azure")

        assert _prices(judgement) == {
            "azure Standard_NC40ads_H100_v5 on_demand westeurope": "8.123456",
            "azure Standard_NC40ads_H100_v5 spot westeurope": "2.5",
        }
        assert judgement.others == 1, "the size without accelerators"

    def test_what_cannot_be_right_is_refused_with_its_line(self, catalog: dict[str, Any]) -> None:
        reasons = _reasons(_judged(catalog, Format.AZURE_RETAIL, "azure"))

        assert reasons["1.json:12"].startswith("`price` is `0` for 1 accelerators")
        assert reasons["2.json:5"] == "`atlantis` is not a region of `azure` in regions.csv"
        assert "has more than one price: 8 USD (2.json:6) and 8.4" in reasons["2.json:6"]
        assert reasons["2.json:6"] == reasons["2.json:7"]
        assert reasons["2.json:8"].endswith("is not in instance_types.csv")
        assert reasons["2.json:9"] == "`retailPrice` is `cheap`, expected a number"
        assert len(reasons) == 6


@pytest.mark.parametrize(
    ("kind", "raw", "said"),
    [
        (Format.CSV, b"vendor,price\naws,1\n", "line 1 has no column `instance_type`"),
        (Format.CSV, b"", "line 1 has no column `vendor`"),
        (Format.CSV, b"\xff\xfe", "line 1 is not UTF-8"),
        (Format.CSV, b"vendor\0\n", "line 1 holds a NUL character"),
        (Format.CSV, b"x" * 300_000, "line 1 is longer than 262144 bytes"),
        (
            Format.CSV,
            b"vendor,instance_type,price_kind,region,price,currency,as_of,source,confidence\na,b\n",
            "line 2 has 2 cells, expected 9",
        ),
        (
            Format.CSV,
            b'vendor,instance_type,price_kind,region,price,currency,as_of,source,confidence\n"a"b',
            "line 2 is not CSV",
        ),
        (Format.AWS_BULK, b"{}", "there are no `terms`"),
        (Format.AWS_BULK, b"{", "line 1: this is not JSON"),
        (Format.AWS_BULK, b'{"terms": {}}', "`terms` stands before `products`"),
        (
            Format.AWS_BULK,
            b'{"offerCode": "AmazonS3", "products": {}, "terms": {}}',
            "this is the offer file of `AmazonS3`, expected AmazonEC2",
        ),
        (
            Format.AWS_BULK,
            b'{"offerCode": "AmazonEC2", "products": {}, "terms": {}}',
            "the publication date is ``",
        ),
        (Format.AWS_BULK, b'"FormatVersion","v1.0"\n', "this is the offer file of ``"),
        (Format.AZURE_RETAIL, b"{}", "there are no `Items`"),
        (Format.AZURE_RETAIL, b'{"Items": [1]}', "line 1: an item is no object"),
        (Format.AZURE_RETAIL, b'{"Items": {}}', "line 1: `{` where `[` is expected"),
        (Format.AZURE_RETAIL, b'{"Items": [{}\n{}]}', "line 2: `{` where `]` is expected"),
        (Format.AZURE_RETAIL, b"[" * 200_000, "a value is nested too deep"),
        (Format.AZURE_RETAIL, b'[{"a": tru', "line 1: this is not JSON"),
        (Format.AZURE_RETAIL, b"[{}", "line 1: the end where `]` is expected"),
        (Format.AZURE_RETAIL, b'[{"a": "\xff"}]', "this is not UTF-8"),
        (Format.GPUHUNT, b"PK\x05\x06" + b"\0" * 18, "the archive has 0 tables"),
    ],
)
def test_a_file_that_is_something_else_is_refused_as_a_whole(
    catalog: dict[str, Any], tmp_path: Path, kind: Format, raw: bytes, said: str
) -> None:
    path = tmp_path / "list"
    path.write_bytes(raw)
    with pytest.raises(BundleRefused) as caught:
        _judged(catalog, kind, path)

    assert caught.value.message.startswith("`list`: ")
    assert said in caught.value.message


def test_a_folder_without_files_is_refused(catalog: dict[str, Any], tmp_path: Path) -> None:
    for kind, said in ((Format.GPUHUNT, "no CSV file"), (Format.AZURE_RETAIL, "no JSON file")):
        with pytest.raises(BundleRefused, match=said):
            _judged(catalog, kind, tmp_path)


def test_a_damaged_archive_is_refused(catalog: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "catalog.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(DATA / "gpuhunt/aws.csv", "aws.csv")
    raw = bytearray(path.read_bytes())
    raw[60:80] = b"\0" * 20
    path.write_bytes(raw)

    with pytest.raises(BundleRefused, match="the archive cannot be read"):
        _judged(catalog, Format.GPUHUNT, path)


@pytest.mark.parametrize(
    ("kind", "as_of", "said"),
    [
        (Format.GPUHUNT, None, "--as-of is missing: a file of gpuhunt does not say"),
        (Format.AZURE_RETAIL, "yesterday", "--as-of is `yesterday`, expected a day"),
        (Format.AWS_BULK, DAY, "--as-of is given, but a file of aws-bulk says its own day"),
    ],
)
def test_the_day_is_stated_where_the_file_does_not_and_only_there(
    kind: Format, as_of: str | None, said: str
) -> None:
    with pytest.raises(BundleRefused) as caught:
        read(kind, DATA / "own.csv", as_of=as_of, known_sources=())

    assert caught.value.message.startswith(said)


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(BundleRefused, match="there is no such file or folder"):
        read(Format.CSV, DATA / "nothing.csv", as_of=None, known_sources=())
