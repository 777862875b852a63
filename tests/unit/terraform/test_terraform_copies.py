"""Copies of a bucket: whose data they hold, and where the buckets of the plan say they go."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.terraform.normalise import normalise_plan
from service.errors import RequestRefused
from service.model.base import Reason, Scope
from service.model.resource import Data, Resource

KIND = "aws_s3_bucket_replication_configuration"


def entry(kind: str, name: str, after: Any, **change: Any) -> dict[str, Any]:
    return {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "name": name,
        "change": {"actions": ["create"], "before": None, "after": after, **change},
    }


def bucket(name: str, region: str | None, *, address: str = "", **tags: str) -> dict[str, Any]:
    after = {"bucket": f"acme-{name}", "region": region, "tags": tags}
    made = entry("aws_s3_bucket", name, after)
    return {**made, "address": address or made["address"]}


def copying(
    *buckets: dict[str, Any], after: Any, expressions: Any = None, **change: Any
) -> Resource:
    """The replication that *after* asks for, in a plan with *buckets*."""
    plan: dict[str, Any] = {
        "format_version": "1.2",
        "resource_changes": [*buckets, entry(KIND, "one", after, **change)],
    }
    if expressions is not None:
        declared = {"mode": "managed", "type": KIND, "name": "one", "expressions": expressions}
        plan["configuration"] = {"root_module": {"resources": [declared]}}
    resources = normalise_plan(plan, scope=Scope(), caller="test", key="key").resources
    return resources[-1]


def rule(*targets: str | None) -> dict[str, Any]:
    return {"destination": [{"bucket": target} for target in targets]}


SOURCE = bucket("source", "eu-central-1", **{"portreeve:data-class": "health", "Team": "clinic"})


def test_the_copies_hold_what_their_source_holds() -> None:
    found = copying(SOURCE, after={"bucket": "acme-source", "rule": []})

    assert found.data == (Data(data_class="health"),)
    assert found.ownership.team == "clinic"
    assert found.replication == ()
    assert "/replication" not in found.unknown


def test_a_target_is_where_the_bucket_of_that_name_is() -> None:
    targets = (bucket("paris", "eu-west-3"), bucket("ohio", "us-east-2"))
    rules = [rule("arn:aws:s3:::acme-paris"), rule("arn:aws:s3:::acme-ohio")]

    found = copying(SOURCE, *targets, after={"bucket": "acme-source", "rule": rules})

    assert found.replication == ("eu-west-3", "us-east-2")
    assert "/replication" not in found.unknown


def test_a_target_is_where_the_bucket_that_is_referred_to_is() -> None:
    references = {"references": ["aws_s3_bucket.paris.arn", "aws_s3_bucket.paris"]}
    found = copying(
        SOURCE,
        bucket("paris", "eu-west-3"),
        after={"bucket": "acme-source", "rule": [rule(None)]},
        after_unknown={"rule": [{"destination": [{"bucket": True}]}]},
        expressions={"rule": [{"destination": [{"bucket": references}]}]},
    )

    assert found.replication == ("eu-west-3",)


@pytest.mark.parametrize(
    "expressions",
    [
        None,
        {},
        {"rule": {}},
        {"rule": []},
        {"rule": [{"destination": [{"bucket": {"references": ["aws_s3_bucket.other.arn"]}}]}]},
    ],
)
def test_a_target_that_cannot_be_found_is_elsewhere(expressions: Any) -> None:
    found = copying(
        SOURCE,
        after={"bucket": "acme-source", "rule": [rule(None)]},
        after_unknown={"rule": [{"destination": [{"bucket": True}]}]},
        expressions=expressions,
    )

    assert found.unknown["/replication"] is Reason.ELSEWHERE


@pytest.mark.parametrize(
    "targets",
    [
        [],
        [bucket("paris", None)],
        [bucket("paris", "eu-west-3"), bucket("paris", "us-east-2", address="module.b.x")],
    ],
)
def test_a_target_without_one_known_region_is_elsewhere(targets: list[dict[str, Any]]) -> None:
    after = {"bucket": "acme-source", "rule": [rule("arn:aws:s3:::acme-paris")]}

    found = copying(SOURCE, *targets, after=after)

    assert found.replication == ()
    assert found.unknown["/replication"] is Reason.ELSEWHERE


@pytest.mark.parametrize("hidden", [{"rule": True}, {"rule": [{"destination": True}]}])
def test_rules_that_are_still_to_come_may_copy_anywhere(hidden: Any) -> None:
    after = {"bucket": "acme-source", "rule": [{"destination": None}]}

    found = copying(SOURCE, after=after, after_unknown=hidden)

    assert found.unknown["/replication"] is Reason.AFTER_APPLY


def test_what_a_source_outside_of_the_plan_holds_is_not_known() -> None:
    found = copying(after={"bucket": "acme-source", "rule": []})

    assert found.data == ()
    assert found.unknown["/data"] is Reason.ELSEWHERE


def test_rules_that_no_provider_writes_are_refused() -> None:
    with pytest.raises(RequestRefused, match="expected a list"):
        copying(SOURCE, after={"bucket": "acme-source", "rule": "all"})
