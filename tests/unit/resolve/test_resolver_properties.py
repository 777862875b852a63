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
@given(
    resource=_resources([Change.UPDATE]),
    other=_STATES,
    differs=st.sets(st.sampled_from(sorted(_FIELDS)), max_size=2),
    scope=_SCOPES,
)
def test_a_former_state_is_resolved_as_if_it_stood_alone(
    resource: Resource,
    other: ResourceState,
    differs: set[str],
    scope: Scope,
    bundle: Bundle,
    now: Any,
) -> None:
    fields = {name: getattr(resource, name) for name in ResourceState.model_fields}
    fields |= {name: getattr(other, name) for name in differs}
    former = ResourceState(**{**fields, "images": ("server:1",), "labels": {"v": "1"}})

    _check_former(Resolver(bundle), resource, former, scope, now)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accelerators", (Accelerator(model="NVIDIA-L4", total=Range(min=1, max=1)),)),
        ("instance_type", "g6.xlarge"),
        ("lifetime", Lifetime(minutes=90, bounded=True)),
        ("model", Model(id="llama-3.1-70b")),
        ("nodes", Range(min=1, max=9)),
        ("ownership", Ownership(team="other")),
        ("price_kind", PriceKind.SPOT),
        ("provenance", {"/region": "declared"}),
        ("region", "eu-central-1"),
        ("region_constraint", RegionConstraint(required=("eu-west-2",))),
        ("replication", ("eu-west-2",)),
        ("unknown", {"/price_kind": Reason.AFTER_APPLY}),
        ("vendor", "gcp"),
        ("workers_per_copy", 3),
        ("zone", "us-east-1-bue-1a"),
    ],
)
def test_every_field_that_a_look_up_depends_on_tells_the_former_state_apart(
    field: str, value: Any, bundle: Bundle, capacity: Any, now: Any
) -> None:
    resource = capacity(change=Change.UPDATE)
    fields = {name: getattr(resource, name) for name in ResourceState.model_fields}

    _check_former(
        Resolver(bundle), resource, ResourceState(**{**fields, field: value}), Scope(), now
    )


def _check_former(
    resolver: Resolver, resource: Resource, former: ResourceState, scope: Scope, now: Any
) -> None:
    alone = resource.model_copy(update=dict(former) | {"before": None})
    updated = resource.model_copy(update={"before": former})

    [expected] = resolver.resolve(_request([alone], scope), now=now).resources
    [resolved] = resolver.resolve(_request([updated], scope), now=now).resources

    assert resolved.before is not None
    assert dict(resolved.before) == {name: getattr(expected, name) for name in dict(former)}
    assert (resolved.images, resolved.labels) == (resource.images, resource.labels)


def test_what_is_remembered_of_one_bundle_is_not_said_of_another(
    bundle: Bundle, workload: Any, now: Any
) -> None:
    catalog = bundle.data["catalog"]
    row = {**catalog["models"]["meta-llama/llama-3.1-70b"], "weight_bits": 8}
    models = {**catalog["models"], "meta-llama/llama-3.1-70b": row}
    offers = {"nvidia-l4": {"aws": {"*": {"micros_per_accelerator_hour": 7, "currency": "USD"}}}}
    data = {**bundle.data, "catalog": {**catalog, "models": models}, "index": {"offers": offers}}
    other = Bundle(bundle.ref, {}, data, {}, bundle.org)
    served = workload(model=Model(id="llama-3.1-70b"), vendor="aws")

    def look(of: Bundle) -> tuple[int | None, int | None]:
        [resource] = Resolver(of).resolve(_request([served], Scope()), now=now).resources
        return resource.fit.weight_bits, resource.cost.micros_per_hour.max

    assert (look(bundle), look(other)) == ((16, 2 * 804_800), (8, 2 * 7))


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
