"""Requests as the real API server sends them, to start from."""

from __future__ import annotations

import copy
import uuid
from typing import Any

_VLLM = {
    "name": "vllm",
    "image": "vllm/vllm-openai:v0.11.0",
    "args": ["--model", "meta-llama/Meta-Llama-3.1-70B", "--max-model-len", "8192"],
    "resources": {"limits": {"nvidia.com/gpu": "1"}},
}


def deployment(
    *, gpus: int = 1, product: str = "NVIDIA-L4", replicas: int = 1, model: bool = True
) -> dict[str, Any]:
    """A Deployment of a team of the example organisation."""
    container = copy.deepcopy(_VLLM)
    container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
    if not model:
        container["args"] = ["--help"]
    labels = {"app": "llama-70b"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "llama-70b", "namespace": "language-serving", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "nodeSelector": {"nvidia.com/gpu.product": product},
                    "containers": [container],
                },
            },
        },
    }


def review(document: dict[str, Any], *, uid: str = "", operation: str = "CREATE") -> dict[str, Any]:
    """*document* in an AdmissionReview v1."""
    meta = document["metadata"]
    group, _, version = document["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": document["kind"]}
    resource = {"group": group, "version": version, "resource": f"{document['kind'].lower()}s"}
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid or str(uuid.uuid4()),
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": meta["name"],
            "namespace": meta["namespace"],
            "operation": operation,
            "userInfo": {"username": "ci", "groups": ["system:authenticated"]},
            "object": document,
            "oldObject": None,
            "dryRun": False,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    }
