"""Where stores of data keep it: their place, their copies, and what is not known of them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.terraform.normalise import normalise_plan
from service.errors import RequestRefused
from service.model.base import Reason, Role, Scope
from service.model.resource import Asset, Data, Resource


def store(kind: str, after: Any, expressions: Any = None, **change: Any) -> Resource:
    entry = {
        "address": f"{kind}.one",
        "mode": "managed",
        "type": kind,
        "name": "one",
        "change": {"actions": ["create"], "before": None, "after": after, **change},
    }
    plan: dict[str, Any] = {"format_version": "1.2", "resource_changes": [entry]}
    if expressions is not None:
        declared = {"mode": "managed", "type": kind, "name": "one", "expressions": expressions}
        plan["configuration"] = {"root_module": {"resources": [declared]}}
    (resource,) = normalise_plan(plan, scope=Scope(), caller="test", key="key").resources
    return resource


class TestAnyStore:
    """What all of them have in common."""

    def test_takes_no_machines_and_no_accelerators(self) -> None:
        found = store("google_storage_bucket", {"location": "EUROPE-WEST4"})

        assert (found.role, found.instance_type, found.price_kind) == (Role.CAPACITY, None, None)
        assert found.accelerators == ()
        assert (found.nodes.min, found.nodes.max) == (None, None)
        assert found.unknown == {}

    def test_has_the_data_that_its_tags_declare(self) -> None:
        tags = {"portreeve:data-class": "personal", "portreeve:data-asset": "logs"}

        found = store("aws_s3_bucket", {"region": "eu-central-1", "tags": tags})

        assert found.data == (Data(data_class="personal", asset=Asset.LOGS),)


class TestGoogleBucket:
    """A region, a location of several, or a pair that somebody chose."""

    @pytest.mark.parametrize(
        ("location", "region"),
        [
            ("EUROPE-WEST4", "europe-west4"),
            ("EU", "eu"),
            ("US", "us"),
            ("ASIA", "asia"),
            ("eur4", "eur4"),
        ],
    )
    def test_is_where_its_location_says(self, location: str, region: str) -> None:
        assert store("google_storage_bucket", {"location": location}).region == region

    def test_with_a_pair_of_its_own_is_replicated_to_the_second(self) -> None:
        pair = [{"data_locations": ["EUROPE-WEST3", "EUROPE-WEST9"]}]

        found = store("google_storage_bucket", {"location": "EU", "custom_placement_config": pair})

        assert (found.region, found.replication) == ("europe-west3", ("europe-west9",))

    def test_without_a_known_location_is_nowhere(self) -> None:
        found = store(
            "google_storage_bucket",
            {},
            {"location": {"references": ["var.location"]}},
            after_unknown={"location": True},
        )

        assert found.region is None
        assert found.unknown["/region"] is Reason.AFTER_APPLY

    def test_with_a_location_that_is_no_name_is_not_in_the_catalog(self) -> None:
        found = store("google_storage_bucket", {"location": "somewhere else?"})

        assert found.unknown["/region"] is Reason.NOT_IN_CATALOG

    @pytest.mark.parametrize(
        ("locations", "hidden", "reason"),
        [
            (["EUROPE-WEST3", None], [False, True], Reason.AFTER_APPLY),
            (["EUROPE-WEST3", None], False, Reason.UNDECLARED),
            (["EUROPE-WEST3", "somewhere else?"], False, Reason.NOT_IN_CATALOG),
            (None, True, Reason.AFTER_APPLY),
        ],
    )
    def test_with_a_pair_that_is_not_known_may_be_replicated_anywhere(
        self, locations: Any, hidden: Any, reason: Reason
    ) -> None:
        found = store(
            "google_storage_bucket",
            {"location": "EU", "custom_placement_config": [{"data_locations": locations}]},
            after_unknown={"custom_placement_config": [{"data_locations": hidden}]},
        )

        assert found.replication == ()
        assert found.unknown == {"/replication": reason}

    def test_with_an_unreadable_pair_is_refused(self) -> None:
        pair = [{"data_locations": "EU"}]

        with pytest.raises(RequestRefused, match="expected a list"):
            store("google_storage_bucket", {"location": "EU", "custom_placement_config": pair})


class TestAzureAccount:
    """Some kinds of redundancy keep a copy in the region's pair."""

    @pytest.mark.parametrize(
        ("kind", "redundant"),
        [
            ("LRS", False),
            ("ZRS", False),
            ("GRS", True),
            ("RAGRS", True),
            ("GZRS", True),
            ("RAGZRS", True),
            ("grs", True),
            (None, None),
        ],
    )
    def test_says_by_its_kind_whether_there_is_a_copy(
        self, kind: str | None, *, redundant: bool | None
    ) -> None:
        found = store(
            "azurerm_storage_account",
            {"location": "Brazil South", "account_replication_type": kind},
        )

        assert (found.region, found.geo_redundant) == ("brazilsouth", redundant)
        assert found.unknown == {}

    def test_of_a_kind_that_nobody_knows_may_have_a_copy(self) -> None:
        new = store("azurerm_storage_account", {"account_replication_type": "XRS"})
        later = store(
            "azurerm_storage_account", {}, after_unknown={"account_replication_type": True}
        )

        assert new.unknown["/geo_redundant"] is Reason.NOT_IN_CATALOG
        assert later.unknown["/geo_redundant"] is Reason.AFTER_APPLY


class TestAwsBucket:
    """Copies go to another bucket, whose region the block does not say."""

    def test_with_replication_has_copies_elsewhere(self) -> None:
        block = [{"role": "arn:aws:iam::1:role/r", "rules": [{"id": "all"}]}]

        found = store("aws_s3_bucket", {"region": "x-1", "replication_configuration": block})

        assert found.unknown["/replication"] is Reason.ELSEWHERE

    def test_without_replication_has_none(self) -> None:
        found = store("aws_s3_bucket", {"region": "eu-west-3", "replication_configuration": []})

        assert (found.region, found.unknown) == ("eu-west-3", {})

    @pytest.mark.parametrize(
        ("expressions", "is_open"), [({}, False), ({"replication_configuration": [{}]}, True)]
    )
    def test_that_leaves_the_block_open_has_copies_only_where_it_is_configured(
        self, expressions: Any, *, is_open: bool
    ) -> None:
        found = store(
            "aws_s3_bucket",
            {"region": "eu-west-3"},
            expressions,
            after_unknown={"replication_configuration": True},
        )

        assert ("/replication" in found.unknown) is is_open
