"""Which kinds of objects are covered, which take nothing, and how covered ones are built."""

from __future__ import annotations

from enum import StrEnum


class Layout(StrEnum):
    """Where a kind keeps its pod template, and how many pods it makes of it."""

    POD = "pod"
    REPLICAS = "replicas"
    NODES = "nodes"
    JOB = "job"
    SCHEDULE = "schedule"


COVERED = {
    ("", "Pod"): Layout.POD,
    ("", "ReplicationController"): Layout.REPLICAS,
    ("apps", "Deployment"): Layout.REPLICAS,
    ("apps", "StatefulSet"): Layout.REPLICAS,
    ("apps", "ReplicaSet"): Layout.REPLICAS,
    ("apps", "DaemonSet"): Layout.NODES,
    ("batch", "Job"): Layout.JOB,
    ("batch", "CronJob"): Layout.SCHEDULE,
}
"""By API group and kind; another group's ``Job`` is another thing."""

_GROUPS = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "cert-manager.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "gateway.networking.k8s.io",
        "kustomize.config.k8s.io",
        "monitoring.coreos.com",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
    }
)
_KINDS = frozenset(
    {
        ("", "Binding"),
        ("", "ConfigMap"),
        ("", "Endpoints"),
        ("", "Event"),
        ("", "LimitRange"),
        ("", "Namespace"),
        ("", "ResourceQuota"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("apps", "ControllerRevision"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "StorageClass"),
    }
)
_SUBRESOURCES = frozenset({"binding", "eviction", "finalize", "log", "status", "token"})


def takes_nothing(group: str, kind: str) -> bool:
    """Whether objects of *kind* take no accelerators, no money and hold no governed data."""
    return group in _GROUPS or (group, kind) in _KINDS


def changes_nothing(subresource: str) -> bool:
    """Whether writing *subresource* leaves what its object takes as it is."""
    return subresource in _SUBRESOURCES


def group_of(api_version: str) -> str:
    """The group of an ``apiVersion``; empty for the core group."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""
