"""A pod that reaches accelerators past the scheduler takes some, and nobody knows how many."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.normalise import normalise_manifests
from service.model.base import Reason, Scope
from service.model.resource import Resource

GPU = "nvidia.com/gpu"
PRIVILEGED = {"securityContext": {"privileged": True}}


def container(**more: Any) -> dict[str, Any]:
    return {"name": "c", "image": "i", **more}


def asking(number: int = 1, resource: str = GPU, **more: Any) -> dict[str, Any]:
    return container(resources={"limits": {resource: number}}, **more)


def shown(name: str = "NVIDIA_VISIBLE_DEVICES", **value: Any) -> dict[str, Any]:
    return container(env=[{"name": name, **(value or {"value": "all"})}])


def files(path: str) -> dict[str, Any]:
    return {"containers": [container()], "volumes": [{"name": "v", "hostPath": {"path": path}}]}


def read(pod: dict[str, Any], **metadata: Any) -> Resource:
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", **metadata},
        "spec": {"containers": [container()], **pod},
    }
    request = normalise_manifests([document], scope=Scope(), caller="t", key="k")
    return request.resources[0]


@pytest.mark.parametrize(
    ("pod", "ways"),
    [
        ({"containers": [shown()]}, ["NVIDIA_VISIBLE_DEVICES"]),
        ({"containers": [shown(value="0,1")]}, ["NVIDIA_VISIBLE_DEVICES"]),
        ({"containers": [shown(valueFrom={"x": {}})]}, ["NVIDIA_VISIBLE_DEVICES"]),
        ({"initContainers": [shown("AMD_VISIBLE_DEVICES")]}, ["AMD_VISIBLE_DEVICES"]),
        ({"ephemeralContainers": [shown()]}, ["NVIDIA_VISIBLE_DEVICES"]),
        ({"containers": [shown("HABANA_VISIBLE_DEVICES")]}, ["HABANA_VISIBLE_DEVICES"]),
        (
            {
                "containers": [
                    container(volumeMounts=[{"mountPath": "/var/run/nvidia-container-devices/0"}])
                ]
            },
            ["/var/run/nvidia-container-devices"],
        ),
        (files("/dev/nvidia0"), ["/dev/nvidia0"]),
        (files("/dev/kfd"), ["/dev/kfd"]),
        (files("/dev/dri/renderD128"), ["/dev/dri/renderD128"]),
        ({"runtimeClassName": "nvidia"}, ["runtimeClassName"]),
        ({"runtimeClassName": "nvidia-cdi"}, ["runtimeClassName"]),
        ({"runtimeClassName": "nvidia", "containers": [asking(0)]}, ["runtimeClassName"]),
        (
            {"containers": [asking(0, env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])]},
            ["NVIDIA_VISIBLE_DEVICES"],
        ),
        (
            {"containers": [container(**PRIVILEGED)], "tolerations": [{"key": GPU}]},
            ["securityContext.privileged"],
        ),
        (
            {
                "containers": [container(**PRIVILEGED)],
                "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
            },
            ["securityContext.privileged"],
        ),
        (
            {
                "containers": [container(**PRIVILEGED)],
                "affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {
                                    "matchExpressions": [
                                        {"key": "nvidia.com/gpu.present", "operator": "Exists"}
                                    ]
                                }
                            ]
                        }
                    }
                },
            },
            ["securityContext.privileged"],
        ),
        ({"containers": [asking(1, "gpu.intel.com/monitoring")]}, ["gpu.intel.com/monitoring"]),
    ],
)
def test_a_way_past_the_scheduler_takes_an_unknown_number(
    pod: dict[str, Any], ways: list[str]
) -> None:
    resource = read(pod)

    assert list(resource.placement.bypasses) == ways
    assert resource.accelerators is None
    assert resource.unknown["/accelerators"] is Reason.UNDECLARED


@pytest.mark.parametrize("path", ["//dev//kfd", "/./dev/./kfd", "dev/kfd", "/dev/x/../kfd"])
def test_a_path_is_read_as_the_kernel_follows_it(path: str) -> None:
    assert read(files(path)).placement.bypasses == ("/dev/kfd",)


@pytest.mark.parametrize(
    "path", ["//var/run//nvidia-container-devices/all", "var/run/./nvidia-container-devices/0"]
)
def test_a_mount_is_read_as_the_container_runtime_cleans_it(path: str) -> None:
    found = read({"containers": [container(volumeMounts=[{"mountPath": path}])]})

    assert found.placement.bypasses == ("/var/run/nvidia-container-devices",)


def test_devices_may_be_named_in_annotations() -> None:
    found = read({}, annotations={"cdi.k8s.io/all": "nvidia.com/gpu=all"})

    assert found.placement.bypasses == ("cdi.k8s.io/all",)


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"containers": [shown(value="none")]},
        {"containers": [shown(value="void")]},
        {"containers": [container(**PRIVILEGED)]},
        {"containers": [container(**PRIVILEGED)], "tolerations": [{"operator": "Exists"}]},
        {"runtimeClassName": "gvisor"},
        files("/dev/shm"),  # noqa: S108  # a path on a node
        files("/dev/driver"),
        {"volumes": [{"name": "v", "emptyDir": {}}]},
    ],
)
def test_what_reaches_no_accelerators_takes_none(pod: dict[str, Any]) -> None:
    resource = read(pod)

    assert (resource.placement.bypasses, resource.accelerators) == ((), ())


@pytest.mark.parametrize(
    "pod",
    [
        {"runtimeClassName": "nvidia", "containers": [asking(**PRIVILEGED)]},
        {"containers": [asking(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])]},
        {"runtimeClassName": "nvidia", "resources": {"limits": {GPU: 1}}},
    ],
)
def test_who_asks_the_scheduler_bypasses_nothing(pod: dict[str, Any]) -> None:
    resource = read(pod)

    assert resource.placement.bypasses == ()
    assert [item.total.max for item in resource.accelerators or ()] == [1]


def test_a_claim_asks_the_scheduler_too() -> None:
    claimed = read({"runtimeClassName": "nvidia", "resourceClaims": [{"name": "a"}]})

    assert claimed.placement.bypasses == ()


def test_a_container_beside_one_that_asks_takes_more_than_is_asked_for() -> None:
    resource = read({"containers": [asking(), shown()]})

    assert [item.total.max for item in resource.accelerators or ()] == [1, None]
    assert resource.unknown["/accelerators/1"] is Reason.UNDECLARED


def test_labels_of_amd_have_the_product_in_the_key() -> None:
    key = "beta.amd.com/gpu.product-name.AMD_Instinct_MI300X_OAM"
    resource = read({"containers": [asking(8, "amd.com/gpu")], "nodeSelector": {key: "8"}})
    other = read({"containers": [asking()], "nodeSelector": {key: "8"}})

    assert (resource.accelerators or ())[0].model == "AMD_Instinct_MI300X_OAM"
    assert (other.accelerators or ())[0].model is None


def test_several_vendors_in_one_pod_are_counted_apart() -> None:
    resource = read({"containers": [asking(), asking(2, "amd.com/gpu")]})

    found = {item.resource: item.total.max for item in resource.accelerators or ()}
    assert found == {GPU: 1, "amd.com/gpu": 2}


@pytest.mark.parametrize("quantity", ["", "${GPU}", "{{ gpus }}", "1.5"])
def test_a_quantity_that_is_none_is_not_known_and_not_zero(quantity: str) -> None:
    resource = read({"containers": [asking(quantity)]})  # type: ignore[arg-type]  # on purpose

    assert (resource.accelerators or ())[0].total.max is None
    assert resource.unknown["/accelerators/0/total"] is Reason.UNDECLARED
