"""What a real cluster holds, in the decisions of a service that watches it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cluster import cluster, need_a_cluster, webhook_credentials
from payloads import review
from running import Service, portreeve

pytestmark = [pytest.mark.system, pytest.mark.enable_socket]

_CLUSTER, _NAMESPACE = "edge", "trial"


def _object(api: str, kind: str, name: str, spec: Any = None, **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, **metadata}
    document = {"apiVersion": api, "kind": kind, "metadata": metadata}
    return document if spec is None else {**document, "spec": spec}


def _pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.example/app:1", **spec.pop("container", {})}
    return {"containers": [container], **spec}


_CARDS = {"resources": {"limits": {"nvidia.com/gpu": "2"}}}
_DEPLOYMENT = _object(
    "apps/v1",
    "Deployment",
    "llama",
    {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "llama"}},
        "template": {"metadata": {"labels": {"app": "llama"}}, "spec": _pod(container=_CARDS)},
    },
    namespace=_NAMESPACE,
)
_AUTOSCALER = _object(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "llama",
    {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama"},
        "minReplicas": 1,
        "maxReplicas": 7,
    },
    namespace=_NAMESPACE,
)
_CLAIM = _object(
    "resource.k8s.io/v1",
    "ResourceClaim",
    "all-cards",
    {
        "devices": {
            "requests": [
                {
                    "name": "cards",
                    "exactly": {
                        "deviceClassName": "gpu.nvidia.com",
                        "allocationMode": "All",
                        "adminAccess": True,
                    },
                }
            ]
        }
    },
    namespace=_NAMESPACE,
)


def _node() -> dict[str, Any]:
    labels = {
        "nvidia.com/gpu.product": "NVIDIA-L4",
        "topology.kubernetes.io/region": "europe-west4",
        "cloud.google.com/gke-nodepool": "cards",
    }
    taint = {"key": "example.org/reserved", "effect": "NoSchedule"}
    node = _object("v1", "Node", "cards-1", {"taints": [taint]}, labels=labels)
    return {**node, "status": {"allocatable": {"nvidia.com/gpu": "8"}, "capacity": {}}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    need_a_cluster()
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder, webhook_credentials(folder, "nobody", "none")) as made:
        labels = {"portreeve.dev/team": "vision"}
        for document in (
            _object("v1", "Namespace", _NAMESPACE, labels=labels),
            _node(),
            _DEPLOYMENT,
        ):
            made.apply(document)
        settings = {
            "PORTREEVE_KUBERNETES_CLUSTER": _CLUSTER,
            "PORTREEVE_KUBERNETES_WATCH": str(made.kubeconfig),
        }
        with portreeve(folder, env=settings) as running:
            end = time.monotonic() + 60
            while running.get("/healthz").body["cluster"]["as_of"] is None:
                assert time.monotonic() < end
                time.sleep(0.05)
            # Until the Deployment is known: kinds are read one after the other.
            while _decided(running, _AUTOSCALER)["resources"][0]["accelerators"] is None:
                assert time.monotonic() < end
                time.sleep(0.1)
            yield running


def _decided(service: Service, document: dict[str, Any], cluster: str = _CLUSTER) -> dict[str, Any]:
    asked = review(document, uid=str(uuid.uuid4()))
    answer = service.post(f"/v1/kubernetes/validate/{cluster}", asked)
    assert answer.status == 200, answer.text
    decision = answer.body["response"]["auditAnnotations"]["decision-id"]
    found: dict[str, Any] = service.get(f"/v1/decisions/{decision}").body
    return found


def _codes(decision: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in decision["findings"]}


def _trial(**spec: Any) -> dict[str, Any]:
    return _object("v1", "Pod", "trial", _pod(**spec), namespace=_NAMESPACE)


def test_an_autoscaler_is_judged_by_what_it_scales(service: Service) -> None:
    (resource,) = _decided(service, _AUTOSCALER)["resources"]

    (item,) = resource["accelerators"]
    assert item["total"] == {"min": 2, "max": 14}


def test_a_workload_has_the_team_of_its_namespace_and_the_place_of_its_nodes(
    service: Service,
) -> None:
    (resource,) = _decided(service, _DEPLOYMENT)["resources"]

    assert resource["team"] == "vision"
    assert (resource["vendor"], resource["region"]) == ("gcp", "europe-west4")
    assert resource["accelerators"][0]["model"] == "nvidia-l4"


def test_the_taints_of_the_nodes_have_to_be_tolerated(service: Service) -> None:
    tolerated = [{"key": "example.org/reserved", "operator": "Exists"}]

    assert "HYG-008" in _codes(_decided(service, _trial(container=_CARDS)))
    assert "HYG-008" not in _codes(
        _decided(service, _trial(container=_CARDS, tolerations=tolerated))
    )


def test_administrative_access_is_refused_where_the_namespace_is_not_labelled(
    service: Service,
) -> None:
    decision = _decided(service, _CLAIM)

    (finding,) = [each for each in decision["findings"] if each["code"] == "HYG-012"]
    assert decision["outcome"] == "deny"
    assert "its namespace `trial` is not labelled for that" in finding["message"]


def test_another_cluster_is_decided_by_the_object_alone(service: Service) -> None:
    (resource,) = _decided(service, _DEPLOYMENT, "other")["resources"]

    assert (resource["team"], resource["vendor"], resource["region"]) == (None, None, None)
