"""Node labels that name an accelerator, a vendor, a way to buy or a way to share.

Names as in the documentation of the device plugins, of Karpenter and of the clouds; the last
column of ``kubernetes_labels.csv`` in the catalog's sources names the pages.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from service.model.base import PriceKind
from service.model.resource import Sharing

if TYPE_CHECKING:
    from adapters.kubernetes.nodes import Nodes

_MODELS = (
    ("nvidia.com/gpu.product", ("nvidia",)),
    ("cloud.google.com/gke-accelerator", ("nvidia",)),
    ("gpu.nvidia.com/model", ("nvidia",)),
    ("gpu.nvidia.com/class", ("nvidia",)),
    ("karpenter.k8s.aws/instance-gpu-name", ("nvidia", "amd")),
    ("k8s.amazonaws.com/accelerator", ("nvidia",)),
    ("nebius.com/gpu-name", ("nvidia",)),
    ("amd.com/gpu.product-name", ("amd",)),
    ("gpu.intel.com/product", ("intel",)),
    ("cloud.google.com/gke-tpu-accelerator", ("google",)),
    ("karpenter.k8s.aws/instance-accelerator-name", ("aws", "intel")),
)
"""Labels that hold a product, and whose products they hold; the most exact first."""

_VENDORS = (
    ("cloud.google.com/", "gcp"),
    ("karpenter.k8s.aws/", "aws"),
    ("eks.amazonaws.com/", "aws"),
    ("k8s.amazonaws.com/", "aws"),
    ("topology.k8s.aws/", "aws"),
    ("kubernetes.azure.com/", "azure"),
    ("backend.coreweave.cloud/", "coreweave"),
    ("ib.coreweave.cloud/", "coreweave"),
    ("node.coreweave.cloud/", "coreweave"),
    ("nebius.com/", "nebius"),
    ("oci.oraclecloud.com/", "oci"),
)
_PRICE_KINDS = {
    ("karpenter.sh/capacity-type", "spot"): PriceKind.SPOT,
    ("karpenter.sh/capacity-type", "on-demand"): PriceKind.ON_DEMAND,
    ("karpenter.sh/capacity-type", "reserved"): PriceKind.RESERVED,
    ("eks.amazonaws.com/capacityType", "SPOT"): PriceKind.SPOT,
    ("eks.amazonaws.com/capacityType", "ON_DEMAND"): PriceKind.ON_DEMAND,
    ("eks.amazonaws.com/capacityType", "CAPACITY_BLOCK"): PriceKind.RESERVED,
    ("cloud.google.com/gke-spot", "true"): PriceKind.SPOT,
    ("cloud.google.com/gke-preemptible", "true"): PriceKind.SPOT,
    ("kubernetes.azure.com/scalesetpriority", "spot"): PriceKind.SPOT,
}
_SHARINGS = {
    ("nvidia.com/gpu.sharing-strategy", "time-slicing"): Sharing.TIME_SLICED,
    ("nvidia.com/gpu.sharing-strategy", "mps"): Sharing.TIME_SLICED,
    ("cloud.google.com/gke-gpu-sharing-strategy", "time-sharing"): Sharing.TIME_SLICED,
    ("cloud.google.com/gke-gpu-sharing-strategy", "mps"): Sharing.TIME_SLICED,
}
_PARTITION = "cloud.google.com/gke-gpu-partition-size"
_TOPOLOGIES = (
    "cloud.google.com/gke-tpu-topology",
    "backend.coreweave.cloud/fabric",
    "ib.coreweave.cloud/fabric",
    "nvidia.com/gpu.clique",
)


_MODELS_IN_KEYS = ("amd.com/gpu.product-name.", "beta.amd.com/gpu.product-name.")
"""As ``beta.amd.com/gpu.product-name.AMD_Instinct_MI300X_OAM: "8"``
(ROCm/k8s-device-plugin cmd/k8s-node-labeller/README.md)."""

_ACCELERATED = (
    "nvidia.com/gpu",
    "nvidia.com/mig",
    "gpu.nvidia.com/",
    "amd.com/gpu",
    "beta.amd.com/gpu",
    "gpu.intel.com/",
    "habana.ai/",
    "karpenter.k8s.aws/instance-gpu-",
    "karpenter.k8s.aws/instance-accelerator-",
)
"""How labels begin that only nodes with accelerators have."""


def names_accelerators(label: str) -> bool:
    """Whether only nodes with accelerators have *label*."""
    return label.startswith(_ACCELERATED) or any(label == name for name, _ in _MODELS)


@lru_cache(maxsize=4096)
def says_what_it_is(label: str) -> bool:
    """Whether *label* may say of a node who sells it or which accelerators it has."""
    return names_accelerators(label) or any(label.startswith(prefix) for prefix, _ in _VENDORS)


def product(nodes: Nodes, manufacturer: str | None) -> str | None:
    """The product that every possible node has, of *manufacturer* if that is known."""
    for label, makers in _MODELS:
        if (manufacturer is None or manufacturer in makers) and (found := nodes.only(label)):
            return found
    if manufacturer in (None, "amd"):
        # AMD's node labeller counts cards under keys that end in the value.
        for label in nodes.constraints:
            for prefix in _MODELS_IN_KEYS:
                if label.startswith(prefix):
                    return label[len(prefix) :]
    return None


def sharing(nodes: Nodes) -> Sharing | None:
    """How the accelerators of every possible node are shared."""
    for (label, value), kind in _SHARINGS.items():
        if nodes.only(label) == value:
            return kind
    return None


def partition(nodes: Nodes) -> str | None:
    """The MIG profile that every possible node is divided into."""
    return nodes.only(_PARTITION)


def vendor(nodes: Nodes) -> str | None:
    """The vendor whose labels are required."""
    for label, constraint in nodes.constraints.items():
        if constraint.allowed is None:
            continue
        for prefix, name in _VENDORS:
            if label.startswith(prefix):
                return name
    return None


def price_kind(nodes: Nodes) -> PriceKind | None:
    """How the capacity of every possible node is bought."""
    for (label, value), kind in _PRICE_KINDS.items():
        if nodes.only(label) == value:
            return kind
    return None


def topology(nodes: Nodes) -> str | None:
    """The shape or the part of the network that is required."""
    return next((found for label in _TOPOLOGIES if (found := nodes.only(label))), None)
