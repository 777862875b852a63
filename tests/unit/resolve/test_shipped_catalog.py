"""The shipped tables through resolve: figures that a person can look up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.bundle.catalog import build_catalog
from service.bundle.values import Bundle, Org, ScopeRule
from service.model.base import Basis, Range, Scope
from service.model.decision import BundleRef
from service.model.resource import Accelerator, Model
from service.resolve.resolver import Resolver

_TABLES = Path(__file__).parents[3] / "bundles" / "catalog"


@pytest.fixture(scope="module")
def resolver() -> Resolver:
    catalog, index = build_catalog(_TABLES)
    org = Org(
        name="acme",
        scopes=(ScopeRule(match=Scope(cluster="eu"), vendor="gcp", region="europe-west4"),),
    )
    ref = BundleRef(name="test", revision="1", digest="sha256:00")
    return Resolver(Bundle(ref, {}, {"catalog": catalog, "index": index}, {}, org))


def test_an_hgx_h100_instance_in_virginia(
    resolver: Resolver, request_of: Any, capacity: Any, now: Any
) -> None:
    [resource] = resolver.resolve(request_of(capacity()), now=now).resources

    [item] = resource.accelerators
    assert (item.model, item.total) == ("nvidia-h100-sxm", Range(min=8, max=8))
    assert (resource.country, resource.cost.basis) == ("US", Basis.LIST)
    assert resource.cost.micros_per_hour.max == 55_040_000
    assert resource.fit.usable_mib == 81_559
    assert resource.unknown == {}


def test_an_autoscaled_node_pool_with_l4_in_the_netherlands(
    resolver: Resolver, request_of: Any, capacity: Any, now: Any
) -> None:
    pool = capacity(
        address="google_container_node_pool.l4",
        kind="google_container_node_pool",
        vendor="gcp",
        region="europe-west4",
        instance_type="g2-standard-8",
        nodes=Range(min=0, max=5),
    )

    [resource] = resolver.resolve(request_of(pool), now=now).resources

    [item] = resource.accelerators
    assert (item.model, item.total) == ("nvidia-l4", Range(min=0, max=5))
    assert (resource.country, "EU" in resource.jurisdictions) == ("NL", True)
    assert resource.operator == "Google"
    assert resource.cost.basis in {Basis.LIST, Basis.LIST_OTHER_REGION}
    assert resource.cost.micros_per_hour.min == 0


def test_a_deployment_on_l4_where_the_scope_knows_the_place(
    resolver: Resolver, request_of: Any, workload: Any, now: Any
) -> None:
    served = workload(model=Model(id="meta-llama/Llama-3.1-8B"))

    resolved = resolver.resolve(request_of(served, cluster="eu"), now=now)

    [resource] = resolved.resources
    assert (resource.vendor, resource.region, resource.country) == ("gcp", "europe-west4", "NL")
    assert resource.accelerators[0].model == "nvidia-l4"
    assert (resource.fit.weight_bits, resource.model.params_m) == (16, 8_030)
    assert resource.cost.inferred
    assert resource.unknown == {}
    [total] = resolved.context.totals
    assert total.accelerators == 2
    assert total.firm_micros_per_hour == resource.cost.micros_per_hour.max


def test_a_cpu_instance_takes_no_accelerators_and_needs_no_price(
    resolver: Resolver, request_of: Any, capacity: Any, now: Any
) -> None:
    [resource] = resolver.resolve(request_of(capacity(instance_type="m5.large")), now=now).resources

    assert resource.accelerators == ()
    assert resource.unknown == {}


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("deepseek-ai/DeepSeek-R1", 8),
        ("moonshotai/Kimi-K2-Instruct", 8),
        ("openai/gpt-oss-20b", 5),
        ("openai/gpt-oss-120b", 4),
        ("Qwen/Qwen3-32B", 16),
        ("Qwen/Qwen3-32B-FP8", 8),
    ],
)
def test_weights_are_as_wide_as_the_published_checkpoint(
    name: str, bits: int, resolver: Resolver, request_of: Any, workload: Any, now: Any
) -> None:
    resolved = resolver.resolve(request_of(workload(model=Model(id=name))), now=now)

    assert resolved.resources[0].fit.weight_bits == bits


@pytest.mark.parametrize(("part", "usable"), [("1g.10gb", 9_984), ("1g.10gb.me", 9_984)])
def test_a_mig_slice_offers_what_the_driver_reports(
    part: str, usable: int, resolver: Resolver, request_of: Any, workload: Any, now: Any
) -> None:
    asked = Accelerator(
        model="nvidia-h100-sxm", slice=part, per_worker=1, total=Range(min=1, max=1)
    )

    resolved = resolver.resolve(request_of(workload(accelerators=(asked,))), now=now)

    fit = resolved.resources[0].fit
    assert (fit.usable_mib, fit.usable_is_estimate) == (usable, False)
