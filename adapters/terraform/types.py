"""Which attributes of which resource types say what is taken; paths into ``change.after``.

Blocks are lists in a plan. The attribute names are those of the providers `hashicorp/aws`,
`hashicorp/google` and `hashicorp/azurerm`, old names beside new ones where a major version renamed
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from service.model.base import PriceKind

if TYPE_CHECKING:
    from adapters.terraform.reading import Path


class Counting(Enum):
    """How a type says how many machines it takes."""

    ONE = auto()
    EKS = auto()
    GKE = auto()
    AKS = auto()


class PlaceKind(Enum):
    """What an attribute that says where a resource is holds.

    ``LOCATION`` is a region or a name that stands for several, in capitals or not.
    ``ZONE_WITHIN`` is a zone of the provider's region: while it is not known, the region still is.
    """

    REGION = auto()
    LOCATION = auto()
    ZONE = auto()
    ZONE_WITHIN = auto()
    ARN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How one resource type is read.

    Attributes:
        vendor: As the catalog names it.
        places: Attributes that say where it is, the most telling first.
        labels: Maps of labels or tags, later ones over earlier ones.
        cluster: The attribute that refers to its cluster, and the cluster's type, where the
            cluster alone says where it is.
    """

    vendor: str
    places: tuple[tuple[Path, PlaceKind], ...]
    labels: tuple[Path, ...]
    cluster: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines(Covered):
    """A type that takes machines.

    Attributes:
        instance_type: The type of one machine; a list may hold several.
        counting: How the number of machines is stated.
        market: Attributes that say how it is bought, with the meaning of their values.
        accelerators: The block that attaches accelerators beside the machine type, if any.
        template: A block that takes over the machine type where that is not stated.
    """

    instance_type: Path
    counting: Counting
    market: tuple[tuple[Path, dict[str | bool, PriceKind]], ...] = ()
    accelerators: Path | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(Covered):
    """A type that holds data and takes no machines.

    Attributes:
        locations: The list of regions that together take the place of the location, if any.
        redundancy: The attribute that says whether the vendor keeps a copy in the region's pair,
            with the meaning of its values in upper case.
        replication: The block that has copies made in a place that another resource states.
    """

    locations: Path | None = None
    redundancy: tuple[Path, dict[str, bool]] | None = None
    replication: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying(Covered):
    """A type that has the data of one store copied to others of the same type.

    Attributes:
        store: How the type of the stores is read.
        store_type: The type of the stores.
        name: The attribute of a store by which others name it.
        source: The attribute that names the store whose data is copied.
        rules: The block, and the block within it that says where copies go.
        target: The attribute of the inner block that names a store.
    """

    store: Store
    store_type: str
    name: str
    source: str
    rules: tuple[str, str]
    target: str


_SPOT: dict[str | bool, PriceKind] = {"spot": PriceKind.SPOT, "regular": PriceKind.ON_DEMAND}
_PREEMPTIBLE: dict[str | bool, PriceKind] = {True: PriceKind.SPOT, False: PriceKind.ON_DEMAND}
_AZURE_MACHINE = Machines(
    vendor="azure",
    instance_type=("size",),
    counting=Counting.ONE,
    places=((("location",), PlaceKind.REGION),),
    labels=(("tags",),),
    market=((("priority",), _SPOT),),
)
_S3_BUCKET = Store(
    vendor="aws",
    places=((("region",), PlaceKind.REGION),),
    labels=(("tags",), ("tags_all",)),
    # Provider versions before 4.0; later ones have a resource type of its own for it.
    replication=("replication_configuration",),
)

