"""The objects that run the service in a cluster."""

from __future__ import annotations

from typing import Any

from service.install import watch
from service.install.options import Options

LABELS = {"app.kubernetes.io/name": "portreeve"}
USER = 65532
_PORT = 8443
_STATE = "/var/lib/portreeve"

NAMESPACE = "Pods here are held to the strictest of Kubernetes' own standards."
ACCOUNT = """\
The service needs no permission in a cluster that it does not watch, so that there is no role, and
its pod carries no token of this account."""
WATCHING_ACCOUNT = (
    "The account as which the service reads the cluster (docs/kubernetes-cluster.md)."
)
CERTIFICATE = """\
Needs cert-manager. It renews the certificate, the service takes it within a second after the
kubelet has swapped the files (about a minute), and the CA is written into the webhook
configurations."""
CLAIM = """\
The log is one SQLite file. It needs a local or block volume: SQLite's locks do not hold on
network file systems such as NFS."""
DEPLOYMENT = """\
One replica, and the old pod ends before the new one starts: the log has one writer. Several
replicas need PostgreSQL, which is not supported yet. An upgrade is therefore a short outage,
for which the webhooks' failurePolicy holds. Processor time has no limit, because a throttled
webhook makes the API server wait. Secrets that must be there: `portreeve-tls` (tls.crt,
tls.key) and `portreeve-callers` (callers.yaml; docs/operations.md says its form)."""
SERVICE = "The API server reaches the service by this name; its certificate must be for {name}."
PDB = """\
With one replica nothing can be kept up while its node is drained; a budget that tried would
only keep the drain from ending. It is here for the day when there are more."""
NETWORK = """\
Nothing leaves the pod: an evaluation needs no network, and no name server. What may come in is
the webhook's port; the API server is no pod and cannot be selected, so that it is open to all
senders: narrow it with an ipBlock where the control plane's addresses are known. Callers prove
themselves by token or certificate."""
WATCHING_NETWORK = """\
Nothing leaves the pod but what is asked of the API server: an evaluation needs no network, and no
name server. What may come in is the webhook's port. The API server is no pod and cannot be
selected, so that both ways are open to all addresses: narrow them with an ipBlock where the control
plane's addresses are known. Callers prove themselves by token or certificate."""


def namespace(options: Options) -> dict[str, Any]:
    """The namespace of the service."""
    standard = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": options.namespace, "labels": {**LABELS, **standard}},
    }


def account(options: Options) -> dict[str, Any]:
    """The service account, whose token only the service's own pod asks for."""
    return _object("v1", "ServiceAccount", options, automountServiceAccountToken=False)


def permissions(options: Options) -> list[tuple[str, dict[str, Any]]]:
    """The account, and what it may do, each with its comment."""
    if not options.watch:
        return [(ACCOUNT, account(options))]
    return [
        (WATCHING_ACCOUNT, account(options)),
        (watch.ROLE, watch.role(LABELS)),
        ("", watch.binding(LABELS, options.namespace)),
    ]


def certificate(options: Options) -> list[dict[str, Any]]:
    """cert-manager's objects: an issuer, a CA that it signs, and the certificate of that CA."""
    issuer = {"kind": "Issuer", "group": "cert-manager.io"}
    api = "cert-manager.io/v1"
    ca = {
        "isCA": True,
        "commonName": "portreeve-ca",
        "secretName": "portreeve-ca",
        "duration": "43800h",
        "privateKey": {"algorithm": "ECDSA", "size": 256},
        "issuerRef": {"name": "portreeve-self-signed", **issuer},
    }
    leaf = {
        "secretName": "portreeve-tls",
        "duration": "2160h",
        "renewBefore": "720h",
        "dnsNames": _names(options),
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "issuerRef": {"name": "portreeve-ca", **issuer},
    }
    return [
        _object(api, "Issuer", options, "portreeve-self-signed", spec={"selfSigned": {}}),
        _object(api, "Certificate", options, "portreeve-ca", spec=ca),
        _object(
            api, "Issuer", options, "portreeve-ca", spec={"ca": {"secretName": "portreeve-ca"}}
        ),
        _object(api, "Certificate", options, spec=leaf),
    ]


