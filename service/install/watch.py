"""What the service needs in a cluster that it watches: to read, and nothing else."""

from __future__ import annotations

from typing import Any

from adapters.kubernetes import kinds
from adapters.kubernetes.watched import watched_kinds
from service.install.kinds import plural

ROLE = """\
Read-only, and of the kinds alone that a decision may depend on: no Secret, no ConfigMap. Groups
that the cluster does not serve are no error. What is forbidden is unknown to the rules, and the
service says so once in its own log."""
_NAME = "portreeve-watch"
_VERBS = ["list", "watch"]
_OF_SUBRESOURCES = frozenset({("autoscaling", "Scale")})


def role(labels: dict[str, str]) -> dict[str, Any]:
    """The ClusterRole: to list and to watch."""
    by_group: dict[str, set[str]] = {}
    for group, kind in watched_kinds(kinds.in_use()):
        if (group, kind) not in _OF_SUBRESOURCES:
            by_group.setdefault(group, set()).add(plural(kind))
    rules = [
        {"apiGroups": [group], "resources": sorted(by_group[group]), "verbs": _VERBS}
        for group in sorted(by_group)
    ]
    return {**_object("ClusterRole", labels), "rules": rules}


def binding(labels: dict[str, str], namespace: str) -> dict[str, Any]:
    """The ClusterRoleBinding, to the service's account in *namespace*."""
    account = {"kind": "ServiceAccount", "name": "portreeve", "namespace": namespace}
    named = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _NAME}
    return {**_object("ClusterRoleBinding", labels), "roleRef": named, "subjects": [account]}


def egress() -> list[dict[str, Any]]:
    """What may leave the pod: the way to the API server, whose address nobody here knows."""
    ports = (443, 6443)
    return [{"ports": [{"port": port, "protocol": "TCP"} for port in ports]}]


def _object(kind: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": _NAME, "labels": labels},
    }
