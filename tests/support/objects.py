"""Objects for a guarded cluster: of every kind, and those that are older than our webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import yaml
from guarded import TEAM_NAMESPACE, definition, filled
from running import ROOT

_TABLE = ROOT / "tests" / "system" / "kinds.yaml"
_SERVED = frozenset({"v1", "apps/v1", "batch/v1", "autoscaling/v2", "resource.k8s.io/v1"})
_LIMIT = "accelerators; team `vision` may take 8 at once"


class Sample(NamedTuple):
    """An object of a kind, in a form that is admitted and in one that is refused.

    Attributes:
        name: Of the test.
        api: Group and version.
        kind: Of the object.
        admitted: What is admitted.
        refused: What is refused.
        says: What the refusal says.
        warns: What the admitted one is warned of.
    """

    name: str
    api: str
    kind: str
    admitted: Mapping[str, Any]
    refused: Mapping[str, Any]
    says: str
    warns: str


@lru_cache(maxsize=1)
def samples() -> tuple[Sample, ...]:
    """Those of the table."""
    rows = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))["kinds"]
    return tuple(_sample(row) for row in rows)


def _sample(row: Mapping[str, Any]) -> Sample:
    forms = {
        form: _object(row, form, row.get(form, {"GPUS": usual}))
        for form, usual in (("admitted", 1), ("refused", 16))
    }
    kind = row["kind"]
    says = row.get("says") or (
        f"GPU-001: `{kind} {TEAM_NAMESPACE}/{forms['refused']['metadata']['name']}` "
        f"takes up to {row['asks']} {_LIMIT}"
    )
    words = [kind, row["api"], row.get("called")]
    name = " ".join(word for word in words if word)
    return Sample(name, row["api"], kind, **forms, says=says, warns=row.get("warns", ""))


def _object(row: Mapping[str, Any], name: str, words: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = filled(row["object"], words)
    if "called" in row:
        name = f"{name}-{row['called']}"
    metadata = {**made.get("metadata", {}), "name": name}
    if row.get("scope") != "Cluster":
        metadata["namespace"] = row.get("in", TEAM_NAMESPACE)
    return {**made, "apiVersion": row["api"], "kind": row["kind"], "metadata": metadata}


def definitions() -> list[dict[str, Any]]:
    """Definitions of the kinds that an API server does not have by itself."""
    found = {}
    for sample in samples():
        if sample.api not in _SERVED:
            is_namespaced = "namespace" in sample.admitted["metadata"]
            scope = "Namespaced" if is_namespaced else "Cluster"
            found[sample.api, sample.kind] = definition(sample.api, sample.kind, scope)
    return list(found.values())


def pod(**spec: Any) -> dict[str, Any]:
    """A pod template; what is under ``container`` belongs to its only container."""
    container = {"name": "main", "image": "busybox:1.37", **spec.pop("container", {})}
    annotations = spec.pop("annotations", {})
    return {
        "metadata": {"annotations": annotations, "labels": {"app": "x"}},
        "spec": {"containers": [container], **spec},
    }


def taking(cards: int) -> dict[str, Any]:
    """A pod template that asks for *cards* of one model."""
    limits = {"nvidia.com/gpu": str(cards)}
    return pod(
        container={"resources": {"limits": limits}},
        nodeSelector={"nvidia.com/gpu.product": "NVIDIA-L4"},
    )


def pod_object(name: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """A Pod as *template* says."""
    metadata = {**template["metadata"], "name": name, "namespace": TEAM_NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def deployment_object(
    name: str, template: Mapping[str, Any], *, replicas: int = 1, finalizers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A Deployment of *replicas* pods as *template* says."""
    metadata: dict[str, Any] = {"name": name, "namespace": TEAM_NAMESPACE}
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    selector = {"matchLabels": template["metadata"]["labels"]}
    spec = {"replicas": replicas, "selector": selector, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def from_before() -> list[dict[str, Any]]:
    """What a cluster has from before our webhooks, all of it more than a team may take."""
    return [
        deployment_object("old", taking(16)),
        deployment_object("old-to-shrink", taking(4), replicas=4),
        deployment_object("old-to-end", taking(16), finalizers=("example.org/kept",)),
        pod_object("old-pod", taking(16)),
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "nvidia"},
            "handler": "nvidia",
        },
    ]