def claim(options: Options) -> dict[str, Any]:
    """The volume of the log."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
    }
    return _object("v1", "PersistentVolumeClaim", options, spec=spec)


def deployment(options: Options) -> dict[str, Any]:
    """The service."""
    pod = {
        "serviceAccountName": "portreeve",
        "automountServiceAccountToken": options.watch,
        "enableServiceLinks": False,
        "priorityClassName": "system-cluster-critical",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(options)],
        "volumes": [
            {"name": "state", "persistentVolumeClaim": {"claimName": "portreeve"}},
            {"name": "tls", "secret": {"secretName": "portreeve-tls"}},
            {"name": "callers", "secret": {"secretName": "portreeve-callers"}},
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
        ],
    }
    spec = {
        "replicas": options.replicas,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }
    return _object("apps/v1", "Deployment", options, spec=spec)


def _container(options: Options) -> dict[str, Any]:
    variables = {
        "PORTREEVE_BUNDLE": options.bundle,
        "PORTREEVE_HOST": "0.0.0.0",  # noqa: S104  # callers need credentials
        "PORTREEVE_PORT": str(_PORT),
        "PORTREEVE_LOG": f"{_STATE}/decisions.db",
        "PORTREEVE_TLS_CERTIFICATE": "/etc/portreeve/tls/tls.crt",
        "PORTREEVE_TLS_KEY": "/etc/portreeve/tls/tls.key",
        "PORTREEVE_TOKENS_FILE": "/etc/portreeve/callers/callers.yaml",
    }
    if options.watch:
        variables["PORTREEVE_KUBERNETES_CLUSTER"] = options.cluster
        variables["PORTREEVE_KUBERNETES_WATCH"] = "in-cluster"
    return {
        "name": "portreeve",
        "image": options.image,
        "args": ["serve"],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "ports": [{"name": "https", "containerPort": _PORT}],
        "startupProbe": _probe("/healthz", period=1, failures=60),
        "livenessProbe": _probe("/healthz", period=10, failures=3),
        "readinessProbe": _probe("/readyz", period=5, failures=2),
        "resources": {
            "requests": {"cpu": "500m", "memory": "512Mi"},
            "limits": {"memory": "2Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "state", "mountPath": _STATE},
            {"name": "tls", "mountPath": "/etc/portreeve/tls", "readOnly": True},
            {"name": "callers", "mountPath": "/etc/portreeve/callers", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # a volume of the pod's own
        ],
    }


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "https", "scheme": "HTTPS"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def service(options: Options) -> dict[str, Any]:
    """The Service that the webhook configurations name."""
    ports = [{"name": "https", "port": 443, "targetPort": "https"}]
    return _object("v1", "Service", options, spec={"selector": LABELS, "ports": ports})


def service_comment(options: Options) -> str:
    """What the certificate must be for."""
    return SERVICE.format(name=_names(options)[0])


def budget(options: Options) -> dict[str, Any]:
    """The PodDisruptionBudget."""
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": LABELS},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return _object("policy/v1", "PodDisruptionBudget", options, spec=spec)


def network(options: Options) -> dict[str, Any]:
    """The NetworkPolicy."""
    spec = {
        "podSelector": {"matchLabels": LABELS},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": "https", "protocol": "TCP"}]}],
        "egress": watch.egress() if options.watch else [],
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", options, spec=spec)


def _names(options: Options) -> list[str]:
    return [f"portreeve.{options.namespace}.svc"]


def _object(
    version: str, kind: str, options: Options, name: str = "portreeve", **parts: Any
) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": options.namespace, "labels": LABELS},
        **parts,
    }
