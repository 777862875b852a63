from __future__ import annotations

from typing import Any

import pytest

from service.model.base import Reason
from service.model.resource import Contradiction, Data, Ownership, RegionConstraint
from service.resolve import scopes


def test_the_scope_goes_before_a_label(resolve: Any, workload: Any) -> None:
    resource = resolve(
        workload(ownership=Ownership(team="rivals", owner="kim")), namespace="search"
    )

    assert resource.ownership.team == "search"
    assert resource.ownership.owner == "kim"
    assert resource.provenance["/ownership/team"] == "scope"


def test_a_label_counts_where_the_scope_says_nothing(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(ownership=Ownership(team="vision")), namespace="elsewhere")

    assert resource.ownership.team == "vision"
    assert "/ownership/team" not in resource.provenance


def test_a_declaration_that_the_scope_overrules_is_a_contradiction(
    resolve: Any, workload: Any
) -> None:
    declared = Ownership(team="rivals", cost_center="cc-9", project="atlas", org="elsewhere")

    resource = resolve(workload(ownership=declared), namespace="search")

    assert resource.contradictions == (
        Contradiction(field="/ownership/team", declared="rivals", stated="search"),
        Contradiction(field="/ownership/cost_center", declared="cc-9", stated="cc-7"),
    )
    assert "/contradictions" not in resource.unknown


def test_what_agrees_or_was_not_declared_contradicts_nothing(resolve: Any, workload: Any) -> None:
    agreeing = workload(ownership=Ownership(team="Search", cost_center="CC-7"))
    tagged = workload(
        ownership=Ownership(team="rivals"), provenance={"/ownership/team": "inferred:tag"}
    )

    assert resolve(agreeing, namespace="search").contradictions == ()
    assert resolve(tagged, namespace="search").contradictions == ()
    assert resolve(workload(), namespace="search").contradictions == ()


def test_a_payload_cannot_state_contradictions_itself(resolve: Any, workload: Any) -> None:
    claimed = (Contradiction(field="/ownership/team", declared="a", stated="b"),)

    assert resolve(workload(contradictions=claimed)).contradictions == ()


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.AFTER_APPLY, Reason.AFTER_APPLY),
        (Reason.SENSITIVE, Reason.SENSITIVE),
        (Reason.UNDECLARED, None),
    ],
)
def test_a_declaration_that_cannot_be_seen_yet_may_contradict(
    resolve: Any, workload: Any, reason: Reason, expected: Reason | None
) -> None:
    hidden = workload(unknown={"/ownership/team": reason})

    resource = resolve(hidden, namespace="search")

    assert resource.ownership.team == "search"
    assert resource.unknown.get("/contradictions") is expected


def test_contradictions_stay_when_a_request_is_resolved_again(resolve: Any, workload: Any) -> None:
    declared = workload(ownership=Ownership(team="rivals"))
    hidden = workload(unknown={"/ownership/team": Reason.AFTER_APPLY})

    for resource in (declared, hidden):
        once = resolve(resource, namespace="search")

        assert resolve(once, namespace="search") == once


def test_the_first_matching_rule_that_states_a_value_wins(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(), cluster="eu-prod", namespace="search")

    assert (resource.ownership.team, resource.ownership.environment) == ("search", "production")


def test_a_pattern_matches_by_its_beginning_and_never_an_absent_field(
    resolve: Any, workload: Any
) -> None:
    assert resolve(workload(), cluster="eu-7").vendor == "gcp"
    assert resolve(workload(), cluster="us-7").vendor is None
    assert resolve(workload(), account="eu-7").vendor is None


def test_data_classes_are_a_floor_of_every_matching_rule(resolve: Any, workload: Any) -> None:
    declared = (Data(data_class="internal"), Data(data_class="personal"))

    resource = resolve(workload(data=declared), cluster="eu-prod", namespace="health")

    assert [item.data_class for item in resource.data] == ["internal", "personal", "health"]
    assert resource.provenance["/data/2"] == "scope"


def test_the_region_of_capacity_is_not_a_claim_that_a_scope_may_replace(
    resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(), cluster="eu-prod")

    assert (resource.vendor, resource.region, resource.country) == ("aws", "us-east-1", "US")


def test_a_scope_does_not_fill_in_a_region_that_is_known_only_after_apply(
    resolve: Any, capacity: Any
) -> None:
    hidden = capacity(vendor="gcp", region=None, unknown={"/region": Reason.AFTER_APPLY})
    elsewhere = capacity(vendor="gcp", region=None, unknown={"/region": Reason.ELSEWHERE})

    assert resolve(hidden, cluster="eu-prod").unknown["/country"] is Reason.AFTER_APPLY
    filled = resolve(elsewhere, cluster="eu-prod")
    assert (filled.region, filled.country) == ("europe-west4", "NL")
    assert "/region" not in filled.unknown


def test_a_region_of_one_vendor_is_not_that_of_what_is_bought_from_another(
    resolve: Any, capacity: Any
) -> None:
    unplaced = capacity(region=None, unknown={"/region": Reason.UNDECLARED})

    resource = resolve(unplaced, cluster="eu-prod")

    assert (resource.vendor, resource.region) == ("aws", None)
    assert resource.unknown["/region"] is Reason.UNDECLARED


def test_a_required_region_beside_another_one_of_the_scope_leaves_both_possible(
    resolve: Any, workload: Any
) -> None:
    pinned = workload(region="us-east1", region_constraint=RegionConstraint(required=("us-east1",)))
    within = workload(region_constraint=RegionConstraint(required=("europe-west4", "us-east1")))

    assert [p.country for p in resolve(pinned, cluster="eu-prod").places] == ["NL", "US"]
    assert [p.country for p in resolve(within, cluster="eu-prod").places] == ["NL"]


def test_what_is_remembered_of_scopes_is_bounded(
    resolve: Any, workload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scopes, "_REMEMBERED", 1)

    assert resolve(workload(), cluster="eu-prod").vendor == "gcp"
    assert resolve(workload(), cluster="us-1").vendor is None
    assert resolve(workload(), cluster="eu-prod").vendor == "gcp"
