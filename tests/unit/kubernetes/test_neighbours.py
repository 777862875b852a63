"""What the object of a review names, looked up in a watched cluster."""

from __future__ import annotations

from typing import Any

import pytest
from views import MemoryView

from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.view import UNWATCHED, ClusterView
from service.model.base import Change, Range, Reason
from service.model.request import Request
from service.model.resource import Resource

NAMESPACE = "prod"


def named(api: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, **parts.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def claim(kind: str = "ResourceClaim", **exactly: Any) -> dict[str, Any]:
    requests = [{"name": "r", "exactly": {"deviceClassName": "gpu.nvidia.com", **exactly}}]
    spec: dict[str, Any] = {"devices": {"requests": requests}}
    spec = {"spec": spec} if kind == "ResourceClaimTemplate" else spec
    return named("resource.k8s.io/v1", kind, "cards", spec=spec)


def device_class(name: str, expression: str = "", **spec: Any) -> dict[str, Any]:
    selectors = [{"cel": {"expression": expression}}] if expression else []
    document = named(
        "resource.k8s.io/v1", "DeviceClass", name, spec={"selectors": selectors} | spec
    )
    del document["metadata"]["namespace"]
    return document


def pod(*, by: str | None = None, **limits: int) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "one", "image": "i"}
    if limits:
        container["resources"] = {"limits": limits}
    spec: dict[str, Any] = {"containers": [container]}
    if by is not None:
        spec["resourceClaims"] = [{"name": "c", by: "cards"}]
    return spec


def deployment(replicas: int = 2, **template: Any) -> dict[str, Any]:
    template = template or pod(**{"nvidia.com/gpu": 4})
    spec = {"replicas": replicas, "template": {"spec": template}}
    labels = {"portreeve.dev/team": "vision"}
    return named("apps/v1", "Deployment", "llama", metadata={"labels": labels}, spec=spec)


def autoscaler(least: int = 1, most: int = 5, **target: str) -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama", **target}
    spec = {"scaleTargetRef": reference, "minReplicas": least, "maxReplicas": most}
    return named("autoscaling/v2", "HorizontalPodAutoscaler", "llama", spec=spec)


def scale(replicas: int) -> dict[str, Any]:
    return named("autoscaling/v1", "Scale", "llama", spec={"replicas": replicas})


def review(
    new: dict[str, Any], old: dict[str, Any] | None = None, **request: Any
) -> dict[str, Any]:
    group, _, version = new["apiVersion"].rpartition("/")
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": group, "version": version, "kind": new["kind"]},
            "resource": {"group": group, "version": version, "resource": "things"},
            "name": new["metadata"]["name"],
            "namespace": NAMESPACE,
            "operation": "CREATE" if old is None else "UPDATE",
            "userInfo": {"username": "jane"},
            "object": new,
            "oldObject": old,
            **request,
        },
    }


def asked(document: dict[str, Any], view: ClusterView) -> Request:
    return normalise_review(document, cluster="lab", caller="test", view=view)


def read(view: ClusterView, new: dict[str, Any], old: dict[str, Any] | None = None) -> Resource:
    return asked(review(new, old), view).resources[0]


def scaled(view: ClusterView, new: int, old: int) -> Resource:
    resource = {"group": "apps", "version": "v1", "resource": "deployments"}
    document = review(scale(new), scale(old), subResource="scale", resource=resource)
    return asked(document, view).resources[0]


def test_a_claim_by_name_is_counted_at_the_claim() -> None:
    resource = read(MemoryView(claim(count=3)), deployment(**pod(by="resourceClaimName")))

    (item,) = resource.accelerators or ()
    assert (item.manufacturer, item.per_worker, item.total) == ("nvidia", 3, Range(min=0, max=0))
    assert resource.provenance["/accelerators/0"] == "inferred:shared_claim"
    assert "/accelerators" not in resource.unknown


