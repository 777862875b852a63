from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.model.base import Reason
from service.model.resource import RegionConstraint
from service.resolve import regions


def test_a_country_comes_from_the_catalog_and_not_from_the_name(
    resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(region="eu-west-2"))

    assert resource.country == "GB"
    assert resource.jurisdictions == ("GDPR_ADEQUATE", "UK")
    assert resource.operator == "Amazon Web Services"
    assert resource.provenance["/country"] == "catalog"


def test_a_jurisdiction_holds_until_its_last_day_in_utc(resolve: Any, capacity: Any) -> None:
    last = datetime(2020, 1, 31, 23, 59, tzinfo=UTC)
    after = datetime(2020, 2, 1, 0, 0, tzinfo=UTC)

    assert resolve(capacity(region="eu-west-2"), at=last).jurisdictions == ("EU", "UK")
    assert resolve(capacity(region="eu-west-2"), at=after).jurisdictions == ("UK",)


def test_a_jurisdiction_with_a_condition_never_holds_on_its_own(
    resolve: Any, capacity: Any
) -> None:
    assert resolve(capacity()).jurisdictions == ("US",)


@pytest.mark.parametrize(
    ("vendor", "region"),
    [("aws", "aws-global"), ("azure", "germany"), ("aws", "mars-1"), ("nobody", "us-east-1")],
)
def test_what_is_no_single_known_place_has_no_country(
    vendor: str, region: str, resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(vendor=vendor, region=region))

    assert (resource.country, resource.jurisdictions) == (None, ())
    assert resource.unknown["/country"] is Reason.NOT_IN_CATALOG
    assert resource.unknown["/places/0/country"] is Reason.NOT_IN_CATALOG
    assert resource.places[0].region == region


def test_a_region_without_a_vendor_is_no_place(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(region="us-east-1"))

    assert resource.country is None
    assert resource.unknown["/country"] is Reason.UNDECLARED


def test_the_reason_of_the_region_is_that_of_the_country(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(region=None, unknown={"/region": Reason.AFTER_APPLY}))

    assert resource.places is None
    for pointer in ("/country", "/jurisdictions", "/places"):
        assert resource.unknown[pointer] is Reason.AFTER_APPLY


def test_a_region_is_found_by_its_zone(resolve: Any, capacity: Any) -> None:
    aws = resolve(capacity(region=None, zone="us-east-1a", unknown={"/region": Reason.UNDECLARED}))
    gcp = resolve(capacity(vendor="gcp", region=None, zone="europe-west4-b"))

    assert (aws.region, aws.country, aws.provenance["/region"]) == (
        "us-east-1",
        "US",
        "inferred:zone",
    )
    assert "/region" not in aws.unknown
    listed = resolve(capacity(vendor="coreweave", region=None, zone="EU-NORTH-02A"))
    assert (listed.region, listed.country) == ("EU-NORTH-02", "NO")
    assert gcp.region == "europe-west4"


@pytest.mark.parametrize("zone", ["us-east-1-bue-1a", "us-east-1-wl1-bos-wlz-1"])
def test_a_zone_outside_its_region_has_no_known_country(
    zone: str, resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(zone=zone))

    assert resource.country is None
    assert resource.unknown["/country"] is Reason.NOT_IN_CATALOG


@pytest.mark.parametrize("zone", ["us-east-1a", "use1-az1"])
def test_an_ordinary_zone_is_where_its_region_is(zone: str, resolve: Any, capacity: Any) -> None:
    assert resolve(capacity(zone=zone)).country == "US"


def test_a_region_is_known_as_a_person_writes_it(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(vendor="azure", region="West Europe"))

    assert (resource.region, resource.country) == ("westeurope", "NL")


def test_several_required_regions_are_all_places(resolve: Any, workload: Any) -> None:
    constraint = RegionConstraint(required=("europe-west4", "europe-west1"))
    resource = resolve(workload(vendor="gcp", region_constraint=constraint))
    alone = resolve(
        workload(vendor="gcp", region_constraint=RegionConstraint(required=("europe-west4",)))
    )

    assert [place.country for place in resource.places] == ["NL", "BE"]
    assert (resource.country, resource.unknown["/country"]) == (None, Reason.UNDECLARED)
    assert alone.country == "NL"


def test_a_target_of_replication_is_a_place_too(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(region="eu-central-1", replication=("us-east-1",)))

    assert [place.country for place in resource.places] == ["DE", "US"]
    assert resource.country == "DE"


def test_an_unlimited_workload_has_no_places(resolve: Any, workload: Any) -> None:
    resource = resolve(workload())

    assert resource.places is None
    assert resource.unknown["/places"] is Reason.UNDECLARED


def test_what_a_payload_says_of_its_country_is_replaced(resolve: Any, capacity: Any) -> None:
    claim = capacity(country="DE", jurisdictions=("EU",), operator="me")

    resource = resolve(claim)

    assert (resource.country, resource.jurisdictions) == ("US", ("US",))
    assert resource.operator == "Amazon Web Services"


def test_a_vendor_with_one_partition_has_one_operator(resolve: Any, workload: Any) -> None:
    known = resolve(workload(vendor="gcp"))
    several = resolve(workload(vendor="aws", unknown={"/region": Reason.AFTER_APPLY}))
    nowhere = resolve(workload(vendor="aws", region="mars-1"))
    nobody = resolve(workload(unknown={"/vendor": Reason.ELSEWHERE}))

    assert known.operator == "Google"
    assert several.unknown["/operator"] is Reason.AFTER_APPLY
    assert nowhere.unknown["/operator"] is Reason.NOT_IN_CATALOG
    assert nobody.unknown["/operator"] is Reason.ELSEWHERE


def test_a_zone_that_names_no_region_leaves_it_open(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(region=None, zone="1"))

    assert (resource.region, resource.country) == (None, None)


def test_places_are_remembered_for_a_bounded_number(
    resolve: Any, capacity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "_REMEMBERED", 1)

    assert resolve(capacity()).country == "US"
    assert resolve(capacity(region="eu-west-2")).country == "GB"
    assert resolve(capacity()).country == "US"
