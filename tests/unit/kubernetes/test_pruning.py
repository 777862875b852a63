from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes import kinds
from adapters.kubernetes.kinds import Kind, group_of
from adapters.kubernetes.pruning import prune
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import ALWAYS, watched_kinds


def _kind(document: dict[str, Any]) -> Kind | None:
    return kinds.shipped().find(group_of(document["apiVersion"]), document["kind"])


def _pruned(document: dict[str, Any]) -> dict[str, Any]:
    kept = prune(document, _kind(document))
    assert kept is not None
    return kept


def _pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "team"},
        "spec": {"containers": [{"name": "c", "image": "app", **(container or {})}], **spec},
    }


def _deployment(pod: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "team", **metadata},
        "spec": {"replicas": 3, "template": {"metadata": {}, "spec": pod["spec"]}},
        "status": {"readyReplicas": 3, "conditions": [{"type": "Available", "status": "True"}]},
    }


_GPU = {"resources": {"limits": {"nvidia.com/gpu": "2"}}}


def test_metadata_keeps_who_it_is_and_who_made_it() -> None:
    owner = {"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u"}
    document = _deployment(
        _pod(_GPU),
        uid="1",
        resourceVersion="77",
        generation=4,
        labels={"app": "a"},
        annotations={
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "portreeve.dev/data-class": "x" * 600,
            "cluster.x-k8s.io/min": "1",
            "long.example/text": "x" * 600,
        },
        managedFields=[{"manager": "kubectl"}],
        ownerReferences=[owner, {**owner, "uid": "v", "controller": True, "extra": 1}],
    )
    assert _pruned(document)["metadata"] == {
        "name": "d",
        "namespace": "team",
        "uid": "1",
        "generation": 4,
        "labels": {"app": "a"},
        "annotations": {"portreeve.dev/data-class": "x" * 600, "cluster.x-k8s.io/min": "1"},
        "ownerReferences": [{**owner, "uid": "v", "controller": True}],
    }


def test_a_workload_that_takes_accelerators_is_kept_whole() -> None:
    document = _deployment(_pod(_GPU))
    kept = _pruned(document)
    assert kept["spec"] == document["spec"]
    assert "status" not in kept


def test_a_workload_that_takes_nothing_is_kept_without_its_pods() -> None:
    assert _pruned(_deployment(_pod({"resources": {"limits": {"cpu": "4"}}})))["spec"] == {
        "replicas": 3
    }


@pytest.mark.parametrize(
    "pod",
    [
        _pod(_GPU),
        _pod({"resources": {"requests": {"cpu": "1", "example.org/card": "1"}}}),
        _pod({"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}),
        _pod({"env": [{"name": "ANY_VISIBLE_DEVICES", "value": "0"}]}),
        _pod({"securityContext": {"privileged": True}}, tolerations=[{"operator": "Exists"}]),
        _pod(volumes=[{"name": "d", "hostPath": {"path": "/dev/kfd"}}]),
        _pod(runtimeClassName="fast"),
        _pod(resourceClaims=[{"name": "c", "resourceClaimName": "c"}]),
        _pod(nodeSelector={"cloud.google.com/gke-tpu-topology": "2x2"}),
        _pod(tolerations=[{"key": "vgpu", "operator": "Exists"}]),
        _pod({"volumeMounts": [{"mountPath": "/var/run/nvidia-container-devices/0"}]}),
    ],
    ids=str,
)
def test_every_way_to_an_accelerator_keeps_the_pods(pod: dict[str, Any]) -> None:
    document = _deployment(pod)
    assert _pruned(document)["spec"] == document["spec"]
    assert prune(pod, _kind(pod)) is not None


@pytest.mark.parametrize("word", ["input", "output", "inputs-throughput", "tpulse"])
def test_words_that_only_contain_the_name_of_an_accelerator_say_little(word: str) -> None:
    kept = _pruned(_deployment(_pod({"args": [word]})))
    assert ("template" in kept["spec"]) is (word == "tpulse")


def test_what_the_api_server_writes_into_every_container_is_no_sign() -> None:
    defaults = {"terminationMessagePath": "/dev/termination-log", "image": "app"}
    shared = {"volumeMounts": [{"name": "s", "mountPath": "/dev/shm"}]}  # noqa: S108  # a mount
    assert "template" not in _pruned(_deployment(_pod({**defaults, **shared})))["spec"]


def test_pods_are_kept_only_where_nothing_made_them_and_they_take_something() -> None:
    owned = _pod(_GPU)
    owned["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "controller": True}]
    assert prune(owned, _kind(owned)) is None
    assert prune(_pod(), _kind(_pod())) is None
    owned["metadata"]["ownerReferences"][0]["controller"] = False
    assert prune(owned, _kind(owned)) is not None


def test_what_names_others_is_kept_whole_since_they_may_take_something() -> None:
    document = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "t"},
        "spec": {"runtimeRef": {"name": "torch"}},
    }
    assert _pruned(document)["spec"] == document["spec"]


def test_what_a_kind_says_outside_of_its_specification_is_kept() -> None:
    document = {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"name": "w"},
        "resource": {"instanceType": "Standard_NC24ads_A100_v4"},
    }
    assert _pruned(document)["resource"] == document["resource"]


