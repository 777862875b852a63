"""Which documents are plans, and what of a plan is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.terraform.irrelevant import is_irrelevant
from adapters.terraform.normalise import normalise_plan
from service.errors import RequestRefused
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.request import NotCovered, Request

NOTHING: dict[str, Any] = {"format_version": "1.2", "resource_changes": []}


def normalise(plan: Any) -> Request:
    return normalise_plan(plan, scope=Scope(), caller="ci", key="sha256:abc")


def change(kind: str, *actions: str, **parts: Any) -> dict[str, Any]:
    body = {"actions": list(actions) or ["create"], "before": None, "after": {}}
    return {"address": f"{kind}.one", "type": kind, "mode": "managed", "change": body, **parts}


def test_a_plan_without_changes_asks_for_nothing() -> None:
    request = normalise(NOTHING)

    assert request.resources == ()
    assert request.key == "sha256:abc"
    assert request.caller == "ci"
    assert request.operation == "plan"
    assert request.binding is Binding.ADVISORY
    assert request.enforcement_point is EnforcementPoint.TERRAFORM


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.2", "1.99", "1.2.1"])
def test_every_version_below_two_is_read(version: str) -> None:
    assert normalise({**NOTHING, "format_version": version}).operation == "plan"


@pytest.mark.parametrize("version", ["2.0", "0.0", "", "one", "1", 1.2, None, [], "-1.0"])
def test_other_versions_are_refused(version: Any) -> None:
    with pytest.raises(RequestRefused, match=r"expected 0\.1 or later, below 2\.0"):
        normalise({**NOTHING, "format_version": version})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "the document is a list"),
        (None, "the document is null"),
        ("plan", "the document is text"),
        ({}, "`resource_changes` is missing"),
        ({"format_version": "1.2", "planned_values": {}}, "`resource_changes` is missing"),
        ({"format_version": "1.0", "values": {}}, "is a Terraform state"),
        ({"version": 4, "serial": 1, "lineage": "x"}, "is a Terraform state"),
        ({"format_version": "1.0", "root_module": {}}, "is a Terraform configuration"),
        ({"format_version": "1.0", "provider_schemas": {}}, "holds provider schemas"),
        ({"format_version": "1.2", "errored": True}, "the plan failed"),
        ({**NOTHING, "errored": True}, "the plan failed"),
        ({**NOTHING, "resource_changes": {}}, "`resource_changes` is an object"),
        ({**NOTHING, "resource_changes": ["x"]}, r"`resource_changes\[0\]` cannot be read"),
        ({**NOTHING, "resource_changes": [{"address": "a"}]}, "cannot be read"),
        ({**NOTHING, "resource_changes": [{"address": "a", "type": "b"}]}, "cannot be read"),
        ({**NOTHING, "deferred_changes": 3}, "`deferred_changes` is a number"),
    ],
)
def test_a_document_that_is_no_plan_is_refused_by_name(document: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words) as refusal:
        normalise(document)

    assert refusal.value.hint


def test_a_whole_plan_without_any_resource_asks_for_nothing() -> None:
    # This is all that terraform 1.11 writes for a configuration that holds outputs alone.
    plan = {
        "format_version": "1.2",
        "planned_values": {"outputs": {"x": {"value": 1}}, "root_module": {}},
        "applyable": True,
        "complete": True,
        "errored": False,
    }

    assert normalise(plan).resources == ()


@pytest.mark.parametrize(
    "change",
    [
        {"complete": False},
        {"errored": True},
        {"planned_values": {"root_module": {"resources": [{}]}}},
        {"planned_values": {"root_module": {"child_modules": [{}]}}},
        {"resource_changes": None},
    ],
)
def test_changes_that_were_left_out_are_not_taken_for_none(change: dict[str, Any]) -> None:
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {}},
        "complete": True,
        "errored": False,
    }

    with pytest.raises(RequestRefused):
        normalise({**plan, **change})


def test_two_changes_of_one_address_are_refused() -> None:
    with pytest.raises(RequestRefused, match=r"two changes have the address `aws_instance.one`"):
        normalise({**NOTHING, "resource_changes": [change("aws_instance"), change("aws_instance")]})


def test_a_deposed_object_is_told_from_the_one_in_its_place() -> None:
    deposed = change("aws_instance", "delete", deposed="4c1f8a2b")
    deposed["change"] = {"actions": ["delete"], "before": {}, "after": None}

    request = normalise({**NOTHING, "resource_changes": [change("aws_instance"), deposed]})

    assert [resource.address for resource in request.resources] == [
        "aws_instance.one",
        "aws_instance.one (deposed 4c1f8a2b)",
    ]


def test_a_partial_plan_says_so() -> None:
    assert normalise({**NOTHING, "complete": False}).operation == "plan (partial)"


def test_what_a_plan_leaves_for_later_is_not_covered() -> None:
    later = [
        {"reason": "instance_count_unknown", "resource_change": change("aws_instance")},
        {"reason": "provider_config_unknown", "resource_change": change("aws_vpc")},
    ]

    request = normalise({**NOTHING, "deferred_changes": later})

    assert request.operation == "plan (partial)"
    assert request.not_covered == (NotCovered(address="aws_instance.one", kind="aws_instance"),)


def test_each_type_is_covered_irrelevant_or_reported() -> None:
    changes = [
        change("aws_instance"),
        change("aws_security_group"),
        change("aws_sagemaker_endpoint_configuration"),
        change("aws_instance", mode="data", address="data.aws_instance.one"),
    ]

    request = normalise({**NOTHING, "resource_changes": changes})

    assert [resource.kind for resource in request.resources] == ["aws_instance"]
    assert [item.kind for item in request.not_covered] == ["aws_sagemaker_endpoint_configuration"]
    assert request.irrelevant == 2


@pytest.mark.parametrize("actions", [["no-op"], ["delete"], ["read"], ["forget"]])
def test_what_is_not_understood_is_reported_only_if_it_may_take_something(
    actions: list[str],
) -> None:
    request = normalise({**NOTHING, "resource_changes": [change("aws_sagemaker_app", *actions)]})

    assert request.not_covered == ()


@pytest.mark.parametrize(
    "kind",
    [
        "aws_iam_role",
        "aws_route53_record",
        "aws_s3_bucket_policy",
        "aws_subnet",
        "aws_vpc",
        "azurerm_monitor_diagnostic_setting",
        "azurerm_network_security_group",
        "azurerm_resource_group",
        "google_compute_firewall",
        "google_compute_instance_iam_member",
        "google_dns_record_set",
        "google_project_service",
        "null_resource",
        "random_id",
        "terraform_data",
        "tls_private_key",
    ],
)
def test_networks_identities_and_names_are_irrelevant(kind: str) -> None:
    assert is_irrelevant(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "aws_appautoscaling_target",
        "aws_autoscaling_group",
        "aws_autoscaling_schedule",
        "aws_batch_compute_environment",
        "aws_bedrock_provisioned_model_throughput",
        "aws_cloudformation_stack",
        "aws_db_instance",
        "aws_ebs_volume",
        "aws_ec2_capacity_reservation",
        "aws_ec2_fleet",
        "aws_eks_fargate_profile",
        "aws_launch_template",
        "aws_s3_bucket",
        "aws_s3_bucket_replication_configuration",
        "aws_sagemaker_endpoint_configuration",
        "azurerm_cognitive_deployment",
        "azurerm_kubernetes_cluster",
        "azurerm_linux_virtual_machine_scale_set",
        "azurerm_machine_learning_compute_cluster",
        "azurerm_resource_group_template_deployment",
        "azurerm_storage_account",
        "coreweave_cks_node_pool",
        "google_bigquery_dataset",
        "google_cloud_run_v2_service",
        "google_compute_instance_template",
        "google_compute_region_instance_group_manager",
        "google_container_cluster",
        "google_storage_bucket",
        "google_tpu_v2_vm",
        "google_vertex_ai_endpoint",
        "helm_release",
        "kubernetes_manifest",
        "nebius_compute_v1_instance",
    ],
)
def test_what_may_take_accelerators_or_data_is_never_irrelevant(kind: str) -> None:
    assert not is_irrelevant(kind)
