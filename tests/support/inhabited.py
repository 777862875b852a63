"""A cluster in which objects of every sort that a scan meets run already."""

from __future__ import annotations

import json
from typing import Any

from cluster import Cluster
from payloads import deployment

L4, H100 = "NVIDIA-L4", "NVIDIA-H100-80GB-HBM3"
_PRODUCT = "nvidia.com/gpu.product"
_GPU = "nvidia.com/gpu"


def inhabit(cluster: Cluster) -> None:
    """Make the objects; nothing governs the cluster yet."""
    for name in ("language-serving", "vision-cameras", "unclaimed"):
        _do(cluster, "create", "namespace", name)
    for name, product, count in (("l4-a", L4, 4), ("h100-a", H100, 8), ("h100-b", H100, 8)):
        cluster.apply(_node(name, {_PRODUCT: product}, {_GPU: str(count)}))
    cluster.apply(_node("cpu-a", {}, {}))
    cluster.apply(deployment(gpus=1, product=L4))
    _make_children(cluster)
    _named(cluster, deployment(gpus=4, product=H100), "llama-large")
    for name, target in (("llama-large", "llama-large"), ("web", "web")):
        cluster.apply(_autoscaler(name, target))
    web = deployment(gpus=0, product=H100, model=False)
    del web["spec"]["template"]["spec"]["nodeSelector"]
    web["spec"]["template"]["spec"]["containers"][0].pop("resources")
    _named(cluster, web, "web")
    _make_jobs(cluster)
    cluster.apply(_pod("notebook", "unclaimed", 1))
    _make_claims(cluster)
    going = deployment(gpus=1, product=L4)
    going["metadata"]["finalizers"] = ["example.com/wait"]
    _named(cluster, going, "going")
    _do(cluster, "-n", "language-serving", "delete", "deployment", "going", "--wait=false")


def _make_children(cluster: Cluster) -> None:
    """What controllers would make of the refused Deployment, and what somebody else did."""
    made = deployment(gpus=1, product=L4)
    owner = _uid(cluster, "deployment", "llama-70b")
    metadata = {
        "name": "llama-70b-1",
        "namespace": "language-serving",
        "labels": made["metadata"]["labels"],
        "ownerReferences": [_owner("apps/v1", "Deployment", "llama-70b", owner)],
    }
    cluster.apply({**made, "kind": "ReplicaSet", "metadata": metadata})
    owner = _uid(cluster, "replicaset", "llama-70b-1")
    references = [_owner("apps/v1", "ReplicaSet", "llama-70b-1", owner)]
    for name, count, node in (("llama-70b-1-a", 1, "l4-a"), ("forged", 8, "h100-a")):
        pod = _pod(name, "language-serving", count)
        pod["metadata"]["ownerReferences"] = references
        pod["spec"]["nodeName"] = node
        cluster.apply(pod)


def _make_jobs(cluster: Cluster) -> None:
    for name in ("running", "finished"):
        pod = _pod(name, "vision-cameras", 2)["spec"]
        cluster.apply(
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": name, "namespace": "vision-cameras"},
                "spec": {"template": {"spec": {**pod, "restartPolicy": "Never"}}},
            }
        )
    conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
    at = "2026-05-04T12:00:00Z"
    status = {"conditions": conditions, "startTime": at, "completionTime": at, "succeeded": 1}
    patch = json.dumps({"status": status})
    arguments = ("patch", "job", "finished", "--subresource=status", "--type=merge", "-p", patch)
    _do(cluster, "-n", "vision-cameras", *arguments)
    agents = _pod("agents", "vision-cameras", 1)["spec"]
    labels = {"app": "agents"}
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "agents", "namespace": "vision-cameras"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": agents},
            },
        }
    )


def _make_claims(cluster: Cluster) -> None:
    driver = 'device.driver == "gpu.nvidia.com"'
    cluster.apply(
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "DeviceClass",
            "metadata": {"name": "gpu.nvidia.com"},
            "spec": {"selectors": [{"cel": {"expression": driver}}]},
        }
    )
    request = {"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com", "count": 2}}
    cluster.apply(
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceClaim",
            "metadata": {"name": "pair", "namespace": "vision-cameras"},
            "spec": {"devices": {"requests": [request]}},
        }
    )


def _named(cluster: Cluster, document: dict[str, Any], name: str) -> None:
    document["metadata"]["name"] = name
    cluster.apply(document)


def _node(name: str, labels: dict[str, str], devices: dict[str, str]) -> dict[str, Any]:
    amounts = {"cpu": "64", "memory": "256Gi", "pods": "110", **devices}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": amounts, "capacity": amounts},
    }


def _pod(name: str, namespace: str, gpus: int) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "registry.example/main:1",
        "resources": {"limits": {_GPU: str(gpus)}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container]},
    }


def _autoscaler(name: str, target: str) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "language-serving"},
        "spec": {
            "minReplicas": 1,
            "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
        },
    }


def _owner(api_version: str, kind: str, name: str, uid: str) -> dict[str, Any]:
    named = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}
    return {**named, "controller": True, "blockOwnerDeletion": True}


def _uid(cluster: Cluster, kind: str, name: str) -> str:
    path = "jsonpath={.metadata.uid}"
    return _do(cluster, "-n", "language-serving", "get", kind, name, "-o", path)


def _do(cluster: Cluster, *arguments: str) -> str:
    done = cluster.kubectl(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout
