"""Managed resources of Crossplane: machines of a cloud, in each version of the providers' kinds."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.kinds import Kinds, extended, shipped
from adapters.kubernetes.normalise import normalise_manifests
from service.errors import RequestRefused
from service.model.base import Reason, Role, Scope
from service.model.resource import Resource


def read(
    group: str, kind: str, stated: Any, first: Any = None, kinds: Kinds | None = None
) -> Resource:
    document = {
        "apiVersion": f"{group}/v1beta1",
        "kind": kind,
        "metadata": {"name": "x"},
        "spec": {"forProvider": stated, "initProvider": first},
    }
    request = normalise_manifests([document], scope=Scope(), caller="t", key="k", kinds=kinds)
    assert not request.not_covered
    return request.resources[0]


def eks(**stated: Any) -> Resource:
    return read("eks.aws.upbound.io", "NodeGroup", {"region": "eu-west-1", **stated})


def gke(**stated: Any) -> Resource:
    return read("container.gcp.upbound.io", "NodePool", stated)


MANAGED = [key for key, row in shipped().rows.items() if row.capacity and row.capacity.managed]


@pytest.mark.parametrize(("group", "kind"), MANAGED)
def test_every_kind_takes_a_machine_of_its_cloud(group: str, kind: str | None) -> None:
    found = read(group, kind or "", {})

    assert found.role is Role.CAPACITY
    assert found.vendor == group.split(".")[1]
    assert (found.nodes.min, found.nodes.max) in {(1, 1), (1, None)}
    assert found.unknown["/instance_type"] is Reason.UNDECLARED


def test_each_cloud_has_cluster_wide_and_namespaced_kinds() -> None:
    namespaced = {(group.replace(".m.", "."), kind) for group, kind in MANAGED if ".m." in group}

    assert namespaced == {(group, kind) for group, kind in MANAGED if ".m." not in group}


@pytest.mark.parametrize("prefix", ["", "m."])
def test_a_machine_is_capacity(prefix: str) -> None:
    found = read(
        f"ec2.aws.{prefix}upbound.io",
        "Instance",
        {"region": "eu-west-1", "instanceType": "p5.48xlarge"},
    )

    assert found.role is Role.CAPACITY
    assert (found.vendor, found.region) == ("aws", "eu-west-1")
    assert (found.instance_type, found.nodes.min, found.nodes.max) == ("p5.48xlarge", 1, 1)


@pytest.mark.parametrize(
    "sizes",
    [{"minSize": 1, "desiredSize": 2, "maxSize": 4}, [{"minSize": 1, "maxSize": 4}]],
    ids=["object", "list"],
)
def test_blocks_are_objects_or_lists_of_one(sizes: Any) -> None:
    found = eks(instanceTypes=["g6.xlarge"], scalingConfig=sizes)

    assert (found.instance_type, found.nodes.min, found.nodes.max) == ("g6.xlarge", 1, 4)


def test_of_several_types_nobody_knows_which_is_started() -> None:
    found = eks(instanceTypes=["g6.xlarge", "p5.48xlarge"])

    assert found.instance_type is None
    assert found.accelerators is None
    assert found.unknown["/accelerators"] is Reason.ELSEWHERE


def test_a_launch_template_says_what_the_group_leaves_out() -> None:
    found = eks(launchTemplate=[{"id": "lt-1"}])

    assert found.unknown["/instance_type"] is Reason.ELSEWHERE


def test_what_is_only_set_at_first_counts() -> None:
    found = read(
        "containerservice.azure.upbound.io",
        "KubernetesClusterNodePool",
        {"nodeCount": 2, "upgradeSettings": {"maxSurge": "1"}, "vmSize": None},
        {"nodeCount": 1, "vmSize": "Standard_ND96isr_H100_v5", "upgradeSettings": {"a": "b"}},
    )

    assert (found.instance_type, found.nodes.max) == ("Standard_ND96isr_H100_v5", 2)


@pytest.mark.parametrize(
    ("stated", "bounds"),
    [
        ({"location": "europe-west4-a", "nodeCount": 3}, (3, 3)),
        ({"location": "europe-west4", "nodeCount": 3}, (3, None)),
        ({"location": "europe-west4", "nodeLocations": ["a", "b"], "initialNodeCount": 3}, (6, 6)),
        ({"location": "europe-west4", "nodeLocations": ["a"], "nodeCount": 3}, (3, 3)),
        ({"location": "europe-west4-a", "autoscaling": [{"maxNodeCount": 4}]}, (0, 4)),
        ({"location": "europe-west4", "autoscaling": {"totalMaxNodeCount": 4}}, (0, 4)),
        ({"location": "europe-west4-a", "autoscaling": {"minNodeCount": 1}}, (1, None)),
    ],
)
def test_a_count_is_that_of_each_zone(
    stated: dict[str, Any], bounds: tuple[int | None, int | None]
) -> None:
    found = gke(**stated)

    assert (found.nodes.min, found.nodes.max) == bounds
    assert ("/nodes/max" in found.unknown) is (bounds[1] is None)
    assert found.region == "europe-west4"


def test_accelerators_may_be_attached_to_any_machine() -> None:
    card = {"type": "projects/x/acceleratorTypes/nvidia-tesla-t4", "count": 2}
    found = gke(
        location="europe-west4-a",
        nodeCount=3,
        nodeConfig=[
            {"machineType": "zones/z/machineTypes/n1-standard-8", "guestAccelerator": [card]}
        ],
    )

    assert found.zone == "europe-west4-a"
    assert found.instance_type == "n1-standard-8"
    (taken,) = found.accelerators or ()
    assert (taken.model, taken.manufacturer) == ("nvidia-tesla-t4", "nvidia")
    assert (taken.per_worker, taken.total.max, taken.sharing) == (2, 6, "whole")


@pytest.mark.parametrize(
    ("more", "sharing"),
    [
        ({"gpuPartitionSize": "1g.5gb"}, "mig"),
        ({"gpuSharingConfig": [{"gpuSharingStrategy": "TIME_SHARING"}]}, "time_sliced"),
    ],
)
def test_attached_accelerators_may_be_divided(more: dict[str, Any], sharing: str) -> None:
    card = {"type": "nvidia-l4", "count": 1, **more}
    found = gke(location="europe-west4-a", nodeConfig={"guestAccelerator": card})

    assert [taken.sharing for taken in found.accelerators or ()] == [sharing]


def test_what_is_attached_and_not_stated_is_not_known() -> None:
    cards = [{}, {"type": "nvidia-l4", "count": 0}, {"type": "tpu", "count": 1}]
    found = gke(location="europe-west4", nodeConfig={"guestAccelerator": cards})

    unstated, counted = found.accelerators or ()
    assert (unstated.model, unstated.per_worker, unstated.total.max) == (None, None, None)
    assert (counted.manufacturer, counted.total.min, counted.total.max) == (None, 1, None)
    assert {"/accelerators/0/model", "/accelerators/0/total", "/accelerators/1/total"} <= set(
        found.unknown
    )


@pytest.mark.parametrize("attached", [["nvidia-l4", "nvidia-t4"], [{}] * 17, 7])
def test_what_no_provider_takes_is_refused(attached: Any) -> None:
    with pytest.raises(RequestRefused, match="guestAccelerator"):
        gke(location="europe-west4-a", nodeConfig={"guestAccelerator": attached})


@pytest.mark.parametrize(
    ("kind", "stated"),
    [
        ("NodeGroup eks.aws.upbound.io", {"capacityType": "SPOT"}),
        ("Instance ec2.aws.upbound.io", {"instanceMarketOptions": [{"marketType": "spot"}]}),
        ("NodePool container.gcp.upbound.io", {"nodeConfig": {"spot": True}}),
        ("LinuxVirtualMachine compute.azure.upbound.io", {"priority": "Spot"}),
    ],
)
def test_a_machine_may_be_bought_as_spot(kind: str, stated: dict[str, Any]) -> None:
    name, group = kind.split()

    assert read(group, name, stated).price_kind == "spot"
    assert read(group, name, {}).price_kind is None


@pytest.mark.parametrize("priority", ["Regular", True, ["a", "b"], {"x": 1}])
def test_what_says_nothing_of_spot_is_none(priority: Any) -> None:
    found = read("compute.azure.upbound.io", "LinuxVirtualMachine", {"priority": priority})

    assert found.price_kind == ("spot" if priority is True else None)


def test_a_kind_of_ones_own_need_not_say_how_it_is_bought() -> None:
    table = (
        b"kinds: [{group: cloud.example.org, kind: Machine, takes: capacity, source: s,"
        b" capacity: {instance_type: spec.forProvider.size, managed: {}}}]"
    )
    found = read(
        "cloud.example.org", "Machine", {"size": "large"}, kinds=extended(table, name="own.yaml")
    )

    assert (found.instance_type, found.price_kind) == ("large", None)


def test_a_region_of_azure_has_two_names() -> None:
    found = read(
        "compute.azure.upbound.io",
        "LinuxVirtualMachine",
        {"location": "West Europe", "size": "Standard_NC24ads_A100_v4"},
    )

    assert (found.vendor, found.region) == ("azure", "westeurope")
