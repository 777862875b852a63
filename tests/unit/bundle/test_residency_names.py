"""What an organisation says about places is about places that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.errors import BundleRefused

_CERTIFICATE = (
    "residency: {certified: [{operator: %s, country: %s, jurisdiction: %s, valid_until: %s}]}"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "data_classes: {a: {operators: {jurisdictions: [EUROPE]}}}",
            "`EUROPE` at `/data_classes/a/operators/jurisdictions` is no known jurisdiction",
        ),
        (
            "data_classes: {a: {operators: {countries: [UK]}}}",
            "`UK` at `/data_classes/a/operators/countries` is no country of ISO 3166-1",
        ),
        (
            "data_classes: {a: {operators: {accepted: [AWS]}}}",
            "`AWS` at `/data_classes/a/operators/accepted` is no operator of the catalog",
        ),
        (
            "data_classes: {a: {assets: {logs: {countries: [UK]}}}}",
            "`UK` at `/data_classes/a/assets/logs/countries` is no country of ISO 3166-1",
        ),
        ("data_classes: {a: {assets: {pictures: {}}}}", "`pictures` at `/data_classes/a/assets"),
        (
            "residency: {accepted_locations: {gcp: {europe: []}}}",
            "`europe` at `/residency/accepted_locations/gcp/europe` is no location of `gcp`",
        ),
        (
            "residency: {accepted_locations: {gcp: {europe-west4: []}}}",
            "`europe-west4` at `/residency/accepted_locations/gcp/europe-west4` is no location",
        ),
        (
            "residency: {accepted_locations: {google: {eu: []}}}",
            "`eu` at `/residency/accepted_locations/google/eu` is no location of `google`",
        ),
        (
            "residency: {accepted_locations: {gcp: {eu: [a]}}}",
            "`a` at `/residency/accepted_locations/gcp/eu` is no class in data_classes",
        ),
        (
            _CERTIFICATE % ("AWS", "US", "GDPR_ADEQUATE", "2027-01-31"),
            "`AWS` at `/residency/certified/0/operator` is no operator of the catalog",
        ),
        (
            _CERTIFICATE % ("Google", "US", "EU", "2027-01-31"),
            "`EU` at `/residency/certified/0/jurisdiction` is no jurisdiction that `US` is in",
        ),
        (
            _CERTIFICATE % ("Google", "GB", "GDPR_ADEQUATE", "2027-01-31"),
            "`GDPR_ADEQUATE` at `/residency/certified/0/jurisdiction` is no jurisdiction that `GB`",
        ),
        (
            _CERTIFICATE % ("Google", "US", "GDPR_ADEQUATE", "2027-1-31"),
            "`2027-1-31` at `/residency/certified/0/valid_until`: ",
        ),
    ],
)
def test_name_that_nothing_has_is_refused(project: Path, text: str, said: str) -> None:
    (project / "org/more.yaml").write_text(text)

    with pytest.raises(BundleRefused) as caught:
        build(project)

    assert caught.value.message.startswith(f"toy/org/more.yaml: {said}")


def test_what_exists_is_taken(project: Path) -> None:
    (project / "org/more.yaml").write_text(
        "data_classes:\n"
        "  a:\n"
        "    jurisdictions: [EU]\n"
        "    operators: {jurisdictions: [EU], countries: [CH], accepted: [Google]}\n"
        "    assets: {prompts: {countries: [DE]}, weights: {}}\n"
        "residency:\n"
        "  accepted_locations: {gcp: {eu: [a], global: []}, azure: {europe: [a]}}\n"
        "  certified:\n"
        "    - {operator: Google, country: US, jurisdiction: GDPR_ADEQUATE, "
        "valid_until: 2027-01-31}\n"
    )

    org = build(project).data["org"]

    assert org["data_classes"]["a"]["assets"]["weights"] == {"jurisdictions": [], "countries": []}
    assert org["residency"]["accepted_locations"]["gcp"] == {"eu": ["a"], "global": []}
    assert org["residency"]["certified"][0]["valid_until"] == "2027-01-31"
