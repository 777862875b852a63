"""Some attributes of some resource types, named and marked as the vendors' providers have them.

Attribute names are facts taken from the documentation of `hashicorp/aws` 6, `hashicorp/google` 6
and `hashicorp/azurerm` 4.
"""

from __future__ import annotations

from typing import Any

from serving import ListBlock, Machine
from tf.iface import Provider
from tf.schema import Attribute, Schema
from tf.types import Bool, List, Map, Number, String

TEXT, NUMBER, FLAG = String(), Number(), Bool()
TEXTS, LABELS = List(String()), Map(String())


def given(name: str, kind: Any = TEXT, **marks: Any) -> Attribute:
    """An attribute that may be left out."""
    return Attribute(name, kind, optional=True, **marks)


def needed(name: str, kind: Any = TEXT, **marks: Any) -> Attribute:
    """An attribute that must be set."""
    return Attribute(name, kind, required=True, **marks)


def computed(name: str, kind: Any = TEXT, **marks: Any) -> Attribute:
    """An attribute that only the provider sets."""
    return Attribute(name, kind, computed=True, **marks)


def either(name: str, kind: Any = TEXT, **marks: Any) -> Attribute:
    """An attribute that the provider sets where the configuration does not."""
    return Attribute(name, kind, optional=True, computed=True, **marks)


class AwsInstance(Machine):
    """`aws_instance`."""

    name = "instance"
    merged = (("tags", "tags_all"),)
    schema = Schema(
        attributes=[
            computed("id"),
            computed("arn"),
            either("region", requires_replace=True),
            either("ami", requires_replace=True),
            either("availability_zone", requires_replace=True),
            either("instance_type"),
            given("user_data"),
            given("tags", LABELS),
            computed("tags_all", LABELS),
        ],
        block_types=[
            ListBlock(
                "instance_market_options",
                given("market_type"),
                blocks=(ListBlock("spot_options", given("max_price")),),
            ),
            ListBlock("launch_template", given("id"), given("version")),
        ],
    )


class AwsEksNodeGroup(Machine):
    """`aws_eks_node_group`."""

    name = "eks_node_group"
    merged = (("tags", "tags_all"),)
    schema = Schema(
        attributes=[
            computed("id"),
            computed("arn"),
            either("region", requires_replace=True),
            needed("cluster_name", requires_replace=True),
            needed("node_role_arn", requires_replace=True),
            needed("subnet_ids", TEXTS, requires_replace=True),
            either("instance_types", TEXTS, requires_replace=True),
            either("capacity_type", requires_replace=True),
            given("labels", LABELS),
            given("tags", LABELS),
            computed("tags_all", LABELS),
        ],
        block_types=[
            ListBlock(
                "scaling_config",
                needed("desired_size", NUMBER),
                needed("max_size", NUMBER),
                needed("min_size", NUMBER),
            ),
            ListBlock("launch_template", given("id"), needed("version")),
        ],
    )


class AwsSecurityGroup(Machine):
    """`aws_security_group`."""

    name = "security_group"
    merged = (("tags", "tags_all"),)
    schema = Schema(
        attributes=[
            computed("id"),
            either("name"),
            given("tags", LABELS),
            computed("tags_all", LABELS),
        ]
    )


class AwsBucket(Machine):
    """`aws_s3_bucket`."""

    name = "s3_bucket"
    merged = (("tags", "tags_all"),)
    schema = Schema(
        attributes=[
            computed("id"),
            computed("arn"),
            either("bucket"),
            either("region"),
            given("tags", LABELS),
            computed("tags_all", LABELS),
        ]
    )


class AwsBucketReplication(Machine):
    """`aws_s3_bucket_replication_configuration`."""

    name = "s3_bucket_replication_configuration"
    schema = Schema(
        attributes=[
            computed("id"),
            either("region"),
            needed("bucket", requires_replace=True),
            needed("role"),
        ],
        block_types=[
            ListBlock(
                "rule",
                needed("status"),
                blocks=(ListBlock("destination", needed("bucket")),),
            ),
        ],
    )


class GoogleInstance(Machine):
    """`google_compute_instance`."""

    name = "compute_instance"
    merged = (("labels", "terraform_labels"), ("labels", "effective_labels"))
    schema = Schema(
        attributes=[
            computed("id"),
            needed("name", requires_replace=True),
            needed("machine_type"),
            either("zone", requires_replace=True),
            either("project", requires_replace=True),
            given("labels", LABELS),
            computed("terraform_labels", LABELS),
            computed("effective_labels", LABELS),
        ],
        block_types=[
            ListBlock("guest_accelerator", needed("type"), needed("count", NUMBER)),
            ListBlock("scheduling", given("provisioning_model"), given("preemptible", FLAG)),
        ],
    )


class GoogleNodePool(Machine):
    """`google_container_node_pool`."""

    name = "container_node_pool"
    schema = Schema(
        attributes=[
            computed("id"),
            needed("cluster", requires_replace=True),
            either("name", requires_replace=True),
            either("location", requires_replace=True),
            either("project", requires_replace=True),
            either("node_count", NUMBER),
            either("initial_node_count", NUMBER),
            either("node_locations", TEXTS),
        ],
        block_types=[
            ListBlock(
                "autoscaling",
                given("min_node_count", NUMBER),
                given("max_node_count", NUMBER),
                given("total_min_node_count", NUMBER),
                given("total_max_node_count", NUMBER),
            ),
            ListBlock(
                "node_config",
                given("machine_type"),
                given("spot", FLAG),
                given("labels", LABELS),
                given("resource_labels", LABELS),
                blocks=(
                    ListBlock(
                        "guest_accelerator",
                        needed("type"),
                        needed("count", NUMBER),
                        given("gpu_partition_size"),
                    ),
                ),
            ),
        ],
    )


