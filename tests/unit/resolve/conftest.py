"""A small catalog and organisation, so that these tests depend on no shipped table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from service.bundle.values import Bundle, InternalRate, Org, OrgPrice, ScopeRule
from service.model.base import Binding, Change, EnforcementPoint, PriceKind, Range, Role, Scope
from service.model.decision import BundleRef
from service.model.request import Request
from service.model.resource import Accelerator, Resource
from service.resolve.resolver import Resolver

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _accelerator(manufacturer: str, stack: str, usable: int | None, **more: Any) -> dict[str, Any]:
    return {
        "manufacturer": manufacturer,
        "software_stack": stack,
        "usable_mib": usable,
        "usable_is_estimate": False,
        "scale_up_domain": 1,
        "mig_profiles": [],
        "slices": {},
        **more,
    }


def _size(accelerator: str, count: int, **more: Any) -> dict[str, Any]:
    row = {"accelerator": accelerator, "count": count, "slice": None, "usable_mib": None}
    return {**row, "fabric": "none", **more}


def _price(micros: int, currency: str = "USD") -> dict[str, Any]:
    return {"micros_per_hour": micros, "currency": currency, "as_of": "2026-11-01"}


def _region(country: str | None, kind: str = "physical", partition: str = "aws") -> dict[str, Any]:
    return {"country": country, "kind": kind, "partition": partition}


def _operator(name: str, home: str | None, parent: str | None) -> dict[str, Any]:
    return {"operator": name, "home_country": home, "parent_country": parent}


def _member(jurisdiction: str, **more: Any) -> dict[str, Any]:
    row = {"condition": None, "valid_from": None, "valid_to": None}
    return {"jurisdiction": jurisdiction, **row, **more}


def _offer(micros: int) -> dict[str, Any]:
    return {"micros_per_accelerator_hour": micros, "currency": "USD"}


CATALOG: dict[str, Any] = {
    "accelerators": {
        "nvidia-l4": _accelerator("nvidia", "cuda", 23034),
        "nvidia-h100-sxm": _accelerator(
            "nvidia",
            "cuda",
            81559,
            scale_up_domain=8,
            mig_profiles=["1g.10gb", "3g.40gb", "7g.80gb"],
            slices={
                "1g.10gb": {"usable_mib": 9984, "usable_is_estimate": False},
                "1g.10gb.me": {"usable_mib": 9984, "usable_is_estimate": False},
                "3g.40gb": {"usable_mib": 36044, "usable_is_estimate": True},
            },
        ),
        "amd-mi300x": _accelerator("amd", "rocm", 196288, scale_up_domain=8),
        "google-tpu-v5e": _accelerator("google", "xla", None, scale_up_domain=256),
    },
    "accelerator_names": {
        "nvidia-l4": "nvidia-l4",
        "l4": "nvidia-l4",
        "nvidia-h100-80gb-hbm3": "nvidia-h100-sxm",
        "mi300x": "amd-mi300x",
    },
    "instance_types": {
        "aws": {
            "p5.48xlarge": _size("nvidia-h100-sxm", 8, fabric="efa"),
            "g6.xlarge": _size("nvidia-l4", 1),
            "g6f.large": _size("nvidia-l4", 1, slice="1/8", usable_mib=2800),
        },
        "azure": {"Standard_NC40ads_H100_v5": _size("nvidia-h100-sxm", 1)},
        "gcp": {"g2-standard-8": _size("nvidia-l4", 1), "g2-standard-24": _size("nvidia-l4", 2)},
    },
    "instance_families": {"aws": {"m5": "none", "m5g": "some"}, "gcp": {"n1-": "attachable"}},
    "prices": {
        "aws": {
            "p5.48xlarge": {
                "on_demand": {"us-east-1": _price(55_040_000), "us-gov-west-1": _price(66_048_000)},
                "spot": {"us-east-1": _price(20_000_000)},
            },
            "g6.xlarge": {"on_demand": {"*": _price(804_800)}},
        },
        "gcp": {"g2-standard-8": {"on_demand": {"europe": _price(900_000)}}},
    },
    "price_areas": {"gcp": {"europe-west4": "europe"}},
    "regions": {
        "aws": {
            "us-east-1": _region("US"),
            "eu-west-2": _region("GB"),
            "eu-central-1": _region("DE"),
            "aws-global": _region(None, "global"),
            "us-gov-west-1": _region("US", "sovereign", "aws-us-gov"),
            "eusc-de-east-1": _region("DE", "sovereign", "aws-eusc"),
        },
        "azure": {
            "westeurope": _region("NL", partition="AzureCloud"),
            "germany": _region("DE", "logical", "AzureCloud"),
            "brazilsouth": {
                **_region("BR", partition="AzureCloud"),
                "paired_region": "southcentralus",
            },
            "southcentralus": _region("US", partition="AzureCloud"),
        },
        "coreweave": {"EU-NORTH-02": _region("NO", partition="coreweave")},
        "gcp": {
            "europe-west4": _region("NL", partition=""),
            "europe-west1": _region("BE", partition=""),
            "us-east1": _region("US", partition=""),
        },
    },
    "zones": {"coreweave": {"EU-NORTH-02A": "EU-NORTH-02"}},
    "countries": {
        "DE": [_member("EU", valid_from="1958-01-01"), _member("DE")],
        "GB": [
            _member("EU", valid_from="1973-01-01", valid_to="2020-01-31"),
            _member("GDPR_ADEQUATE", valid_from="2021-06-28", valid_to="2031-12-27"),
            _member("UK"),
        ],
        "NL": [_member("EU", valid_from="1958-01-01")],
        "BE": [_member("EU", valid_from="1958-01-01")],
        "BR": [_member("BR")],
        "US": [
            _member(
                "GDPR_ADEQUATE",
                condition="Privacy-Shield-certified-only",
                valid_from="2016-07-12",
                valid_to="2020-07-16",
            ),
            _member("GDPR_ADEQUATE", condition="DPF-certified-only", valid_from="2023-07-10"),
            _member("US"),
        ],
    },
    "operators": {
        "aws": {
            "aws": _operator("Amazon Web Services", "US", "US"),
            "aws-us-gov": _operator("Amazon Web Services", "US", "US"),
            "aws-eusc": _operator("AWS European Sovereign Cloud GmbH", "DE", "US"),
        },
        "gcp": {"": _operator("Google", "US", "US")},
        "azure": {"AzureCloud": _operator("Microsoft", "US", "US")},
        "coreweave": {"coreweave": _operator("CoreWeave", "US", None)},
    },
    "models": {
        "meta-llama/llama-3.1-70b": {
            "params_m": 70_600,
            "active_params_m": 70_600,
            "layers": 80,
            "hidden": 8192,
            "attention_heads": 64,
            "kv_heads": 8,
            "window_tokens": 0,
            "window_kv_values_per_token": 0,
            "max_context": 131_072,
            "attention": "gqa",
            "kv_values_per_token": 163_840,
            "kv_is_upper_bound": False,
            "weight_bits": 16,
        },
        "deepseek-ai/deepseek-v3": {
            "params_m": 671_000,
            "active_params_m": 37_000,
            "layers": 61,
            "hidden": 7168,
            "attention_heads": 128,
            "kv_heads": 128,
            "window_tokens": 0,
            "window_kv_values_per_token": 0,
            "max_context": 163_840,
            "attention": "mla",
            "kv_values_per_token": 35_136,
            "kv_is_upper_bound": False,
            "weight_bits": 8,
        },
    },
    "model_names": {
        "llama-3.1-70b": "meta-llama/llama-3.1-70b",
        "deepseek-v3": "deepseek-ai/deepseek-v3",
    },
}
INDEX: dict[str, Any] = {
    "offers": {
        "nvidia-l4": {
            "gcp": {"europe-west4": _offer(742_916), "us-east1": _offer(706_832)},
            "aws": {"*": _offer(804_800)},
        },
        "nvidia-h100-sxm": {"aws": {"us-east-1": _offer(6_880_000)}},
    }
}
ORG = Org(
    name="acme",
    scopes=(
        ScopeRule(match=Scope(cluster="eu-prod", namespace="health"), data_classes=("health",)),
        ScopeRule(
            match=Scope(cluster="eu-*"),
            vendor="gcp",
            region="europe-west4",
            data_classes=("personal",),
        ),
        ScopeRule(match=Scope(namespace="search"), team="search", cost_center="cc-7"),
        ScopeRule(match=Scope(cluster="eu-prod"), team="platform", environment="production"),
    ),
    prices=(
        OrgPrice(
            vendor="aws",
            instance_type="p5.48xlarge",
            region="eu-central-1",
            micros_per_hour=40_000_000,
        ),
        OrgPrice(
            vendor="aws",
            instance_type="p5.48xlarge",
            price_kind=PriceKind.RESERVED,
            micros_per_hour=24_000_000,
        ),
    ),
    internal_rates=(InternalRate(accelerator="nvidia-l4", micros_per_hour=500_000),),
)


@pytest.fixture
def bundle() -> Bundle:
    return Bundle(
        ref=BundleRef(name="test", revision="1", digest="sha256:00"),
        modules={},
        data={"catalog": CATALOG, "index": INDEX, "org": ORG.model_dump(mode="json")},
        rulebook={},
        org=ORG,
    )


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """Makes a request of resources, from a scope given by keywords."""

    def make(*resources: Resource, **scope: str) -> Request:
        return Request(
            key="k",
            enforcement_point=EnforcementPoint.API,
            operation="create",
            binding=Binding.BINDING,
            scope=Scope(**scope),
            resources=resources,
        )

    return make


@pytest.fixture
def resolve(bundle: Bundle, request_of: Callable[..., Request]) -> Callable[..., Resource]:
    """Resolves one resource from a scope given by keywords."""
    resolver = Resolver(bundle)

    def run(resource: Resource, *, at: datetime = NOW, **scope: str) -> Resource:
        return resolver.resolve(request_of(resource, **scope), now=at).resources[0]

    return run


@pytest.fixture
def workload() -> Callable[..., Resource]:
    """Makes a Deployment that asks for one L4 in each of two copies, unless told otherwise."""

    def make(**fields: Any) -> Resource:
        asked = Accelerator(
            resource="nvidia.com/gpu",
            manufacturer="nvidia",
            model="NVIDIA-L4",
            per_worker=1,
            total=Range(min=2, max=2),
        )
        defaults: dict[str, Any] = {
            "address": "Deployment prod/llama",
            "subject": "prod/llama",
            "kind": "Deployment",
            "role": Role.WORKLOAD,
            "change": Change.CREATE,
            "copies": Range(min=2, max=2),
            "workers_per_copy": 1,
            "accelerators": (asked,),
        }
        return Resource(**{**defaults, **fields})

    return make


@pytest.fixture
def capacity() -> Callable[..., Resource]:
    """Makes one p5.48xlarge in us-east-1, unless told otherwise."""

    def make(**fields: Any) -> Resource:
        defaults: dict[str, Any] = {
            "address": "aws_instance.gpu",
            "subject": "aws_instance.gpu",
            "kind": "aws_instance",
            "role": Role.CAPACITY,
            "change": Change.CREATE,
            "vendor": "aws",
            "region": "us-east-1",
            "instance_type": "p5.48xlarge",
            "nodes": Range(min=1, max=1),
        }
        return Resource(**{**defaults, **fields})

    return make
