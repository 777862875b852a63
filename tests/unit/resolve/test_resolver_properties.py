from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.bundle.values import Bundle
from service.errors import BundleRefused
from service.model.base import Basis, Change, PriceKind, Range, Reason, Role, Scope
from service.model.request import Request
from service.model.resource import (
    Accelerator,
    Lifetime,
    Model,
    Ownership,
    RegionConstraint,
    Resource,
    ResourceState,
    Sharing,
)
from service.resolve.resolver import Resolver

_SHARED = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_COUNTS = st.none() | st.integers(0, 64)
_REGIONS = st.sampled_from(
    [None, "us-east-1", "eu-central-1", "europe-west4", "West Europe", "aws-global", "mars-1"]
)
_ACCELERATORS = st.builds(
    Accelerator,
    manufacturer=st.sampled_from([None, "nvidia", "amd"]),
    model=st.sampled_from([None, "NVIDIA-L4", "NVIDIA-L4-SHARED", "mi300x", "mystery"]),
    slice=st.sampled_from([None, "1/8", "1g.10gb", "odd"]),
    sharing=st.sampled_from([None, *Sharing]),
    per_worker=_COUNTS,
    total=st.builds(Range, min=_COUNTS, max=_COUNTS),
)
_UNKNOWN = st.dictionaries(
    st.sampled_from(
        [
            "",
            "/region",
            "/vendor",
            "/instance_type",
            "/accelerators",
            "/accelerators/0/model",
            "/accelerators/0/total",
            "/nodes/max",
            "/model/id",
            "/price_kind",
            "/ownership/team",
            "/cost",
            "/country",
        ]
    ),
    st.sampled_from(list(Reason)),
    max_size=3,
)
_FIELDS: dict[str, Any] = {
    "vendor": st.sampled_from([None, "aws", "gcp", "azure", "nobody"]),
    "region": _REGIONS,
    "zone": st.sampled_from([None, "us-east-1a", "us-east-1-bue-1a", "europe-west4-b"]),
    "region_constraint": st.builds(
        RegionConstraint, required=st.lists(_REGIONS.filter(bool), max_size=2).map(tuple)
    ),
    "instance_type": st.sampled_from(
        [None, "p5.48xlarge", "g6f.large", "g2-standard-24", "m5.large", "x9.huge"]
    ),
    "nodes": st.builds(Range, min=_COUNTS, max=_COUNTS),
    "workers_per_copy": _COUNTS,
    "accelerators": st.none() | st.lists(_ACCELERATORS, max_size=2).map(tuple),
    "price_kind": st.sampled_from([None, *PriceKind]),
    "model": st.builds(
        Model, id=st.sampled_from([None, "llama-3.1-70b", "x/y-FP8"]), params_m=_COUNTS
    ),
    "ownership": st.builds(Ownership, team=st.sampled_from([None, "a", "b"])),
    "lifetime": st.builds(Lifetime, minutes=_COUNTS, bounded=st.none() | st.booleans()),
    "unknown": _UNKNOWN,
}
_STATES = st.builds(ResourceState, **_FIELDS)


def _resources(changes: list[Change]) -> st.SearchStrategy[Resource]:
    return st.builds(
        Resource,
        address=st.sampled_from(["a", "b", "c"]),
        subject=st.just("s"),
        kind=st.just("kind"),
        role=st.sampled_from(list(Role)),
        change=st.sampled_from(changes),
        before=st.none() | _STATES,
        **_FIELDS,
    )


_SCOPES = st.builds(
    Scope,
    cluster=st.sampled_from([None, "eu-prod", "eu-2", "us-1"]),
    namespace=st.sampled_from([None, "health", "search"]),
)


def _request(resources: list[Resource], scope: Scope) -> Request:
    return Request(
        key="k",
        enforcement_point="api",
        operation="create",
        binding="binding",
        scope=scope,
        resources=tuple(resources),
    )


@_SHARED
@given(resources=st.lists(_resources(list(Change)), max_size=3), scope=_SCOPES)
def test_resolving_again_changes_nothing(
    resources: list[Resource], scope: Scope, bundle: Bundle, now: Any
) -> None:
    resolver = Resolver(bundle)
    once = resolver.resolve(_request(resources, scope), now=now)

    assert resolver.resolve(once, now=now) == once


@_SHARED
@given(resources=st.lists(_resources(list(Change)), max_size=3), scope=_SCOPES)
def test_the_result_is_a_valid_request_and_the_same_each_time(
    resources: list[Resource], scope: Scope, bundle: Bundle, now: Any
) -> None:
    resolved = Resolver(bundle).resolve(_request(resources, scope), now=now)

    assert Request.model_validate_json(resolved.model_dump_json()) == resolved
    assert Resolver(bundle).resolve(_request(resources, scope), now=now) == resolved


@_SHARED
@given(resource=_resources([Change.CREATE]), scope=_SCOPES)
def test_what_is_not_known_is_null_with_a_reason_and_never_zero(
    resource: Resource, scope: Scope, bundle: Bundle, now: Any
) -> None:
    [resolved] = Resolver(bundle).resolve(_request([resource], scope), now=now).resources

    if resolved.country is None:
        assert resolved.jurisdictions == ()
        assert "" in resolved.unknown or "/country" in resolved.unknown
    if resolved.cost.basis is Basis.UNKNOWN:
        assert resolved.cost.micros_per_hour == Range()
        assert resolved.accelerators == () or {"", "/cost"} & set(resolved.unknown)
    for item, asked in zip(resolved.accelerators or (), resource.accelerators or (), strict=False):
        assert not (item.total.max == 0 and asked.total.max is None and resource.nodes.max is None)


@_SHARED
@given(resources=st.lists(_resources([Change.DELETE]), max_size=4), scope=_SCOPES)
def test_deletions_alone_never_add_anything(
    resources: list[Resource], scope: Scope, bundle: Bundle, now: Any
) -> None:
    for total in Resolver(bundle).resolve(_request(resources, scope), now=now).context.totals:
        assert total.firm_micros_per_hour <= 0
        assert total.estimated_micros_per_hour <= 0
        assert total.accelerators <= 0
        assert total.unpriced == ()


@pytest.mark.parametrize(
    "name",
    ["accelerators", "instance_types", "instance_families", "prices", "regions", "countries"],
)
def test_a_bundle_without_a_table_is_refused(name: str, bundle: Bundle) -> None:
    catalog = {key: rows for key, rows in bundle.data["catalog"].items() if key != name}
    broken = Bundle(bundle.ref, {}, {**bundle.data, "catalog": catalog}, {}, bundle.org)

    with pytest.raises(BundleRefused, match=f"the catalog has no table `{name}`"):
        Resolver(broken)


def test_the_moment_is_written_in_utc(bundle: Bundle, now: Any) -> None:
    resolved = Resolver(bundle).resolve(_request([], Scope()), now=now)

    assert resolved.context.now == "2026-11-23T12:00:00.000Z"
    assert resolved.context.totals == ()
