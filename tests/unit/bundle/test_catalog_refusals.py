"""A catalog that is incomplete or contradicts itself is refused with its file and line."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.bundle.catalog import build_catalog
from service.bundle.catalog_rows import LARGEST_TABLE, LONGEST_CELL
from service.errors import BundleRefused

SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"
TABLES = sorted(path.name for path in SHIPPED.glob("*.csv"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "catalog"))


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def _write(path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _change(folder: Path, table: str, key: tuple[str, ...], **cells: str) -> int:
    """Change cells of the row that begins with *key*; its line."""
    rows = _rows(folder / table)
    line = next(i for i, row in enumerate(rows) if tuple(row[: len(key)]) == key)
    for column, value in cells.items():
        rows[line][rows[0].index(column)] = value
    _write(folder / table, rows)
    return line + 1


def _append(folder: Path, table: str, **cells: str) -> int:
    """Append a copy of the first row with other *cells*; its line."""
    rows = _rows(folder / table)
    row = list(rows[1])
    for column, value in cells.items():
        row[rows[0].index(column)] = value
    _write(folder / table, [*rows, row])
    return len(rows) + 1


def _refusal(folder: Path) -> BundleRefused:
    with pytest.raises(BundleRefused) as caught:
        build_catalog(folder)
    return caught.value


def test_a_copy_of_the_shipped_tables_compiles(copy: Path) -> None:
    assert build_catalog(copy) == build_catalog(SHIPPED)


P5 = ("aws", "p5.48xlarge")
P5_PRICE = ("aws", "p5.48xlarge", "on_demand", "us-east-1")
H100 = ("nvidia-h100-sxm",)
LONDON = ("aws", "eu-west-2")
GEMMA = ("google/gemma-3-27b-it",)
DEEPSEEK = ("deepseek-ai/DeepSeek-V3",)
LLAMA = ("meta-llama/Meta-Llama-3.1-8B",)

CELLS = [
    # prices
    ("prices.csv", P5_PRICE, {"price": "0"}, "`price` is `0` for 8 accelerators, expected 0.03"),
    ("prices.csv", P5_PRICE, {"price": "0.08"}, "expected 0.03 to 60.00 USD per accelerator"),
    ("prices.csv", P5_PRICE, {"price": "5504"}, "expected 0.03 to 60.00 USD per accelerator"),
    ("prices.csv", P5_PRICE, {"price": "55.0400001"}, "with at most six decimals"),
    ("prices.csv", P5_PRICE, {"price": "-55.04"}, "`price` is `-55.04`"),
    ("prices.csv", P5_PRICE, {"price": "5.5e1"}, "`price` is `5.5e1`"),
    ("prices.csv", P5_PRICE, {"price": "NaN"}, "`price` is `NaN`"),
    ("prices.csv", P5_PRICE, {"price": ""}, "`price` is empty"),
    ("prices.csv", P5_PRICE, {"currency": "GBP"}, "expected one of `CNY`, `EUR`, `USD`"),
    ("prices.csv", P5_PRICE, {"region": "us-easy-1"}, "`us-easy-1` is not a region of `aws`"),
    ("prices.csv", P5_PRICE, {"instance_type": "p5.49xlarge"}, "is not in instance_types.csv"),
    ("prices.csv", P5_PRICE, {"vendor": "azure"}, "is not in instance_types.csv"),
    ("prices.csv", P5_PRICE, {"price_kind": "on-demand"}, "expected one of `on_demand`"),
    ("prices.csv", P5_PRICE, {"as_of": "2026-7-20"}, "expected a date such as `2026-11-23`"),
    ("prices.csv", P5_PRICE, {"as_of": "2026-02-30"}, "`as_of` is `2026-02-30`"),
    ("prices.csv", P5_PRICE, {"as_of": "20260720"}, "`as_of` is `20260720`"),
    ("prices.csv", P5_PRICE, {"as_of": ""}, "`as_of` is empty"),
    ("prices.csv", P5_PRICE, {"source": "hearsay"}, "`hearsay` is not in sources.csv"),
    ("prices.csv", P5_PRICE, {"confidence": "sure"}, "expected one of `high`, `low`, `medium`"),
    # sizes
    ("instance_types.csv", P5, {"accelerator": "nvidia-h1000"}, "is not in accelerators.csv"),
    ("instance_types.csv", P5, {"accelerator_count": ""}, "`accelerator_count` is empty"),
    ("instance_types.csv", P5, {"accelerator_count": "0"}, "`accelerator_count` is `0`"),
    ("instance_types.csv", P5, {"accelerator_count": "0.125"}, "a share such as `1/8`"),
    ("instance_types.csv", P5, {"accelerator_count": "8/8"}, "`accelerator_count` is `8/8`"),
    ("instance_types.csv", P5, {"accelerator_count": "1/0"}, "`accelerator_count` is `1/0`"),
    ("instance_types.csv", P5, {"accelerator_count": "1/2/3"}, "`accelerator_count` is `1/2/3`"),
    ("instance_types.csv", P5, {"accelerator_count": "129"}, "`accelerator_count` is `129`"),
    ("instance_types.csv", P5, {"memory_per_accelerator_gib": "40"}, "within 8 % of 80.00"),
    ("instance_types.csv", P5, {"vcpus": "0"}, "expected a decimal number from 1 to 400"),
    ("instance_types.csv", P5, {"vcpus": "1.5"}, "expected a whole number, 1 to 400"),
    ("instance_types.csv", P5, {"host_memory_gib": "2"}, "from 4 to 4200"),
    ("instance_types.csv", P5, {"fabric_gbps": "many"}, "`fabric_gbps` is `many`"),
    ("instance_types.csv", P5, {"source": ""}, "`source` is empty"),
    # accelerators
    ("accelerators.csv", H100, {"memory_usable_mib": "40000"}, "0.93 to 1.03 of the `80` GB"),
    ("accelerators.csv", H100, {"memory_marketing_gb": "many"}, "`memory_marketing_gb` is `many`"),
    ("accelerators.csv", H100, {"fp8_dense_tflops": "9000"}, "0.99 to 4.5 times"),
    ("accelerators.csv", H100, {"tdp_w": "7"}, "from 20 to 1500"),
    ("accelerators.csv", H100, {"mig_profiles": "1g.100gb"}, "is larger than the card"),
    ("accelerators.csv", H100, {"rentable": "no"}, "expected one of `api-only`"),
    ("accelerators.csv", H100, {"status": "new"}, "expected one of `current`, `previous`"),
    ("accelerators.csv", H100, {"precisions": "bf16;FP8"}, "`precisions` holds `FP8`"),
    ("accelerators.csv", H100, {"precisions": "bf16;bf16"}, "expected each once of bf16"),
    ("accelerators.csv", H100, {"proprietary": "true"}, "expected one of `no`, `yes`"),
    ("accelerators.csv", H100, {"scale_up_domain_size": "0"}, "from 1 to 100000"),
    ("accelerators.csv", H100, {"checked": "today"}, "`checked` is `today`"),
    ("accelerators.csv", H100, {"product_label": "NVIDIA-L4"}, "the name `NVIDIA-L4` means"),
    ("mig_profiles.csv", H100, {"profile": "5g.60gb"}, "has no profile `5g.60gb`"),
    ("mig_profiles.csv", H100, {"accelerator": "nvidia-h1000"}, "has no profile `1g.10gb`"),
    ("mig_profiles.csv", H100, {"memory_gib": "11"}, "from 1 to 10"),
    ("mig_profiles.csv", H100, {"memory_gib": ""}, "`memory_gib` is empty"),
    ("accelerator_names.csv", ("t4",), {"accelerator": "t5"}, "`t5` is not in accelerators.csv"),
    ("accelerator_names.csv", ("t4",), {"name": "nvidia-l40"}, "means `nvidia-t4` here"),
    ("instance_families.csv", ("aws", "g4"), {"carries": "yes"}, "`attachable`, `none`, `some`"),
    ("kubernetes_resources.csv", ("nvidia.com/gpu",), {"counts": "gpu"}, "`counts` is `gpu`"),
    # places
    ("regions.csv", LONDON, {"country": ""}, "`aws eu-west-2` is `physical` and has no country"),
    ("regions.csv", LONDON, {"country": "UK"}, "expected a country of ISO 3166-1"),
    ("regions.csv", LONDON, {"country": "EU"}, "expected a country of ISO 3166-1"),
    ("regions.csv", LONDON, {"country": "gb"}, "`country` is `gb`"),
    ("regions.csv", LONDON, {"country": "GBR"}, "`country` is `GBR`"),
    ("regions.csv", LONDON, {"kind": "cloud"}, "`kind` is `cloud`"),
    ("regions.csv", LONDON, {"partition": "aws-uk"}, "`aws-uk` of `aws` is not in operators.csv"),
    ("regions.csv", ("azure", "westeurope"), {"paired_region": "x"}, "the paired region `x`"),
    ("unknown_places.csv", ("lambda",), {"region": "us-east-1"}, "is not a region without"),
    ("unknown_places.csv", ("lambda",), {"region": "us-mars-1"}, "is not a region without"),
    ("zones.csv", ("coreweave", "ATL2A"), {"region": "ATL"}, "`region` is `ATL`"),
    ("price_areas.csv", ("coreweave", "ATL2A"), {"area": "Americas"}, "`area` is `Americas`"),
    ("price_areas.csv", ("coreweave", "ATL2A"), {"place": "ATL9A"}, "`place` is `ATL9A`"),
    ("jurisdictions.csv", ("EU", "DE"), {"country": ""}, "`country` is empty"),
    ("jurisdictions.csv", ("EU", "DE"), {"country": "D"}, "`country` is `D`"),
    ("jurisdictions.csv", ("EU", "DE"), {"valid_from": "1958"}, "`valid_from` is `1958`"),
    ("jurisdictions.csv", ("EU", "DE"), {"valid_to": "1957-01-01"}, "a day before `1957-01-01`"),
    ("operators.csv", ("aws", "aws"), {"operator_home_country": "USA"}, "is `USA`"),
    ("operators.csv", ("aws", "aws"), {"sovereign": "maybe"}, "expected one of `no`, `yes`"),
    # models
    ("model_sizes.csv", LLAMA, {"kv_heads": "7"}, "32 attention heads do not divide by 7"),
    ("model_sizes.csv", LLAMA, {"kv_values_per_token": "65535"}, "head_dim = 65536"),
    ("model_sizes.csv", LLAMA, {"kv_values_per_token": "65537"}, "head_dim = 65536"),
    ("model_sizes.csv", LLAMA, {"window_tokens": "128"}, "do not fit one another"),
    ("model_sizes.csv", LLAMA, {"window_layers": "33", "window_tokens": "9"}, "or `layers`"),
    ("model_sizes.csv", GEMMA, {"window_layers": "51"}, "kv_heads x head_dim = 208896"),
    ("model_sizes.csv", GEMMA, {"full_kv_heads": "4"}, "without a window x kv_heads x head_dim"),
    ("model_sizes.csv", DEEPSEEK, {"kv_lora_rank": "511"}, "qk_rope_head_dim) = 35075"),
    ("model_sizes.csv", LLAMA, {"params_total_b": "8.0301"}, "at most three decimals"),
    ("model_sizes.csv", LLAMA, {"params_active_b": "9"}, "is larger than `params_total_b`"),
    ("model_sizes.csv", LLAMA, {"kv_is_upper_bound": ""}, "`kv_is_upper_bound` is empty"),
    ("model_sizes.csv", LLAMA, {"weight_bits": "0"}, "a decimal number from 1 to 32"),
    ("model_sizes.csv", LLAMA, {"weight_bits": "33"}, "a decimal number from 1 to 32"),
    ("model_sizes.csv", LLAMA, {"weight_bits": "4.5"}, "expected a whole number, 1 to 32"),
    ("model_sizes.csv", LLAMA, {"attention_kind": "flash"}, "`attention_kind` is `flash`"),
    ("model_aliases.csv", ("meta-llama/Llama-3.1-8B",), {"model": "x"}, "not in model_sizes.csv"),
    (
        "model_aliases.csv",
        ("meta-llama/Llama-3.1-8B",),
        {"alias": "Qwen/Qwen3-8B"},
        "is a model of its own",
    ),
]


@pytest.mark.parametrize(
    ("table", "key", "cells", "words"),
    CELLS,
    ids=[
        f"{table.removesuffix('.csv')}-{'-'.join(f'{c}={v or None}' for c, v in cells.items())}"
        for table, _, cells, _ in CELLS
    ],
)
def test_a_cell_that_is_not_what_it_should_be_is_named(
    copy: Path, table: str, key: tuple[str, ...], cells: dict[str, str], words: str
) -> None:
    line = _change(copy, table, key, **cells)

    message = _refusal(copy).message

    assert message.startswith(f"{table}:{line}: ")
    assert words in message


def test_the_usual_mistake_with_a_country_is_explained(copy: Path) -> None:
    _change(copy, "regions.csv", LONDON, country="UK")

    assert "`GB`" in _refusal(copy).hint


@pytest.mark.parametrize("table", TABLES)
def test_two_rows_with_one_key_are_refused(copy: Path, table: str) -> None:
    line = _append(copy, table)

    message = _refusal(copy).message

    assert message.startswith(f"{table}:{line}: ")
    assert "is in line 2 already" in message


def test_a_second_price_for_the_same_size_and_region_is_refused(copy: Path) -> None:
    rows = _rows(copy / "prices.csv")
    again = [*rows[1]]
    again[rows[0].index("price")] = "1.5"
    _write(copy / "prices.csv", [*rows, again])

    assert _refusal(copy).message.startswith(f"prices.csv:{len(rows) + 1}: ")


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_table_is_refused(copy: Path, table: str) -> None:
    (copy / table).unlink()

    refusal = _refusal(copy)

    assert refusal.message == f"{table}:1: the table cannot be read: no such file or directory"
    assert table in refusal.hint


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_column_is_refused(copy: Path, table: str) -> None:
    rows = _rows(copy / table)
    _write(copy / table, [row[:-1] for row in rows])

    assert _refusal(copy).message == f"{table}:1: the column `{rows[0][-1]}` is missing"


def test_an_extra_column_is_refused(copy: Path) -> None:
    rows = _rows(copy / "prices.csv")
    _write(copy / "prices.csv", [[*rows[0], "margin"], *([*row, "0"] for row in rows[1:])])

    assert _refusal(copy).message == "prices.csv:1: the column `margin` is not one of this table"


def test_a_column_that_is_there_twice_is_refused(copy: Path) -> None:
    rows = _rows(copy / "prices.csv")
    _write(copy / "prices.csv", [[*row, row[4]] for row in rows])

    assert _refusal(copy).message == "prices.csv:1: the column `price` is there twice"


def test_columns_may_stand_in_any_order(copy: Path) -> None:
    rows = _rows(copy / "prices.csv")
    _write(copy / "prices.csv", [list(reversed(row)) for row in rows])

    assert build_catalog(copy) == build_catalog(SHIPPED)


def _corrupt(change: Callable[[bytes], bytes], folder: Path) -> None:
    path = folder / "prices.csv"
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw + b"\xff\n", "prices.csv:END: the table is not UTF-8"),
        (lambda raw: raw + b"a\0b\n", "prices.csv:END: the table holds a NUL byte"),
        (lambda raw: raw + b"aws,p5\n", "prices.csv:END: 2 cells found, expected 9"),
        (lambda raw: raw + b'"aws', "prices.csv:END: this line is not CSV"),
        (lambda raw: raw + b"\n", "prices.csv:END: 0 cells found, expected 9"),
        (lambda _: b"", "prices.csv:1: the table has no rows"),
        (lambda raw: raw.splitlines(keepends=True)[0], "prices.csv:1: the table has no rows"),
        (lambda raw: raw.decode().encode("utf-16"), "prices.csv:1: the table holds a NUL byte"),
    ],
    ids=["utf8", "nul", "short", "quote", "blank", "empty", "header-only", "utf16"],
)
def test_what_is_no_table_is_refused(
    copy: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    end = len(_rows(copy / "prices.csv")) + 1
    _corrupt(change, copy)

    assert _refusal(copy).message.startswith(message.replace("END", str(end)))


def test_a_table_that_is_too_large_is_not_read(copy: Path) -> None:
    (copy / "prices.csv").write_bytes(b"x" * (LARGEST_TABLE + 1))

    assert "larger than" in _refusal(copy).message


@pytest.mark.parametrize(
    "note", [" a", "a ", "a\tb", "a\x1b[31m", "a\nb", "a\u202eb", "x" * (LONGEST_CELL + 1)]
)
def test_a_cell_that_would_show_as_something_else_is_refused(copy: Path, note: str) -> None:
    line = _change(copy, "instance_types.csv", P5, notes=note)

    assert _refusal(copy).message.startswith(f"instance_types.csv:{line}: `notes` holds")


def test_a_cell_beyond_what_the_reader_takes_is_refused(copy: Path) -> None:
    line = _change(copy, "instance_types.csv", P5, notes="x" * 200_000)

    assert _refusal(copy).message.startswith(f"instance_types.csv:{line}: this line is not CSV")


def test_lines_are_counted_as_an_editor_counts_them(copy: Path) -> None:
    path = copy / "sources.csv"
    path.write_text(
        'id,title,licence,note\na,"two\nlines",x,\nb,,x,\n', encoding="utf-8", newline=""
    )
    assert _refusal(copy).message.startswith("sources.csv:2: `title` holds a control character")

    path.write_text("id,title,licence,note\r\na,t,x,\r\nb,,x,\r\n", encoding="utf-8", newline="")
    assert _refusal(copy).message == "sources.csv:3: `title` is empty, expected a value"


def test_a_byte_order_mark_is_taken(copy: Path) -> None:
    path = copy / "prices.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert build_catalog(copy) == build_catalog(SHIPPED)


def test_a_figure_that_is_not_known_stays_unknown_and_is_no_zero(copy: Path) -> None:
    _change(
        copy,
        "accelerators.csv",
        ("amd-mi300x",),
        memory_usable_mib="",
        memory_bandwidth_gbs="",
        bf16_dense_tflops="",
        scale_up_domain_size="",
        product_label="",
        checked="2026-11-23",
    )
    _change(copy, "instance_types.csv", P5, vcpus="", fabric="", fabric_gbps="")

    catalog, index = build_catalog(copy)

    card = catalog["accelerators"]["amd-mi300x"]
    assert card["label"] == "amd-mi300x"
    assert card["usable_mib"] is card["bandwidth_gbs"] is card["scale_up_domain"] is None
    assert card["bf16_tflops"] is None
    size = catalog["instance_types"]["aws"]["p5.48xlarge"]
    assert size["vcpus"] is size["fabric"] is size["fabric_gbps"] is None
    assert "amd-mi300x" not in {rung["accelerator"] for rung in index["fit"]}


def test_a_share_without_any_known_memory_has_no_usable_figure(copy: Path) -> None:
    _change(
        copy,
        "instance_types.csv",
        P5,
        accelerator="intel-flex-170",
        accelerator_count="1/2",
        memory_per_accelerator_gib="",
    )
    _change(copy, "prices.csv", P5_PRICE, price="20")
    _change(copy, "prices.csv", ("aws", "p5.48xlarge", "on_demand", "us-gov-west-1"), price="20")

    size = build_catalog(copy)[0]["instance_types"]["aws"]["p5.48xlarge"]

    assert (size["slice"], size["usable_mib"]) == ("1/2", None)


def test_an_alias_of_two_accelerators_means_neither(copy: Path) -> None:
    _change(copy, "accelerators.csv", ("nvidia-l40",), aliases="L40;L4")

    names = build_catalog(copy)[0]["accelerator_names"]

    assert names["l40"] == "nvidia-l40"
    assert names["l4"] == "nvidia-l4", "a row of accelerator_names.csv is certain"
    _change(copy, "accelerators.csv", ("nvidia-a40",), aliases="A16;A40")
    assert "a16" not in build_catalog(copy)[0]["accelerator_names"]


def test_a_last_part_that_two_models_share_means_neither(copy: Path) -> None:
    rows = _rows(copy / "model_sizes.csv")
    fork = [*rows[1]]
    fork[0] = f"fork/{rows[1][0].rpartition('/')[2]}"
    _write(copy / "model_sizes.csv", [*rows, fork])

    names = build_catalog(copy)[0]["model_names"]

    assert rows[1][0].rpartition("/")[2].lower() not in names
