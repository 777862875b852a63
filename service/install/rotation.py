"""What keeps the service's certificate where no cert-manager does: a pod of its own."""

from __future__ import annotations

from typing import Any

from service.install import watch
from service.install.options import Options

LABELS = {"app.kubernetes.io/name": "portreeve-certificates"}
SECRETS = ("portreeve-authorities", "portreeve-tls")
_NAME = "portreeve-certificates"
_WEBHOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
_RBAC = "rbac.authorization.k8s.io"

ACCOUNT = """\
Makes an authority and the service's certificate, writes the authority into the webhook
configurations, and renews both in time (docs/kubernetes.md). Not the service itself: what answers
reviews has neither the authority's key nor a right to change webhooks."""
ON_SECRETS = """\
To make a Secret cannot be limited to a name; to read and to change one is limited to the two that
it keeps."""
ON_WEBHOOKS = """\
Limited to the two configurations by name: to change others would be a right over the whole
cluster."""
DEPLOYMENT = """\
One pod, so that nobody else renews at the same time. The service goes on without it for as long as
its certificate is valid: ten days at the least."""
NETWORK = """\
Nothing comes in; out goes what is asked of the API server."""


def objects(options: Options) -> list[tuple[str, dict[str, Any]]]:
    """The objects, each with its comment."""
    return [
        (ACCOUNT, _object("v1", "ServiceAccount", options, automountServiceAccountToken=False)),
        (ON_SECRETS, _object(f"{_RBAC}/v1", "Role", options, rules=_on_secrets())),
        ("", _binding(options, "Role")),
        (ON_WEBHOOKS, _cluster(_object(f"{_RBAC}/v1", "ClusterRole", options, rules=_on_us()))),
        ("", _cluster(_binding(options, "ClusterRole"))),
        (DEPLOYMENT, _object("apps/v1", "Deployment", options, spec=_deployment(options))),
        (
            NETWORK,
            _object("networking.k8s.io/v1", "NetworkPolicy", options, spec=_network()),
        ),
    ]


def _on_secrets() -> list[dict[str, Any]]:
    secrets = {"apiGroups": [""], "resources": ["secrets"]}
    return [
        {**secrets, "verbs": ["create"]},
        {**secrets, "resourceNames": list(SECRETS), "verbs": ["get", "update"]},
    ]


def _on_us() -> list[dict[str, Any]]:
    return [
        {
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": list(_WEBHOOKS),
            "resourceNames": ["portreeve"],
            "verbs": ["get", "update"],
        }
    ]


def _binding(options: Options, kind: str) -> dict[str, Any]:
    account = {"kind": "ServiceAccount", "name": _NAME, "namespace": options.namespace}
    named = {"apiGroup": _RBAC, "kind": kind, "name": _NAME}
    return _object(f"{_RBAC}/v1", f"{kind}Binding", options, roleRef=named, subjects=[account])


def _deployment(options: Options) -> dict[str, Any]:
    user = 65532
    pod = {
        "serviceAccountName": _NAME,
        "automountServiceAccountToken": True,
        # The API server is found by a variable, whatever this says of other services.
        "enableServiceLinks": False,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "certificates",
                "image": options.image,
                "args": [
                    "kubernetes",
                    "certificates",
                    "--keep",
                    f"--namespace={options.namespace}",
                ],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "128Mi"},
                    "limits": {"memory": "256Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
    return {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }


def _network() -> dict[str, Any]:
    return {
        "podSelector": {"matchLabels": LABELS},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": watch.egress(),
    }


def _object(version: str, kind: str, options: Options, **parts: Any) -> dict[str, Any]:
    metadata = {"name": _NAME, "namespace": options.namespace, "labels": LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def _cluster(made: dict[str, Any]) -> dict[str, Any]:
    """*made* without a namespace, which objects of the whole cluster do not have."""
    metadata = {key: value for key, value in made["metadata"].items() if key != "namespace"}
    return {**made, "metadata": metadata}