def test_an_autoscaler_keeps_what_it_scales_and_how_far() -> None:
    document = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {"scaleTargetRef": {"name": "d"}, "maxReplicas": 4, "metrics": [{}]},
        "status": {"currentReplicas": 3, "desiredReplicas": 3},
    }
    kept = _pruned(document)
    assert kept["spec"] == {"scaleTargetRef": {"name": "d"}, "maxReplicas": 4}
    assert "status" not in kept


def test_a_node_keeps_its_devices_and_not_its_heartbeats() -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "n",
            "labels": {"nvidia.com/gpu.product": "H100", "feature.node.kubernetes.io/cpu-X": "1"},
        },
        "spec": {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]},
        "status": {
            "allocatable": {"cpu": "64", "nvidia.com/gpu": "7"},
            "capacity": {"cpu": "64", "nvidia.com/gpu": "8"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "x"}],
            "images": [{"names": ["a"]}],
        },
    }
    kept = _pruned(document)
    assert kept["metadata"]["labels"] == {"nvidia.com/gpu.product": "H100"}
    assert kept["spec"] == document["spec"]
    assert kept["status"] == {
        "allocatable": {"nvidia.com/gpu": "7"},
        "capacity": {"nvidia.com/gpu": "8"},
    }


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        ({"phase": "Running", "podIP": "1"}, None),
        ({"phase": "Succeeded", "podIP": "1"}, {"phase": "Succeeded"}),
        ({"jobStatus": "FAILED", "rayClusterName": "x"}, {"jobStatus": "FAILED"}),
        (
            {"state": {"phase": "Aborted", "lastTransitionTime": "x"}},
            {"state": {"phase": "Aborted"}},
        ),
        ({"state": {"phase": "Running"}}, None),
        (
            {"applicationState": {"state": "COMPLETED"}},
            {"applicationState": {"state": "COMPLETED"}},
        ),
        (
            {
                "active": 0,
                "completionTime": "then",
                "conditions": [
                    {"type": "Complete", "status": "True", "message": "m", "reason": "r"},
                    {"type": "Progressing", "status": "True"},
                    {"type": "Failed", "status": "Unknown"},
                ],
            },
            {
                "conditions": [{"type": "Complete", "status": "True", "reason": "r"}],
                "completionTime": "then",
            },
        ),
        ("odd", None),
    ],
    ids=str,
)
def test_a_status_is_kept_as_far_as_it_tells_of_an_end(status: Any, kept: Any) -> None:
    document = {**_deployment(_pod(_GPU)), "status": status}
    assert _pruned(document).get("status") == kept


def test_watched_are_the_kinds_in_use_that_take_something_and_what_explains_them() -> None:
    found = watched_kinds(kinds.shipped())
    assert len(set(found)) == len(found)
    assert set(ALWAYS) <= set(found)
    assert KindName("apps", "ReplicaSet") in found
    assert KindName("autoscaling", "HorizontalPodAutoscaler") in found
    assert KindName("karpenter.sh", "NodePool") in found
    assert KindName("", "Secret") not in found