class AzureLinuxMachine(Machine):
    """`azurerm_linux_virtual_machine`."""

    name = "linux_virtual_machine"
    schema = Schema(
        attributes=[
            computed("id"),
            needed("name", requires_replace=True),
            needed("resource_group_name", requires_replace=True),
            needed("location", requires_replace=True),
            needed("size"),
            needed("admin_username", requires_replace=True),
            given("admin_password", sensitive=True),
            given("custom_data", sensitive=True),
            given("priority"),
            given("zone", requires_replace=True),
            given("tags", LABELS),
        ]
    )


class AzureCluster(Machine):
    """`azurerm_kubernetes_cluster`."""

    name = "kubernetes_cluster"
    schema = Schema(
        attributes=[
            computed("id"),
            needed("name", requires_replace=True),
            needed("location", requires_replace=True),
            needed("resource_group_name", requires_replace=True),
            computed("kube_config_raw", sensitive=True),
        ]
    )


class AzureNodePool(Machine):
    """`azurerm_kubernetes_cluster_node_pool`."""

    name = "kubernetes_cluster_node_pool"
    schema = Schema(
        attributes=[
            computed("id"),
            needed("name", requires_replace=True),
            needed("kubernetes_cluster_id", requires_replace=True),
            either("vm_size"),
            given("auto_scaling_enabled", FLAG),
            either("node_count", NUMBER),
            given("min_count", NUMBER),
            given("max_count", NUMBER),
            given("priority"),
            given("node_labels", LABELS),
            given("tags", LABELS),
        ]
    )


class GoogleBucket(Machine):
    """`google_storage_bucket`."""

    name = "storage_bucket"
    merged = (("labels", "terraform_labels"), ("labels", "effective_labels"))
    schema = Schema(
        attributes=[
            computed("id"),
            needed("name", requires_replace=True),
            needed("location", requires_replace=True),
            either("project", requires_replace=True),
            given("labels", LABELS),
            computed("terraform_labels", LABELS),
            computed("effective_labels", LABELS),
        ],
        block_types=[ListBlock("custom_placement_config", needed("data_locations", TEXTS))],
    )


class AzureAccount(Machine):
    """`azurerm_storage_account`."""

    name = "storage_account"
    schema = Schema(
        attributes=[
            computed("id"),
            needed("name", requires_replace=True),
            needed("resource_group_name", requires_replace=True),
            needed("location", requires_replace=True),
            needed("account_tier", requires_replace=True),
            needed("account_replication_type"),
            given("tags", LABELS),
        ]
    )


class _Cloud(Provider):
    prefix: str
    resources: tuple[type[Machine], ...]
    schema: Schema
    labels: tuple[str, str | None]
    inherited: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.default_labels: dict[str, str] = {}
        self.defaults: dict[str, str | None] = {}

    def get_model_prefix(self) -> str:
        return self.prefix

    def get_provider_schema(self, _diags: Any) -> Schema:
        return self.schema

    def full_name(self) -> str:
        return f"hashicorp/{self.prefix.rstrip('_')}"

    def validate_config(self, _diags: Any, _config: Any) -> None:
        return None

    def configure_provider(self, _diags: Any, config: Any) -> None:
        name, inner = self.labels
        value = (config or {}).get(name) or {}
        if inner is not None:
            value = value[0].get(inner) if value else {}
        self.default_labels = dict(value or {})
        self.defaults = {name: (config or {}).get(name) for name in self.inherited}

    def get_data_sources(self) -> list[Any]:
        return []

    def get_resources(self) -> list[Any]:
        return list(self.resources)


class Aws(_Cloud):
    """`hashicorp/aws`."""

    prefix = "aws_"
    resources = (
        AwsInstance,
        AwsEksNodeGroup,
        AwsSecurityGroup,
        AwsBucket,
        AwsBucketReplication,
    )
    labels = ("default_tags", "tags")
    inherited = ("region",)
    schema = Schema(
        attributes=[given("region"), given("access_key"), given("secret_key", sensitive=True)],
        block_types=[ListBlock("default_tags", given("tags", LABELS))],
    )


class Google(_Cloud):
    """`hashicorp/google`."""

    prefix = "google_"
    resources = (GoogleInstance, GoogleNodePool, GoogleBucket)
    labels = ("default_labels", None)
    inherited = ("project",)
    schema = Schema(
        attributes=[
            given("project"),
            given("region"),
            given("zone"),
            given("default_labels", LABELS),
        ]
    )


class Azure(_Cloud):
    """`hashicorp/azurerm`."""

    prefix = "azurerm_"
    resources = (AzureLinuxMachine, AzureCluster, AzureNodePool, AzureAccount)
    labels = ("features", "none")
    schema = Schema(
        attributes=[given("subscription_id")], block_types=[ListBlock("features", given("none"))]
    )


CLOUDS = {"aws": Aws, "google": Google, "azurerm": Azure}