def test_a_claim_of_a_template_is_one_for_each_pod() -> None:
    template = claim("ResourceClaimTemplate", count=3)
    resource = read(MemoryView(template), deployment(**pod(by="resourceClaimTemplateName")))

    (item,) = resource.accelerators or ()
    assert item.total == Range(min=6, max=6)


@pytest.mark.parametrize("by", ["resourceClaimName", "resourceClaimTemplateName"])
def test_a_claim_that_is_not_there_is_elsewhere_and_never_nothing(by: str) -> None:
    resource = read(MemoryView(), deployment(**pod(by=by)))

    assert resource.accelerators is None
    assert resource.unknown["/accelerators"] is Reason.ELSEWHERE


def test_a_claim_in_another_namespace_is_another_claim() -> None:
    other = claim()
    other["metadata"]["namespace"] = "trial"

    resource = read(MemoryView(other), deployment(**pod(by="resourceClaimName")))

    assert resource.accelerators is None


def test_a_claim_that_cannot_be_read_is_elsewhere() -> None:
    broken = claim()
    broken["spec"]["devices"]["requests"] = "all"

    resource = read(MemoryView(broken), deployment(**pod(by="resourceClaimName")))

    assert resource.unknown["/accelerators"] is Reason.ELSEWHERE


def test_administrative_access_of_a_claim_by_name_is_seen() -> None:
    view = MemoryView(claim(adminAccess=True))

    resource = read(view, deployment(**pod(by="resourceClaimName")))

    assert resource.placement.admin_access == ("gpu.nvidia.com",)
    assert resource.accelerators == ()


def test_the_class_of_a_claim_says_what_its_devices_are() -> None:
    expression = "device.attributes['gpu.nvidia.com'].productName == 'NVIDIA L4'"
    view = MemoryView(device_class("fast", f"device.driver == 'gpu.nvidia.com' && {expression}"))
    resource = read(view, claim(deviceClassName="fast"))

    (item,) = resource.accelerators or ()
    assert (item.manufacturer, item.model) == ("nvidia", "NVIDIA-L4")


def test_a_class_may_stand_behind_an_extended_resource_of_any_name() -> None:
    view = MemoryView(
        device_class(
            "fast", "device.driver == 'gpu.amd.com'", extendedResourceName="lab.example/fast"
        )
    )
    asks = deployment(**pod(**{"lab.example/fast": 2}))

    resource = read(view, asks)

    (item,) = resource.accelerators or ()
    assert (item.resource, item.manufacturer) == ("lab.example/fast", "amd")
    assert read(UNWATCHED, asks).accelerators == ()


def test_classes_are_read_again_after_a_change_only() -> None:
    view = MemoryView(claim(deviceClassName="fast"))
    asks = deployment(**pod(by="resourceClaimName"))
    before = read(view, asks)
    asked_once = view.asked
    read(view, asks)

    assert view.asked == asked_once + 1  # the claim, and no class again

    view.put(device_class("fast", "device.driver == 'gpu.amd.com'"))
    after = read(view, asks)

    assert [(r.accelerators or ())[0].manufacturer for r in (before, after)] == [None, "amd"]


def test_classes_that_cannot_be_read_are_passed_over() -> None:
    nameless = device_class("fast", extendedResourceName="lab.example/fast")
    view = MemoryView(nameless, device_class("odd", extendedResourceName=["x"]))
    nameless["metadata"]["name"] = None

    resource = read(view, deployment(**pod(**{"lab.example/fast": 2})))

    assert resource.accelerators == ()


def test_an_autoscaler_takes_what_its_target_takes_at_most() -> None:
    resource = read(MemoryView(deployment()), autoscaler(2, 5))

    (item,) = resource.accelerators or ()
    assert (item.resource, item.per_worker) == ("nvidia.com/gpu", 4)
    assert item.total == Range(min=8, max=20)
    assert (resource.copies, resource.workers_per_copy) == (Range(min=2, max=5), 1)
    assert resource.provenance["/accelerators"] == "inferred:scale_target"
    assert resource.ownership.team == "vision"
    assert resource.kind == "HorizontalPodAutoscaler"
    assert resource.labels == {}


def test_the_groups_of_leader_and_workers_are_scaled_together() -> None:
    group = named(
        "leaderworkerset.x-k8s.io/v1",
        "LeaderWorkerSet",
        "llama",
        spec={
            "replicas": 1,
            "leaderWorkerTemplate": {
                "size": 4,
                "leaderTemplate": {"spec": pod(**{"nvidia.com/gpu": 8})},
                "workerTemplate": {"spec": pod(**{"nvidia.com/gpu": 8})},
            },
        },
    )
    target = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet"}

    resource = read(MemoryView(group), autoscaler(1, 3, **target))

    assert [item.total for item in resource.accelerators or ()] == [Range(min=32, max=96)]
    assert resource.workers_per_copy == 4


def test_a_scaled_object_means_a_deployment_and_may_scale_to_nothing() -> None:
    spec = {"scaleTargetRef": {"name": "llama"}, "minReplicaCount": 0, "maxReplicaCount": 3}
    resource = read(
        MemoryView(deployment()), named("keda.sh/v1alpha1", "ScaledObject", "s", spec=spec)
    )

    assert [item.total for item in resource.accelerators or ()] == [Range(min=0, max=12)]


def test_scaling_is_an_update_of_what_the_target_takes() -> None:
    resource = scaled(MemoryView(deployment()), 6, 2)

    assert (resource.address, resource.change) == ("Deployment prod/llama", Change.UPDATE)
    assert [item.total.max for item in resource.accelerators or ()] == [24]
    assert resource.before is not None
    assert [item.total.max for item in resource.before.accelerators or ()] == [8]


def test_scaling_to_the_same_number_changes_nothing() -> None:
    assert scaled(MemoryView(deployment()), 2, 2).change is Change.NO_OP


def test_scaling_what_is_not_there_stays_elsewhere() -> None:
    for view in (MemoryView(), UNWATCHED):
        assert scaled(view, 6, 2).unknown["/accelerators"] is Reason.ELSEWHERE
        assert read(view, autoscaler()).unknown["/accelerators"] is Reason.ELSEWHERE


def test_a_target_without_accelerators_takes_none_whether_its_pods_are_kept_or_not() -> None:
    whole = deployment(**pod())
    short = {**whole, "spec": {"replicas": 2}}

    for target in (whole, short):
        resource = read(MemoryView(target), autoscaler(2, 5))
        assert (resource.accelerators, resource.copies) == ((), Range(min=2, max=5))
        assert not resource.unknown


@pytest.mark.parametrize(
    "target",
    [
        {"kind": "Service", "apiVersion": "v1"},
        {"kind": "Unheard", "apiVersion": "x.example/v1"},
        {"kind": "Job", "apiVersion": "batch/v1"},
    ],
)
def test_targets_whose_replicas_say_nothing_stay_elsewhere(target: dict[str, str]) -> None:
    spec = {"template": {"spec": pod(**{"nvidia.com/gpu": 1})}}
    there = named(target["apiVersion"], target["kind"], "llama", spec=spec)

    resource = read(MemoryView(there), autoscaler(**target))

    assert resource.unknown["/accelerators"] is Reason.ELSEWHERE


def test_a_target_that_cannot_be_read_stays_elsewhere() -> None:
    broken = deployment(containers="none")

    resource = read(MemoryView(broken), autoscaler())

    assert resource.unknown["/accelerators"] is Reason.ELSEWHERE


def test_an_autoscaler_that_names_nothing_stays_elsewhere() -> None:
    nothing = autoscaler()
    del nothing["spec"]["scaleTargetRef"]

    assert read(MemoryView(), nothing).unknown["/accelerators"] is Reason.ELSEWHERE


def test_a_deleted_autoscaler_had_what_its_target_has() -> None:
    document = review(autoscaler(), operation="DELETE", object=None, oldObject=autoscaler(1, 5))
    resource = asked(document, MemoryView(deployment())).resources[0]

    assert resource.before is not None
    assert [item.total.max for item in resource.before.accelerators or ()] == [20]
