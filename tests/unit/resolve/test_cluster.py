"""What a watched cluster adds to what is known of a resource."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from service.bundle.values import Bundle
from service.model.base import Binding, EnforcementPoint, Reason, Scope
from service.model.cluster import ClusterFacts, NamespaceFacts, NodeGroup
from service.model.request import Context, Request
from service.model.resource import (
    Accelerator,
    Contradiction,
    Data,
    Lifetime,
    Model,
    Ownership,
    Purpose,
    RegionConstraint,
    Resource,
    ResourceState,
    Sharing,
    Throughput,
)
from service.resolve.resolver import Resolver

NOW = datetime(2026, 11, 23, 12, 0, 10, 250_000, tzinfo=UTC)
Workload = Callable[..., Resource]


@pytest.fixture
def resolved(bundle: Bundle) -> Callable[..., Request]:
    resolver = Resolver(bundle)

    def run(
        resource: Resource,
        *nodes: NodeGroup,
        declared: dict[str, str] | None = None,
        again: int = 0,
        grows: bool = False,
        **scope: str,
    ) -> Request:
        where = Scope(**{"cluster": "lab", "namespace": "vision", **scope})
        namespace = NamespaceFacts(name="vision", declared=declared or {})
        facts = ClusterFacts(
            as_of="2026-11-23T12:00:00.000Z", namespace=namespace, nodes=nodes, grows=grows
        )
        request = Request(
            key="k",
            enforcement_point=EnforcementPoint.KUBERNETES,
            operation="CREATE",
            binding=Binding.BINDING,
            scope=where,
            resources=(resource,),
            context=Context(cluster=facts),
        )
        for _ in range(again + 1):
            request = resolver.resolve(request, now=NOW)
        return request

    return run


def group(**fields: Any) -> NodeGroup:
    defaults: dict[str, Any] = {
        "resource": "nvidia.com/gpu",
        "manufacturer": "nvidia",
        "product": "NVIDIA-H100-80GB-HBM3",
        "vendor": "aws",
        "region": "eu-central-1",
        "nodes": 2,
    }
    return NodeGroup(**{**defaults, **fields})


def item(**fields: Any) -> tuple[Accelerator]:
    defaults = {"resource": "nvidia.com/gpu", "manufacturer": "nvidia", "per_worker": 1}
    return (Accelerator(**{**defaults, **fields}),)


def first(request: Request) -> Resource:
    return request.resources[0]


def test_the_context_says_how_old_it_is_and_what_the_nodes_have(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    nodes = (group(), group(product="unheard"), group(product=None))

    found = resolved(workload(), *nodes).context.cluster

    assert found is not None
    assert found.age_seconds == 11
    assert [one.model for one in found.nodes or ()] == ["nvidia-h100-sxm", None, None]


def test_a_view_from_the_future_is_not_old(bundle: Bundle) -> None:
    facts = ClusterFacts(as_of="2027-01-01T00:00:00.000Z")
    request = Request(
        key="k",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding=Binding.BINDING,
        context=Context(cluster=facts),
    )

    found = Resolver(bundle).resolve(request, now=NOW).context.cluster

    assert found is not None
    assert found.age_seconds == 0


def test_a_workload_has_what_all_of_its_nodes_have(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    asks = workload(accelerators=item())
    resource = first(resolved(asks, group(zone="a"), group(zone="b")))

    assert (resource.vendor, resource.region, resource.country) == ("aws", "eu-central-1", "DE")
    (accelerator,) = resource.accelerators or ()
    assert accelerator.model == "nvidia-h100-sxm"
    for pointer in ("/vendor", "/region", "/accelerators/0/model"):
        assert resource.provenance[pointer] == "inferred:cluster"
    assert first(resolved(asks, group(zone="a"), group(zone="b"), again=1)) == resource


def test_nodes_that_differ_say_nothing(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    other = group(vendor="gcp", region="europe-west4", product="NVIDIA-L4")
    resource = first(resolved(workload(accelerators=item()), group(), other))

    assert (resource.vendor, resource.region) == (None, None)
    assert (resource.accelerators or ())[0].model is None
    assert resource.unknown["/accelerators/0/model"] is Reason.UNDECLARED


def test_nodes_that_may_be_added_may_have_another_model(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    resource = first(resolved(workload(accelerators=item()), group(), grows=True))

    assert (resource.vendor, resource.region) == ("aws", "eu-central-1")
    assert (resource.accelerators or ())[0].model is None


def test_nodes_with_another_model_are_no_nodes_for_it(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    other = group(vendor="gcp", region="europe-west4", product="NVIDIA-L4")
    resource = first(resolved(workload(accelerators=item(model="L4")), group(), other))

    assert (resource.vendor, resource.region) == ("gcp", "europe-west4")
    assert resource.provenance["/accelerators/0/model"] == "catalog"


@pytest.mark.parametrize(
    "fields",
    [{"vendor": None, "region": None, "product": None}, {"resource": "amd.com/gpu"}],
)
def test_what_nodes_do_not_say_stays_open(
    fields: dict[str, Any], resolved: Callable[..., Request], workload: Workload
) -> None:
    resource = first(resolved(workload(accelerators=item()), group(**fields)))

    assert (resource.vendor, resource.region) == (None, None)
    assert (resource.accelerators or ())[0].model is None


def test_without_nodes_nothing_is_said(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    resource = first(resolved(workload(accelerators=item())))

    assert (resource.vendor, resource.region) == (None, None)


def test_a_node_may_say_that_its_cards_are_divided(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    shared = group(product="NVIDIA-L4-SHARED")
    (found,) = first(resolved(workload(accelerators=item()), shared)).accelerators or ()

    assert (found.model, found.sharing) == ("nvidia-l4", Sharing.TIME_SLICED)


def test_a_product_of_another_maker_is_not_taken_for_it(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    odd = group(product="mi300x")

    assert (first(resolved(workload(accelerators=item()), odd)).accelerators or ())[0].model is None


def test_a_device_of_a_claim_is_on_the_nodes_of_its_maker(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    claimed = workload(accelerators=item(resource="gpu.nvidia.com"))
    nameless = workload(accelerators=item(resource="gpu.example.com", manufacturer=None))

    assert first(resolved(claimed, group(resource=None))).region == "eu-central-1"
    assert first(resolved(nameless, group(resource=None))).region is None


def test_accelerators_that_nobody_can_name_are_on_any_of_the_nodes(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    hidden = workload(accelerators=None, unknown={"/accelerators": Reason.ELSEWHERE})

    assert first(resolved(hidden, group())).region == "eu-central-1"
    assert first(resolved(hidden, group(), group(region="us-east-1"))).region is None


def test_every_kind_of_accelerator_needs_its_nodes(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    both = workload(accelerators=item() + item(resource="amd.com/gpu", manufacturer="amd"))

    assert first(resolved(both, group())).region is None


def test_excluded_regions_are_none_of_its_own(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    away = RegionConstraint(excluded=("us-east-1",))
    asks = workload(accelerators=item(), region_constraint=away)

    assert first(resolved(asks, group(), group(region="us-east-1"))).region == "eu-central-1"


def test_what_is_known_already_is_left_as_it_is(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    said = workload(region="us-east-1", vendor="aws")
    later = workload(
        accelerators=item(),
        unknown={"/region": Reason.AFTER_APPLY, "/accelerators/0/model": Reason.SENSITIVE},
    )

    assert first(resolved(said, group())).region == "us-east-1"
    assert first(resolved(later, group())).region is None
    assert (first(resolved(later, group())).accelerators or ())[0].model is None
    assert first(resolved(workload(), group(), cluster="eu-prod")).vendor == "gcp"  # the scope's


def test_capacity_and_what_takes_nothing_need_no_nodes(
    resolved: Callable[..., Request], workload: Workload, capacity: Workload
) -> None:
    assert first(resolved(capacity(region=None, vendor=None), group())).region is None
    assert first(resolved(workload(accelerators=()), group())).region is None


DECLARED = {
    "team": "vision",
    "cost-center": "cc-1",
    "owner": "jo",
    "purpose": "inference",
    "model": "llama-3.1-70b",
    "max-minutes": "60",
    "requests-per-minute": "5",
    "context-tokens": "many",
    "data-asset": "prompts",
    "data-class": "personal, health",
    "unheard": "x",
}


def test_a_namespace_says_what_the_scope_leaves_open(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    request = resolved(workload(), declared=DECLARED)
    resource = first(request)

    assert resource.ownership == Ownership(
        org="acme", team="vision", cost_center="cc-1", owner="jo"
    )
    assert resource.purpose is Purpose.INFERENCE
    assert resource.model.params_m == 70_600
    assert resource.lifetime.minutes == 60
    assert resource.throughput.requests_per_minute == 5
    assert resource.model.context_tokens is None
    assert [(one.data_class, one.asset) for one in resource.data] == [
        ("personal", "prompts"),
        ("health", "prompts"),
    ]
    for pointer in ("/ownership/team", "/purpose", "/lifetime/minutes", "/data/0", "/data/1"):
        assert resource.provenance[pointer] == "namespace"
    assert resource.contradictions == ()
    assert request.context.totals[0].team == "vision"
    assert first(resolved(workload(), declared=DECLARED, again=1)) == resource


def test_it_goes_before_what_an_object_says(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    said = workload(
        ownership=Ownership(team="Search", cost_center="CC-1", owner="sam"),
        purpose=Purpose.NOTEBOOK,
        model=Model(id="deepseek-v3", precision="fp8"),
        throughput=Throughput(tokens_per_second=7),
        data=(Data(data_class="health"),),
        provenance={"/ownership/team": "declared"},
        unknown={"/ownership/owner": Reason.UNDECLARED},
    )
    resource = first(resolved(said, declared=DECLARED))

    assert (resource.ownership.team, resource.ownership.owner) == ("vision", "jo")
    assert resource.contradictions == (
        Contradiction(field="/ownership/team", declared="Search", stated="vision"),
    )
    assert resource.purpose is Purpose.INFERENCE
    assert (resource.model.id, resource.model.precision) == ("llama-3.1-70b", "fp8")
    assert resource.throughput == Throughput(requests_per_minute=5, tokens_per_second=7)
    assert [one.data_class for one in resource.data] == ["health", "personal"]
    assert "/ownership/owner" not in resource.unknown
    assert first(resolved(said, declared=DECLARED, again=1)) == resource


def test_what_an_object_only_seems_to_say_is_no_contradiction(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    inferred = workload(
        ownership=Ownership(team="search"), provenance={"/ownership/team": "inferred:labels"}
    )

    assert first(resolved(inferred, declared=DECLARED)).contradictions == ()


def test_the_scope_goes_before_the_namespace(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    said = workload(ownership=Ownership(team="mine"))
    resource = first(resolved(said, declared=DECLARED, cluster="eu-prod"))

    assert (resource.ownership.team, resource.ownership.cost_center) == ("platform", "cc-1")
    assert [one.stated for one in resource.contradictions] == ["platform"]
    assert {one.data_class for one in resource.data} == {"personal", "health"}
    assert resource.provenance["/data/0"] == "scope"


def test_a_deadline_that_is_kept_says_more_than_what_is_meant(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    bounded = workload(lifetime=Lifetime(minutes=5, bounded=True))
    run = workload(lifetime=Lifetime(minutes=5, bounded=False))
    said = run.model_copy(update={"provenance": {"/lifetime/minutes": "declared"}})

    assert first(resolved(bounded, declared=DECLARED)).lifetime.minutes == 5
    assert first(resolved(run, declared=DECLARED)).lifetime.minutes == 5
    assert first(resolved(said, declared=DECLARED)).lifetime.minutes == 60


def test_another_namespace_says_nothing(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    resource = first(resolved(workload(), declared=DECLARED, namespace="other"))

    assert resource.ownership.team is None


def test_what_was_before_is_in_the_same_namespace(
    resolved: Callable[..., Request], workload: Workload
) -> None:
    before = ResourceState(throughput=Throughput(tokens_per_second=9))

    resource = first(resolved(workload(before=before), declared=DECLARED))

    assert resource.before is not None
    assert resource.before.ownership.team == "vision"
    assert resource.before.throughput == Throughput(tokens_per_second=9, requests_per_minute=5)
    assert resource.throughput == Throughput(requests_per_minute=5)
