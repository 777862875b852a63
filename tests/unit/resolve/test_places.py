from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.model.base import Reason
from service.model.resource import Place, PlaceUse, RegionConstraint
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
    resource = resolve(capacity())

    assert resource.jurisdictions == ("US",)
    assert resource.places[0].conditional == ("GDPR_ADEQUATE",)


@pytest.mark.parametrize(
    ("day", "conditional"),
    [
        (datetime(2016, 7, 11, tzinfo=UTC), ()),
        (datetime(2020, 7, 16, tzinfo=UTC), ("GDPR_ADEQUATE",)),
        (datetime(2020, 7, 17, tzinfo=UTC), ()),
        (datetime(2023, 7, 10, tzinfo=UTC), ("GDPR_ADEQUATE",)),
    ],
)
def test_a_condition_is_of_use_while_its_jurisdiction_holds(
    day: datetime, conditional: tuple[str, ...], resolve: Any, capacity: Any
) -> None:
    assert resolve(capacity(), at=day).places[0].conditional == conditional


def test_a_jurisdiction_that_holds_anyway_has_no_condition(resolve: Any, capacity: Any) -> None:
    place = resolve(capacity(region="eu-west-2")).places[0]

    assert "GDPR_ADEQUATE" in place.jurisdictions
    assert place.conditional == ()


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
    assert [place.use for place in resource.places] == [PlaceUse.REGION, PlaceUse.REPLICATION]
    assert resource.country == "DE"


def test_a_target_of_replication_in_the_region_itself_is_no_other_place(
    resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(region="eu-central-1", replication=("eu-central-1",)))

    assert [place.use for place in resource.places] == [PlaceUse.REGION]


def test_the_pair_of_the_region_is_a_place_where_the_vendor_keeps_a_copy(
    resolve: Any, capacity: Any
) -> None:
    paired = resolve(capacity(vendor="azure", region="Brazil South", geo_redundant=True))
    alone = resolve(capacity(vendor="azure", region="brazilsouth", geo_redundant=False))

    assert [(place.region, place.use, place.country) for place in paired.places] == [
        ("brazilsouth", PlaceUse.REGION, "BR"),
        ("southcentralus", PlaceUse.PAIRED, "US"),
    ]
    assert len(alone.places) == 1


@pytest.mark.parametrize(("vendor", "region"), [("azure", "westeurope"), (None, "westeurope")])
def test_a_pair_that_the_catalog_lacks_leaves_the_copies_open(
    vendor: str | None, region: str, resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(vendor=vendor, region=region, geo_redundant=True))

    assert resource.unknown["/replication"] is Reason.NOT_IN_CATALOG


def test_a_place_says_what_it_is_and_what_it_is_for(resolve: Any, workload: Any) -> None:
    constraint = RegionConstraint(required=("europe-west4",))
    (required,) = resolve(workload(vendor="gcp", region_constraint=constraint)).places
    (logical,) = resolve(workload(vendor="azure", region="Germany")).places
    (odd,) = resolve(workload(vendor="aws", region="mars-1")).places

    assert (required.kind, required.use) == ("physical", PlaceUse.REQUIRED)
    assert logical == Place(region="germany", kind="logical", use=PlaceUse.REGION)
    assert odd == Place(region="mars-1", use=PlaceUse.REGION)


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


def test_the_homes_of_an_operator_and_its_parent_are_those_of_the_partition(
    resolve: Any, capacity: Any
) -> None:
    commercial = resolve(capacity(region="eu-central-1"))
    sovereign = resolve(capacity(region="eusc-de-east-1"))

    assert commercial.operator_countries == ("US",)
    assert commercial.operator_jurisdictions == {"US": ("US",)}
    assert commercial.provenance["/operator_countries"] == "catalog"
    assert sovereign.operator == "AWS European Sovereign Cloud GmbH"
    assert sovereign.operator_countries == ("DE", "US")
    assert sovereign.operator_jurisdictions == {"DE": ("DE", "EU"), "US": ("US",)}


def test_the_home_of_a_parent_that_is_not_known_is_said_to_be_missing(
    resolve: Any, capacity: Any
) -> None:
    partly = resolve(capacity(vendor="coreweave", region="EU-NORTH-02"))
    nobody = resolve(capacity(vendor="nobody", region="mars-1"))

    assert partly.operator_countries == ("US",)
    assert partly.unknown["/operator_countries"] is Reason.NOT_IN_CATALOG
    assert (nobody.operator_countries, nobody.operator_jurisdictions) == ((), {})
    assert nobody.unknown["/operator_countries"] is Reason.NOT_IN_CATALOG


def test_what_a_payload_says_of_its_operator_is_replaced(resolve: Any, capacity: Any) -> None:
    claim = capacity(operator_countries=("DE",), operator_jurisdictions={"US": ("EU",)})

    resource = resolve(claim)

    assert resource.operator_countries == ("US",)
    assert resource.operator_jurisdictions == {"US": ("US",)}
