from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes import labels
from adapters.kubernetes.nodes import REGION, ZONE, Constraint, Nodes, read_nodes
from service.model.base import PriceKind
from service.model.resource import Sharing


def expression(*values: str, key: str = REGION, operator: str = "In") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def term(*expressions: dict[str, Any]) -> dict[str, Any]:
    return {"matchExpressions": list(expressions)}


def nodes(*terms: dict[str, Any], selector: dict[str, str] | None = None, **more: Any) -> Nodes:
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)},
        **more,
    }
    return read_nodes({"nodeSelector": selector, "affinity": {"nodeAffinity": affinity}})


@pytest.mark.parametrize(
    ("found", "constraint"),
    [
        (nodes(), Constraint()),
        (nodes(selector={REGION: "a"}), Constraint(("a",))),
        (nodes(selector={"failure-domain.beta.kubernetes.io/region": "a"}), Constraint(("a",))),
        (nodes(term(expression("a", "b"))), Constraint(("a", "b"))),
        (nodes(term(expression("a")), term(expression("b"))), Constraint(("a", "b"))),
        (nodes(term(expression("a")), term(expression("z", key=ZONE))), Constraint()),
        (nodes(term(expression("a")), {}), Constraint(("a",))),
        (nodes(term(expression("a", "b"), expression("b", "c"))), Constraint(("b",))),
        (
            nodes(term(expression("a", "b"), expression("b", operator="NotIn"))),
            Constraint(("a",), ("b",)),
        ),
        (nodes(term(expression("a", operator="NotIn"))), Constraint(None, ("a",))),
        (
            nodes(
                term(expression("a", "b", operator="NotIn")),
                term(expression("b", operator="NotIn")),
            ),
            Constraint(None, ("b",)),
        ),
        (nodes(term(expression("a", operator="NotIn")), term(expression("b"))), Constraint()),
        (nodes(term(expression("a", "b")), selector={REGION: "b"}), Constraint(("b",))),
        (nodes(term(expression("a")), selector={REGION: "b"}), Constraint(("b",))),
        (nodes(term(expression(operator="Exists"))), Constraint()),
        (nodes(term(expression("9", operator="Gt"))), Constraint()),
    ],
)
def test_a_region_is_required_only_if_every_way_to_run_requires_it(
    found: Nodes, constraint: Constraint
) -> None:
    assert constraint == found.of(REGION)


def test_a_preference_requires_nothing() -> None:
    preferred = [{"weight": 1, "preference": term(expression("a"))}]

    found = nodes(preferredDuringSchedulingIgnoredDuringExecution=preferred)

    assert found == Nodes({}, ("a",))


@pytest.mark.parametrize(
    ("selector", "maker", "product"),
    [
        ({"nvidia.com/gpu.product": "NVIDIA-L4"}, "nvidia", "NVIDIA-L4"),
        ({"nvidia.com/gpu.product": "NVIDIA-L4"}, "amd", None),
        ({"nvidia.com/gpu.product": "NVIDIA-L4"}, None, "NVIDIA-L4"),
        ({"cloud.google.com/gke-accelerator": "nvidia-l4"}, "nvidia", "nvidia-l4"),
        ({"cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice"}, "google", "tpu-v6e-slice"),
        ({"gpu.nvidia.com/class": "H100_NVLINK_80GB"}, "nvidia", "H100_NVLINK_80GB"),
        ({"karpenter.k8s.aws/instance-gpu-name": "l40s"}, "nvidia", "l40s"),
        ({"karpenter.k8s.aws/instance-accelerator-name": "trainium2"}, "aws", "trainium2"),
        ({"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"}, "amd", "AMD_Instinct_MI300X_OAM"),
    ],
)
def test_a_label_names_the_product_of_its_maker(
    selector: dict[str, str], maker: str | None, product: str | None
) -> None:
    assert product == labels.product(nodes(selector=selector), maker)


def test_two_products_name_none() -> None:
    found = nodes(term(expression("NVIDIA-L4", "NVIDIA-A10", key="nvidia.com/gpu.product")))

    assert labels.product(found, "nvidia") is None


def test_labels_tell_vendor_price_sharing_and_shape() -> None:
    selector = {
        "cloud.google.com/gke-spot": "true",
        "cloud.google.com/gke-gpu-sharing-strategy": "time-sharing",
        "cloud.google.com/gke-gpu-partition-size": "1g.5gb",
        "cloud.google.com/gke-tpu-topology": "2x4",
    }
    found = nodes(selector=selector)

    assert labels.vendor(found) == "gcp"
    assert labels.price_kind(found) is PriceKind.SPOT
    assert labels.sharing(found) is Sharing.TIME_SLICED
    assert labels.partition(found) == "1g.5gb"
    assert labels.topology(found) == "2x4"


def test_a_label_that_is_excluded_names_no_vendor() -> None:
    excluded = expression("a", key="eks.amazonaws.com/nodegroup", operator="NotIn")

    assert labels.vendor(nodes(term(excluded))) is None
