"""The shipped catalog compiles, and says what its sources say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.bundle.catalog import build_catalog
from service.model.base import LARGEST_EXACT

SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"

Built = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def built() -> Built:
    return build_catalog(SHIPPED)


@pytest.fixture
def catalog(built: Built) -> dict[str, Any]:
    return built[0]


@pytest.fixture
def index(built: Built) -> dict[str, Any]:
    return built[1]


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def test_every_leaf_is_a_text_an_exact_integer_a_boolean_or_null(built: Built) -> None:
    kinds = {type(leaf) for leaf in _leaves(list(built))}

    assert kinds == {str, int, bool, type(None)}
    assert all(0 <= leaf <= LARGEST_EXACT for leaf in _leaves(list(built)) if type(leaf) is int)


def test_every_table_that_rules_and_resolve_look_up_is_there(built: Built) -> None:
    catalog, index = built

    assert set(catalog) == {
        "accelerator_names",
        "accelerators",
        "countries",
        "instance_families",
        "instance_types",
        "kubernetes_resources",
        "meta",
        "model_names",
        "models",
        "operators",
        "price_areas",
        "prices",
        "regions",
        "sources",
        "zones",
    }
    assert set(index) == {
        "fit",
        "fit_by_stack",
        "offers",
        "offers_by_accelerator",
        "portable_alternatives",
        "proprietary_makers",
        "slices",
    }
    assert all(catalog.values())
    assert all(index.values())


def test_building_twice_gives_the_same_in_the_same_order(built: Built) -> None:
    again = build_catalog(SHIPPED)

    assert list(_leaves(list(again))) == list(_leaves(list(built)))


def test_meta_counts_rows_and_dates_the_prices(catalog: dict[str, Any]) -> None:
    meta = catalog["meta"]

    assert meta["rows"]["accelerators"] == len(catalog["accelerators"])
    assert meta["rows"]["prices"] > 1500
    assert meta["oldest_list_price"] < meta["newest_list_price"]


def test_a_p5_48xlarge_carries_eight_h100(catalog: dict[str, Any]) -> None:
    size = catalog["instance_types"]["aws"]["p5.48xlarge"]

    assert (size["accelerator"], size["count"], size["slice"]) == ("nvidia-h100-sxm", 8, None)
    assert (size["fabric"], size["fabric_gbps"], size["vcpus"]) == ("efa", 3200, 192)


@pytest.mark.parametrize(
    ("vendor", "name", "share", "denominator"),
    [
        ("aws", "g6f.large", "1/8", 8),
        ("aws", "g6f.2xlarge", "1/4", 4),
        ("aws", "g6f.4xlarge", "1/2", 2),
        ("azure", "Standard_NV6ads_A10_v5", "1/6", 6),
        ("azure", "Standard_NV12ads_A10_v5", "1/3", 3),
        ("gcp", "g4-standard-6", "1/8", 8),
    ],
)
def test_a_share_of_a_device_is_one_slice_with_the_memory_of_that_share(
    catalog: dict[str, Any], vendor: str, name: str, share: str, denominator: int
) -> None:
    size = catalog["instance_types"][vendor][name]
    card = catalog["accelerators"][size["accelerator"]]

    assert (size["count"], size["slice"]) == (1, share)
    assert size["usable_is_estimate"]
    assert 0.85 < size["usable_mib"] * denominator / card["usable_mib"] <= 1


def test_usable_memory_that_nobody_read_is_estimated_for_nvidia_only(
    catalog: dict[str, Any],
) -> None:
    accelerators = catalog["accelerators"]

    assert accelerators["nvidia-h100-sxm"]["usable_mib"] == 81559
    assert not accelerators["nvidia-h100-sxm"]["usable_is_estimate"]
    assert accelerators["nvidia-rubin-nvl72"]["usable_mib"] == 288 * 1024 * 99 // 100
    assert accelerators["nvidia-rubin-nvl72"]["usable_is_estimate"]
    assert accelerators["amd-mi325x"]["usable_mib"] is None
    assert not accelerators["amd-mi325x"]["usable_is_estimate"]


@pytest.mark.parametrize(
    ("name", "status", "formats"),
    [
        ("nvidia-v100-16gb", "retired", {"fp16"}),
        ("nvidia-a100-80gb-sxm", "previous", {"bf16", "tf32"}),
        ("nvidia-h100-sxm", "current", {"bf16", "fp8"}),
        ("nvidia-b200-sxm", "current", {"fp8", "fp4"}),
        ("amd-mi300x", "current", {"fp8", "tf32"}),
        ("google-tpu-v7x", "current", {"fp8"}),
        ("aws-trainium1", "previous", {"bf16", "fp8"}),
    ],
)
def test_an_accelerator_says_its_generation_and_its_formats(
    catalog: dict[str, Any], name: str, status: str, formats: set[str]
) -> None:
    accelerator = catalog["accelerators"][name]

    assert accelerator["status"] == status
    assert formats <= set(accelerator["precisions"])


def test_chips_that_only_their_maker_has_are_marked(catalog: dict[str, Any]) -> None:
    makers = {
        accelerator["manufacturer"]
        for accelerator in catalog["accelerators"].values()
        if accelerator["proprietary"]
    }

    assert makers == {"aws", "google", "meta", "microsoft"}


def test_formats_and_throughput_agree(catalog: dict[str, Any]) -> None:
    """A printed figure for a format is of a chip that computes in it, or converts at its rate."""
    for name, accelerator in catalog["accelerators"].items():
        formats = accelerator["precisions"]
        bf16, fp8 = accelerator["bf16_tflops"], accelerator["fp8_tflops"]
        if formats is not None:
            assert bf16 is None or "bf16" in formats, name
            assert fp8 is None or "fp8" in formats or fp8 == bf16, name


def test_what_nobody_read_of_an_accelerator_is_null(catalog: dict[str, Any]) -> None:
    announced = catalog["accelerators"]["amd-mi455x"]

    assert (announced["status"], announced["precisions"]) == (None, None)
    assert catalog["accelerators"]["groq-lpu-v1"]["proprietary"] is None


def test_a_mig_profile_has_the_memory_the_driver_reports_or_an_estimate(
    catalog: dict[str, Any],
) -> None:
    h100 = catalog["accelerators"]["nvidia-h100-sxm"]["slices"]
    b200 = catalog["accelerators"]["nvidia-b200-sxm"]["slices"]

    assert h100["1g.10gb"] == {"usable_mib": 9984, "usable_is_estimate": False}
    assert h100["1g.10gb+me"] == h100["1g.10gb.me"] == h100["1g.10gb"]
    assert b200["1g.23gb"] == {"usable_mib": 23 * 1024 * 88 // 100, "usable_is_estimate": True}
    assert catalog["accelerators"]["amd-mi300x"]["slices"] == {}


def test_a_profile_never_offers_more_than_its_card(catalog: dict[str, Any]) -> None:
    for accelerator in catalog["accelerators"].values():
        for part in accelerator["slices"].values():
            assert part["usable_mib"] <= accelerator["usable_mib"]


@pytest.mark.parametrize(
    ("name", "accelerator"),
    [
        ("NVIDIA-L4", "nvidia-l4"),
        ("nvidia-tesla-t4", "nvidia-t4"),
        ("nvidia-h100-80gb", "nvidia-h100-sxm"),
        ("nvidia-h100-mega-80gb", "nvidia-h100-sxm"),
        ("nvidia-tesla-a100", "nvidia-a100-40gb-sxm"),
        ("nvidia-a100-80gb", "nvidia-a100-80gb-sxm"),
        ("nvidia-tesla-p4", "nvidia-p4"),
        ("tpu-v5-lite-device", "google-tpu-v5e"),
        ("tpu-v6e-slice", "google-tpu-v6e"),
        ("tpu7x", "google-tpu-v7x"),
        ("l40s", "nvidia-l40s"),
        ("H100_NVLINK_80GB", "nvidia-h100-sxm"),
        ("A100_PCIE_80GB", "nvidia-a100-80gb-pcie"),
        ("AMD_Instinct_MI300X_OAM", "amd-mi300x"),
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-sxm"),
        ("nvidia-b200-sxm", "nvidia-b200-sxm"),
    ],
)
def test_the_names_of_clouds_and_node_labels_are_known(
    catalog: dict[str, Any], name: str, accelerator: str
) -> None:
    assert catalog["accelerator_names"][name.lower()] == accelerator


@pytest.mark.parametrize("name", ["a100", "v100", "gaudi", "rtx 6000"])
def test_a_name_that_several_cards_share_means_none(catalog: dict[str, Any], name: str) -> None:
    assert name not in catalog["accelerator_names"]


@pytest.mark.parametrize(
    ("vendor", "region", "country"),
    [
        ("aws", "eu-west-2", "GB"),
        ("aws", "eu-central-2", "CH"),
        ("aws", "eusc-de-east-1", "DE"),
        ("coreweave", "EU-NORTH-02A", "NO"),
        ("coreweave", "EU-NORTH-02", "NO"),
        ("coreweave", "EU-WEST-01", "GB"),
        ("gcp", "europe-west6", "CH"),
        ("azure", "westeurope", "NL"),
        ("oci", "eu-jovanovac-1", "RS"),
        ("runpod", "US-DE-1", "US"),
        ("aws", "eu-isoe-west-1", None),
        ("gcp", "eu", None),
    ],
)
def test_a_region_lies_where_its_name_does_not_say(
    catalog: dict[str, Any], vendor: str, region: str, country: str | None
) -> None:
    assert catalog["regions"][vendor][region]["country"] == country


def test_places_nobody_publishes_are_the_only_ones_without_a_country(
    catalog: dict[str, Any],
) -> None:
    unknown = {
        (vendor, name)
        for vendor, regions in catalog["regions"].items()
        for name, region in regions.items()
        if region["kind"] in {"physical", "sovereign"} and region["country"] is None
    }

    assert len(unknown) == 9
    assert ("on-prem", "on-prem") in unknown


def test_every_region_has_an_operator_and_every_country_its_jurisdictions(
    catalog: dict[str, Any],
) -> None:
    for vendor, regions in catalog["regions"].items():
        for region in regions.values():
            assert region["partition"] in catalog["operators"][vendor]
            assert region["country"] is None or region["country"] in catalog["countries"]


def _members(catalog: dict[str, Any], jurisdiction: str, day: str) -> set[str]:
    return {
        country
        for country, entries in catalog["countries"].items()
        for entry in entries
        if entry["jurisdiction"] == jurisdiction
        and entry["condition"] is None
        and (entry["valid_from"] or "") <= day <= (entry["valid_to"] or "9999-12-31")
    }


def test_the_european_union_has_27_members_and_the_economic_area_30(
    catalog: dict[str, Any],
) -> None:
    union = _members(catalog, "EU", "2026-11-23")
    area = _members(catalog, "EEA", "2026-11-23")

    assert (len(union), len(area)) == (27, 30)
    assert area - union == {"IS", "LI", "NO"}
    assert "GB" in _members(catalog, "EU", "2020-01-31")
    assert "GB" not in _members(catalog, "EU", "2020-02-01")


def test_adequacy_of_the_united_states_depends_on_a_condition(catalog: dict[str, Any]) -> None:
    conditions = {
        entry["condition"]
        for entry in catalog["countries"]["US"]
        if entry["jurisdiction"] == "GDPR_ADEQUATE"
    }

    assert "DPF-certified-only" in conditions
    assert None not in conditions


def test_the_sovereign_cloud_in_germany_has_a_parent_in_the_united_states(
    catalog: dict[str, Any],
) -> None:
    operator = catalog["operators"]["aws"]["aws-eusc"]

    assert (operator["home_country"], operator["parent_country"]) == ("DE", "US")
    assert operator["sovereign"] is True
    assert catalog["operators"]["gcp"]["gcp"]["operator"] == "Google"


def test_areas_of_a_price_list_follow_the_country_of_a_zone(catalog: dict[str, Any]) -> None:
    areas = catalog["price_areas"]["coreweave"]

    assert areas["US-EAST-04A"] == areas["CA-EAST-01"] == "North America"
    assert areas["EU-WEST-01A"] == areas["EU-NORTH-02"] == "Europe"
    assert catalog["zones"]["coreweave"]["EU-NORTH-02A"] == "EU-NORTH-02"


def test_prices_are_exact_and_keep_their_currency(catalog: dict[str, Any]) -> None:
    prices = catalog["prices"]

    h100 = prices["aws"]["p5.48xlarge"]["on_demand"]
    assert h100["us-east-1"]["micros_per_hour"] == 55_040_000
    assert prices["aws"]["p4d.24xlarge"]["on_demand"]["us-east-1"]["micros_per_hour"] == 21_957_642
    assert prices["aws"]["g5.xlarge"]["on_demand"]["cn-north-1"]["currency"] == "CNY"
    assert prices["ovh"]["l4-90"]["on_demand"]["GRA11"]["currency"] == "EUR"
    assert "europe-west4" in prices["gcp"]["a3-highgpu-8g"]["spot"]
    assert "on_demand" not in prices["aws"].get("trn2.48xlarge", {})


@pytest.mark.parametrize(
    ("vendor", "name", "carries"),
    [
        ("aws", "m7i.large", "none"),
        ("aws", "t3.micro", "none"),
        ("aws", "trn1.2xlarge", "some"),
        ("aws", "i4i.large", "none"),
        ("aws", "inf2.xlarge", "some"),
        ("aws", "p7.48xlarge", None),
        ("gcp", "e2-standard-4", "none"),
        ("gcp", "n1-standard-8", "attachable"),
        ("gcp", "n2d-standard-8", "none"),
        ("azure", "Standard_D8s_v5", "none"),
        ("azure", "Standard_ND96isr_H100_v5", "some"),
        ("coreweave", "cd-gp-i64-erapids", "none"),
    ],
)
def test_a_family_says_whether_its_sizes_carry_accelerators(
    catalog: dict[str, Any], vendor: str, name: str, carries: str | None
) -> None:
    assert _carries(catalog["instance_families"][vendor], name) == carries


def test_no_size_of_the_catalog_is_in_a_family_that_carries_none(catalog: dict[str, Any]) -> None:
    for vendor, families in catalog["instance_families"].items():
        for name in catalog["instance_types"][vendor]:
            assert _carries(families, name) == "some", f"{vendor} {name}"


def _carries(families: dict[str, str], name: str) -> str | None:
    matching = [prefix for prefix in families if name.startswith(prefix)]
    return families[max(matching, key=len)] if matching else None


@pytest.mark.parametrize(
    ("model", "values", "is_bound"),
    [
        ("meta-llama/meta-llama-3.1-8b", 2 * 32 * 8 * 128, False),
        ("meta-llama/llama-3.3-70b-instruct", 2 * 80 * 8 * 128, False),
        ("deepseek-ai/deepseek-v3", 61 * (512 + 64), False),
        ("deepseek-ai/deepseek-v2-lite", 27 * (512 + 64), False),
        ("qwen/qwen3-next-80b-a3b", 2 * 48 * 2 * 256, True),
    ],
)
def test_values_cached_per_token_follow_the_kind_of_attention(
    catalog: dict[str, Any], model: str, values: int, *, is_bound: bool
) -> None:
    row = catalog["models"][model]

    assert (row["kv_values_per_token"], row["kv_is_upper_bound"]) == (values, is_bound)


@pytest.mark.parametrize(
    ("model", "full", "windowed", "tokens"),
    [
        ("mistralai/mistral-7b-v0.1", 0, 2 * 32 * 8 * 128, 4096),
        ("google/gemma-3-27b-it", 2 * 10 * 16 * 128, 2 * 52 * 16 * 128, 1024),
        ("google/gemma-4-31b-it", 2 * 10 * 4 * 512, 2 * 50 * 16 * 256, 1024),
        ("openai/gpt-oss-120b", 2 * 18 * 8 * 64, 2 * 18 * 8 * 64, 128),
        ("meta-llama/meta-llama-3.1-8b", 2 * 32 * 8 * 128, 0, 0),
    ],
)
def test_layers_with_a_window_are_counted_apart(
    catalog: dict[str, Any], model: str, full: int, windowed: int, tokens: int
) -> None:
    row = catalog["models"][model]

    assert row["kv_values_per_token"] == full
    assert (row["window_kv_values_per_token"], row["window_tokens"]) == (windowed, tokens)
    assert row["kv_is_upper_bound"] is False


def test_slices_of_an_accelerator_are_sorted_by_memory(index: dict[str, Any]) -> None:
    ladder = index["slices"]["nvidia-h100-sxm"]

    assert [rung["label"] for rung in ladder] == [
        "1g.10gb",
        "1g.20gb",
        "2g.20gb",
        "3g.40gb",
        "4g.40gb",
        "7g.80gb",
    ]
    assert ladder[0]["total_mib"] == 9984
    assert "nvidia-l4" not in index["slices"]


def test_a_model_is_found_by_its_aliases_and_the_last_part_of_its_name(
    catalog: dict[str, Any],
) -> None:
    names = catalog["model_names"]

    assert names["meta-llama/llama-3.1-8b-instruct"] == "meta-llama/meta-llama-3.1-8b"
    assert names["llama-3.1-8b-instruct"] == "meta-llama/meta-llama-3.1-8b"
    assert names["qwen3-8b"] == "qwen/qwen3-8b"
    assert not set(names) & set(catalog["models"])
    assert set(names.values()) <= set(catalog["models"])


@pytest.mark.parametrize(
    ("model", "bits"),
    [
        ("deepseek-ai/deepseek-v3", 8),
        ("qwen/qwen3-8b", 16),
        ("microsoft/phi-3-mini-4k-instruct", 16),
    ],
)
def test_the_width_of_a_weight_is_the_published_one(
    catalog: dict[str, Any], model: str, bits: int | None
) -> None:
    assert catalog["models"][model]["weight_bits"] == bits


def test_parameters_are_whole_millions_or_unknown(catalog: dict[str, Any]) -> None:
    assert catalog["models"]["meta-llama/meta-llama-3.1-8b"]["params_m"] == 8030
    assert catalog["models"]["zai-org/glm-5"]["params_m"] is None


def test_the_ladder_climbs_from_the_smallest_set_to_the_largest(index: dict[str, Any]) -> None:
    ladder = index["fit"]

    totals = [rung["total_mib"] for rung in ladder]
    assert totals == sorted(totals)
    assert {rung["count"] for rung in ladder} == {1, 2, 4, 8, 16}
    assert all(rung["total_mib"] == rung["count"] * rung["usable_mib"] for rung in ladder)
    assert "8 x NVIDIA-H100-80GB-HBM3" in [rung["label"] for rung in ladder]


def test_the_ladder_offers_only_what_can_be_rented_in_one_machine(
    catalog: dict[str, Any], index: dict[str, Any]
) -> None:
    for rung in index["fit"]:
        accelerator = catalog["accelerators"][rung["accelerator"]]
        assert accelerator["rentable"] == "yes"
        assert accelerator["bf16_tflops"] is not None
        assert rung["count"] <= (accelerator["scale_up_domain"] or 1)
    counts = {r["count"] for r in index["fit"] if r["accelerator"] == "nvidia-gb200"}
    assert counts == {1, 2, 4}, "a part of an instance of four"
    assert "aws-inferentia1" not in {rung["accelerator"] for rung in index["fit"]}, "retired"
    assert not [r for r in index["fit"] if r["accelerator"] == "nvidia-l4" and r["count"] > 1]


def test_a_ladder_of_one_software_stack_is_part_of_the_whole(index: dict[str, Any]) -> None:
    stacks = index["fit_by_stack"]

    assert {"cuda", "neuron", "rocm"} <= set(stacks)
    assert sum(len(rungs) for rungs in stacks.values()) == len(index["fit"])
    assert all(rung["software_stack"] == name for name, rungs in stacks.items() for rung in rungs)


def test_an_offer_is_the_cheapest_size_per_accelerator_of_its_region(
    catalog: dict[str, Any], index: dict[str, Any]
) -> None:
    cheapest: dict[tuple[str, str, str], int] = {}
    for vendor, sizes in catalog["instance_types"].items():
        for name, size in sizes.items():
            listed = catalog["prices"].get(vendor, {}).get(name, {}).get("on_demand", {})
            for region, price in listed.items():
                if size["slice"] is None and price["currency"] == "USD":
                    key = (size["accelerator"], vendor, region)
                    each = math.ceil(price["micros_per_hour"] / size["count"])
                    cheapest[key] = min(each, cheapest.get(key, each))
    offered = {
        (accelerator, vendor, region): offer["micros_per_accelerator_hour"]
        for accelerator, vendors in index["offers"].items()
        for vendor, regions in vendors.items()
        for region, offer in regions.items()
    }

    assert offered == cheapest


def test_an_offer_rounds_up_and_is_in_dollars(index: dict[str, Any]) -> None:
    offers = index["offers"]

    assert offers["nvidia-l4"]["aws"]["us-east-1"]["instance_type"] == "g6.xlarge"
    assert offers["nvidia-l4"]["aws"]["us-east-1"]["micros_per_accelerator_hour"] == 804_800
    assert "ovh" not in offers["nvidia-l4"]
    assert "cn-north-1" not in offers["nvidia-a10g"]["aws"]


def test_a_resource_name_says_what_it_counts(catalog: dict[str, Any]) -> None:
    resources = catalog["kubernetes_resources"]

    assert resources["nvidia.com/gpu"] == {
        "manufacturer": "nvidia",
        "family": None,
        "counts": "device",
    }
    assert resources["nvidia.com/mig-*"]["counts"] == "slice"


def test_the_readme_names_every_table_and_every_column() -> None:
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")

    for table in sorted(SHIPPED.glob("*.csv")):
        assert f"`{table.name}`" in text
        header = table.read_text(encoding="utf-8").splitlines()[0]
        for column in header.split(","):
            assert f"`{column}`" in text, f"{table.name}: {column}"


def test_a_portable_alternative_is_near_and_can_be_had_from_several_vendors(
    catalog: dict[str, Any], index: dict[str, Any]
) -> None:
    accelerators = catalog["accelerators"]
    alternatives = index["portable_alternatives"]

    assert alternatives["aws-trainium2"]["accelerator"] == "nvidia-h100-pcie"
    assert alternatives["google-tpu-v7x"]["accelerator"] == "nvidia-b200-sxm"
    for name, found in alternatives.items():
        one, other = accelerators[name], accelerators[found["accelerator"]]
        assert (one["proprietary"], other["proprietary"]) == (True, False)
        assert other["status"] != "retired"
        assert found["vendors"] >= 2
        for figure in ("memory_marketing_gb", "bf16_tflops"):
            assert one[figure] <= 3 * other[figure] <= 9 * one[figure]


def test_a_maker_is_portable_only_where_every_accelerator_of_it_is_read_to_be(
    index: dict[str, Any],
) -> None:
    makers = index["proprietary_makers"]

    assert [makers[name] for name in ("nvidia", "amd", "intel")] == [False, False, False]
    assert [makers[name] for name in ("google", "aws", "groq")] == [True, True, True]
