"""What the README of a bundle promises is what the bundle decides."""

from __future__ import annotations

from typing import Any

import pytest
from rule_examples import POLICIES, Example, document_of, engine_with, findings_of

from service.bundle.shipped import shipped_names
from service.decide.deciding import decide
from service.model.finding import Finding

BUNDLES = POLICIES.parent / "bundles"


def terraform(address: str, after: dict[str, Any]) -> dict[str, Any]:
    kind, name = address.split(".")
    provider = {"aws": "aws", "google": "google", "azurerm": "azurerm"}[kind.partition("_")[0]]
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": f"registry.terraform.io/hashicorp/{provider}",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": after,
            "after_unknown": {},
            "after_sensitive": {},
        },
    }


def pod(namespace: str, image: str, **labels: str) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": image,
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": namespace, "labels": labels},
        "spec": {"containers": [container]},
    }


def modes(bundle: str, scope: dict[str, str], **given: Any) -> dict[str, str]:
    """The mode of each code that *bundle* finds for certain."""
    example = Example("bundle", {"bundle": bundle, "scope": scope, **given})
    request = example.resolved()
    found = findings_of(engine_with(bundle), document_of(request))
    verdict = decide(request, [Finding.model_validate(each) for each in found], (), example.bundle)
    return {each.code: each.mode.value for each in verdict.findings if not each.undetermined}


def test_the_table_of_bundles_names_every_one() -> None:
    page = (BUNDLES / "README.md").read_text(encoding="utf-8")

    for name in shipped_names():
        assert f"({name}/README.md)" in page
        assert (BUNDLES / name / "README.md").is_file()


def test_health_data_stays_with_operators_of_the_union() -> None:
    machine = terraform(
        "google_compute_instance.gpu",
        {"machine_type": "g2-standard-4", "zone": "europe-west4-a", "labels": {}},
    )

    found = modes("eu-regulated", {"workspace": "clinic-prod"}, terraform=[machine])

    assert found["RES-003"] == "enforce"
    assert "RES-001" not in found
    assert "VEN-007" not in found


def test_health_data_with_an_operator_of_the_union_is_fine() -> None:
    digest = "registry.example/app@sha256:" + "0" * 64
    given = pod(
        "clinic-a", digest, **{"portreeve.dev/owner": "a", "portreeve.dev/purpose": "batch"}
    )

    found = modes("eu-regulated", {"cluster": "prod", "namespace": "clinic-a"}, kubernetes=given)

    assert not {code for code, mode in found.items() if mode == "enforce"}


def test_london_is_outside_whatever_its_region_is_called() -> None:
    tags = {"portreeve:data-class": "personal"}
    machine = terraform(
        "aws_instance.gpu", {"instance_type": "g6.xlarge", "region": "eu-west-2", "tags": tags}
    )

    found = modes("eu-regulated", {"workspace": "other"}, terraform=[machine])

    assert (found["RES-001"], found["VEN-007"]) == ("enforce", "enforce")


@pytest.mark.parametrize(("size", "mode"), [(1, None), (9, "enforce")])
def test_a_start_up_is_kept_from_what_it_cannot_pay(size: int, mode: str | None) -> None:
    nodes = terraform(
        "aws_eks_node_group.p5",
        {
            "instance_types": ["p5.48xlarge"],
            "capacity_type": "ON_DEMAND",
            "region": "us-east-1",
            "scaling_config": [{"min_size": size, "desired_size": size, "max_size": size}],
            "tags": {"portreeve:purpose": "pretraining"},
        },
    )

    found = modes("start-up", {"workspace": "research-a"}, terraform=[nodes])

    assert found["VEN-003"] == "warn"
    assert found.get("GPU-001") == mode
    assert found.get("BUD-001") == mode


def test_a_start_up_uses_the_vendors_that_it_chose() -> None:
    machine = terraform(
        "azurerm_linux_virtual_machine.gpu",
        {"size": "Standard_NC24ads_A100_v4", "location": "westeurope", "tags": {}},
    )

    assert modes("start-up", {"workspace": "a"}, terraform=[machine])["VEN-006"] == "enforce"


def test_the_default_bundle_refuses_nothing() -> None:
    machine = terraform(
        "azurerm_linux_virtual_machine.gpu",
        {"size": "Standard_NC24ads_A100_v4", "location": "westeurope", "tags": {}},
    )

    found = modes("default", {"workspace": "a"}, terraform=[machine])

    assert "enforce" not in found.values()
    assert not {code for code in found if code.startswith("VEN-")}
