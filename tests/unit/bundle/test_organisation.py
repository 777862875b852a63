"""What the organisation writes is read as it was meant, or refused with its file and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.bundle.reading import parse_yaml, read_mapping
from service.errors import BundleRefused
from service.model.finding import Mode


def refused(folder: Path) -> BundleRefused:
    with pytest.raises(BundleRefused) as caught:
        build(folder)
    return caught.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: A\npostur: warn", "toy/org/organisation.yaml: the key `postur` is not known"),
        (
            "name: A\nposture: off",
            "toy/org/organisation.yaml: `off` at `/posture`: input should be",
        ),
        ("posture: warn", "toy/org: `/name` is missing"),
        ("name: A\nlimits: {most: 3}", "toy/org/organisation.yaml: `/limits/most` is not known"),
        (
            "name: A\nlimits: {accelerators_per_resource: {default: -1}}",
            "toy/org/organisation.yaml: `-1` at `/limits/accelerators_per_resource/default`: ",
        ),
        (
            "name: A\nlimits: {accelerators_per_resource: {default: '8'}}",
            "toy/org/organisation.yaml: `8` at `/limits/accelerators_per_resource/default`: ",
        ),
        ("- a", "toy/org/organisation.yaml: it holds a list, expected a mapping"),
        ("name: A\nname: B", "toy/org/organisation.yaml, line 2: the key `name` is there twice"),
        ("name: A\n1: B", "toy/org/organisation.yaml, line 2: the key `1` is not text"),
        ("name: &a A\nlimits: *a", "toy/org/organisation.yaml, line 2: an alias is not allowed"),
        ("name: [", "toy/org/organisation.yaml, line "),
        (
            "name: A\nstale_price_days: 1.5",
            "toy/org/organisation.yaml, line 2: the fraction `1.5` is not allowed",
        ),
        ("name: A\n--- {}", "toy/org/organisation.yaml, line 2: but found another document"),
        ("name: !!python/name:os.system", "toy/org/organisation.yaml, line 1: could not determine"),
        ("name: A\0", "toy/org/organisation.yaml: it cannot be read as YAML"),
        ("[" * 5000, "toy/org/organisation.yaml: it cannot be read as YAML"),
    ],
)
def test_file_that_is_wrong_is_refused(project: Path, text: str, said: str) -> None:
    (project / "org/organisation.yaml").write_text(text)
    assert refused(project).message.startswith(said)


def test_binary_file_is_refused(project: Path) -> None:
    (project / "org/organisation.yaml").write_bytes(b"name: \xff")
    assert refused(project).message == "toy/org/organisation.yaml: it is not UTF-8 at byte 6"


def test_large_file_is_refused(project: Path) -> None:
    (project / "org/organisation.yaml").write_text("#" * (4 * 1024 * 1024 + 1))
    assert refused(project).message.startswith("toy/org/organisation.yaml: it is larger than")


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="a: it cannot be read: No such file"):
        read_mapping(tmp_path / "a.yaml", what="a")


def test_key_is_stated_in_one_file(project: Path) -> None:
    (project / "org/other.yaml").write_text("posture: warn\n")
    assert refused(project).message == (
        "toy/org/other.yaml: `posture` is stated in `toy/org/organisation.yaml` as well"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modes: [{code: GPU-999, mode: warn}]", "`GPU-999` at `/modes/0/code` is no code of this"),
        ("modes: [{domain: gpus, mode: warn}]", "`gpus` at `/modes/0/domain` is no domain of this"),
        ("scopes: [{match: {}, data_classes: [a]}]", "`a` at `/scopes/0/data_classes` is no class"),
        (
            "scopes: [{match: {}, vendor: gcp, region: eu-west-1}]",
            "`eu-west-1` at `/scopes/0/region` is no region of `gcp`",
        ),
        (
            "data_classes: {a: {jurisdictions: [EUROPE]}}",
            "`EUROPE` at `/data_classes/a/jurisdictions` is no known jurisdiction",
        ),
        (
            "data_classes: {a: {countries: [UK]}}",
            "`UK` at `/data_classes/a/countries` is no country of ISO 3166-1",
        ),
        (
            "vendor: {approved: [amazon]}",
            "`amazon` at `/vendor/approved` is no vendor of the catalog or of a scope",
        ),
        (
            "vendor: {training_vendors: [amazon]}",
            "`amazon` at `/vendor/training_vendors` is no vendor of the catalog or of a scope",
        ),
        (
            "vendor: {evaluations: {amazon: {until: 2026-12-31}}}",
            "`amazon` at `/vendor/evaluations` is no vendor of the catalog or of a scope",
        ),
        (
            "vendor: {evaluations: {aws: {until: 2026-13-01}}}",
            "`2026-13-01` at `/vendor/evaluations/aws/until`: ",
        ),
        (
            "vendor: {approved_regions: {amazon: []}}",
            "`amazon` at `/vendor/approved_regions` is no vendor of the catalog or of a scope",
        ),
        (
            "vendor: {approved_regions: {gcp: [eu-west-1]}}",
            "`eu-west-1` at `/vendor/approved_regions/gcp` is no region of `gcp`",
        ),
        (
            "vendor: {accepted_proprietary: [tpu]}",
            "`tpu` at `/vendor/accepted_proprietary` is no accelerator of the catalog",
        ),
        (
            "internal_rates: [{accelerator: h100, micros_per_hour: 1}]",
            "`h100` at `/internal_rates/0/accelerator` is no accelerator of the catalog",
        ),
        (
            "gpu: {isolated_classes: [health]}",
            "`health` at `/gpu/isolated_classes` is no class in data_classes",
        ),
        (
            "gpu: {own_accelerators: [mtia]}",
            "`mtia` at `/gpu/own_accelerators` is no accelerator of the catalog",
        ),
        (
            "hygiene: {clusters: {lab: {taints: {nvidai: [nvidia.com/gpu]}}}}",
            "`nvidai` at `/hygiene/clusters/lab/taints` is no manufacturer of the catalog",
        ),
        (
            "hygiene: {clusters: {lab: {runtime_class: {nvidai: nvidia}}}}",
            "`nvidai` at `/hygiene/clusters/lab/runtime_class` is no manufacturer of the catalog",
        ),
    ],
)
def test_name_that_nothing_has_is_refused(project: Path, text: str, said: str) -> None:
    (project / "org/more.yaml").write_text(text)
    assert refused(project).message.startswith(f"toy/org/more.yaml: {said}")


@pytest.mark.parametrize(
    "text",
    [
        (
            "internal_rates:\n"
            "  - {accelerator: nvidia-l4, micros_per_hour: 1}\n"
            "  - {accelerator: nvidia-l4, micros_per_hour: 2}\n"
        ),
        (
            "prices:\n"
            "  - {vendor: gcp, instance_type: a2-highgpu-1g, micros_per_hour: 1}\n"
            "  - {vendor: gcp, instance_type: a2-highgpu-1g, micros_per_hour: 2}\n"
        ),
    ],
)
def test_price_is_stated_once(project: Path, text: str) -> None:
    (project / "org/more.yaml").write_text(text)
    assert refused(project).message.endswith("` twice")


def test_names_that_exist_are_accepted(project: Path) -> None:
    (project / "org/more.yaml").write_text(
        "modes: [{code: COV-001, mode: enforce}, {domain: gpu, mode: warn}, {mode: observe}]\n"
        "scopes: [{match: {cluster: a}, vendor: own-hall, region: cellar, data_classes: [a]}]\n"
        "data_classes: {a: {countries: [NO], jurisdictions: [EU]}}\n"
    )
    org = build(project).org
    assert org.data_classes["a"].countries == ("NO",)
    assert org.scopes[0].region == "cellar"


def test_a_hall_of_ones_own_is_a_vendor_like_any_other(project: Path) -> None:
    (project / "org/more.yaml").write_text(
        "scopes: [{match: {cluster: a}, vendor: own-hall}]\n"
        "vendor: {approved: [own-hall, aws], approved_regions: {own-hall: [cellar]}}\n"
    )
    assert build(project).org.vendor.approved == ("own-hall", "aws")


def test_extended_bundle_gives_what_is_not_stated(project: Path) -> None:
    base = project.parent / "base"
    (base / "org").mkdir(parents=True)
    (base / "bundle.yaml").write_text('name: base\nrevision: "1"\nrules: [budget]\n')
    (base / "org/all.yaml").write_text("name: Base\nposture: warn\non_existing: observe\n")
    (project / "bundle.yaml").write_text('name: toy\nrevision: "7"\nextends: base\n')
    bundle = build(project)
    assert (bundle.ref.name, bundle.org.name, bundle.org.posture) == ("toy", "Toy", Mode.ENFORCE)
    assert bundle.org.on_existing is Mode.OBSERVE
    assert list(bundle.rulebook) == ["BUD-901"]
    (base / "org/all.yaml").write_text("on_existing: never\n")
    assert refused(project).message.startswith("base/org/all.yaml: `never` at `/on_existing`: ")


def test_shipped_bundle_can_be_extended(project: Path) -> None:
    (project / "bundle.yaml").write_text('name: toy\nrevision: "7"\nextends: default\n')
    assert build(project).org.posture is Mode.ENFORCE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "toy/bundle.yaml: `/name` is missing"),
        (
            "name: a\nrevision: 7",
            "toy/bundle.yaml: `7` at `/revision`: input should be a valid str",
        ),
        ("name: a\nrevision: '1'\nrule: all", "toy/bundle.yaml: `/rule` is not known"),
        ("name: a\nrevision: '1'\nrules: []", "the bundle selects no rules: nothing would ever"),
        (
            "name: a\nrevision: '1'\nrules: [gpus]",
            "bundle.yaml: `rules` names `gpus`, expected a domain or a code",
        ),
        ("name: a\nrevision: '1'\nrules: some", "toy/bundle.yaml: `some` at `/rules/literal"),
        ("name: a\nrevision: '1'\nextends: toy", "toy/bundle.yaml: `extends` leads back to `toy`"),
        ("name: a\nrevision: '1'\nextends: ../a", "toy/bundle.yaml: `extends`: no bundle `../a`"),
    ],
)
def test_bundle_file_that_is_wrong_is_refused(project: Path, text: str, said: str) -> None:
    (project / "bundle.yaml").write_text(text)
    assert refused(project).message.startswith(said)


def test_folder_without_bundle_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path).message.endswith("` is not a bundle: it has no `bundle.yaml`")


@pytest.mark.parametrize("rules", ["gpu", "GPU-901"])
def test_rules_are_selected_by_domain_and_by_code(project: Path, rules: str) -> None:
    (project / "bundle.yaml").write_text(f"name: toy\nrevision: '7'\nrules: [{rules}]\n")
    bundle = build(project)
    assert list(bundle.rulebook) == ["GPU-901"]
    assert "policies/rules/budget/change/change.rego" not in bundle.modules


def test_shipped_rules_and_catalog_serve_a_folder_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "org").mkdir(parents=True)
    (folder / "bundle.yaml").write_text("name: mine\nrevision: '1'\nextends: example\n")
    bundle = build(folder)
    assert bundle.org.name == "Northwind Labs"
    assert "GPU-001" in bundle.rulebook


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[NO, no, yes, off, 'true', y]", ["NO", "no", "yes", "off", "true", "y"]),
        ("[true, false, null, ~]", [True, False, None, None]),
        ("[1, -2, 007, 0x10, 1_000, 1:30]", [1, -2, "007", "0x10", "1_000", "1:30"]),
        ("2026-01-02", "2026-01-02"),
        ("a:", {"a": None}),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("1.2.3", "1.2.3"),
        ("e5", "e5"),
        ("", None),
    ],
)
def test_plain_words_stay_words(text: str, value: object) -> None:
    assert parse_yaml(text, what="a") == value


@pytest.mark.parametrize("text", ["1.5", ".5", "1.", "1e3", "-0.1", "1.5e+3"])
def test_fractions_are_refused(text: str) -> None:
    with pytest.raises(BundleRefused, match="a, line 1: the fraction"):
        parse_yaml(text, what="a")