COVERED: dict[str, Covered] = {
    "aws_instance": Machines(
        vendor="aws",
        instance_type=("instance_type",),
        counting=Counting.ONE,
        places=(
            (("region",), PlaceKind.REGION),
            (("availability_zone",), PlaceKind.ZONE_WITHIN),
            (("arn",), PlaceKind.ARN),
        ),
        labels=(("tags",), ("tags_all",)),
        market=(
            (
                ("instance_market_options", 0, "market_type"),
                {"spot": PriceKind.SPOT, "capacity-block": PriceKind.RESERVED},
            ),
        ),
        template="launch_template",
    ),
    "aws_eks_node_group": Machines(
        vendor="aws",
        instance_type=("instance_types",),
        counting=Counting.EKS,
        places=((("region",), PlaceKind.REGION), (("arn",), PlaceKind.ARN)),
        labels=(("labels",), ("tags",), ("tags_all",)),
        market=(
            (
                ("capacity_type",),
                {
                    "on_demand": PriceKind.ON_DEMAND,
                    "spot": PriceKind.SPOT,
                    "capacity_block": PriceKind.RESERVED,
                },
            ),
        ),
        template="launch_template",
    ),
    "google_compute_instance": Machines(
        vendor="gcp",
        instance_type=("machine_type",),
        counting=Counting.ONE,
        places=((("zone",), PlaceKind.ZONE),),
        labels=(("labels",), ("terraform_labels",), ("effective_labels",)),
        market=(
            (
                ("scheduling", 0, "provisioning_model"),
                {
                    "spot": PriceKind.SPOT,
                    "standard": PriceKind.ON_DEMAND,
                    "flex_start": PriceKind.ON_DEMAND,
                    "reservation_bound": PriceKind.RESERVED,
                },
            ),
            (("scheduling", 0, "preemptible"), _PREEMPTIBLE),
        ),
        accelerators=("guest_accelerator",),
    ),
    "google_container_node_pool": Machines(
        vendor="gcp",
        instance_type=("node_config", 0, "machine_type"),
        counting=Counting.GKE,
        # `region` and `zone` are the names of provider versions before 3.0.
        places=(
            (("location",), PlaceKind.ZONE),
            (("zone",), PlaceKind.ZONE),
            (("region",), PlaceKind.REGION),
        ),
        labels=(("node_config", 0, "labels"), ("node_config", 0, "resource_labels")),
        market=(
            (("node_config", 0, "spot"), _PREEMPTIBLE),
            (("node_config", 0, "preemptible"), _PREEMPTIBLE),
        ),
        accelerators=("node_config", 0, "guest_accelerator"),
    ),
    "azurerm_linux_virtual_machine": _AZURE_MACHINE,
    "azurerm_windows_virtual_machine": _AZURE_MACHINE,
    "azurerm_kubernetes_cluster_node_pool": Machines(
        vendor="azure",
        instance_type=("vm_size",),
        counting=Counting.AKS,
        places=(),
        labels=(("node_labels",), ("tags",)),
        market=((("priority",), _SPOT),),
        cluster=("kubernetes_cluster_id", "azurerm_kubernetes_cluster"),
    ),
    "aws_s3_bucket": _S3_BUCKET,
    "aws_s3_bucket_replication_configuration": Copying(
        vendor="aws",
        places=((("region",), PlaceKind.REGION),),
        labels=(),
        store=_S3_BUCKET,
        store_type="aws_s3_bucket",
        name="bucket",
        source="bucket",
        rules=("rule", "destination"),
        target="bucket",
    ),
    "azurerm_storage_account": Store(
        vendor="azure",
        places=((("location",), PlaceKind.REGION),),
        labels=(("tags",),),
        redundancy=(
            ("account_replication_type",),
            {
                "LRS": False,
                "ZRS": False,
                "GRS": True,
                "RAGRS": True,
                "GZRS": True,
                "RAGZRS": True,
            },
        ),
    ),
    "google_storage_bucket": Store(
        vendor="gcp",
        places=((("location",), PlaceKind.LOCATION),),
        labels=(("labels",), ("terraform_labels",), ("effective_labels",)),
        locations=("custom_placement_config", 0, "data_locations"),
    ),
}
