"""A real Kubernetes API server with its etcd, and certificates for whoever it calls."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from running import call, free_port, stop, tool, wait_until

_TOKEN = "administrator-of-the-test-cluster"


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portreeve")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "tls.crt", folder / "tls.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(_pem(key))
    return paths


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@dataclass
class Cluster:
    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": "/nonexistent"},
        )

    def apply(self, document: Any) -> None:
        done = self.kubectl("apply", "-f", "-", stdin=json.dumps(document))
        assert done.returncode == 0, done.stderr


def _kubeconfig(server: str, token: str, certificate: Path | None = None) -> dict[str, Any]:
    trust: dict[str, Any] = {"insecure-skip-tls-verify": True}
    if certificate is not None:
        trust = {"certificate-authority": str(certificate)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": server, **trust}}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "current-context": "it",
    }


def webhook_credentials(folder: Path, host: str, token: str) -> Path:
    """The admission configuration that makes the API server send a bearer token to *host*."""
    kubeconfig = folder / "webhooks.kubeconfig"
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "users": [{"name": host, "user": {"token": token}}],
    }
    kubeconfig.write_text(json.dumps(document))
    configuration = folder / "admission.yaml"
    plugins = [
        {
            "name": name,
            "configuration": {
                "apiVersion": "apiserver.config.k8s.io/v1",
                "kind": "WebhookAdmissionConfiguration",
                "kubeConfigFile": str(kubeconfig),
            },
        }
        for name in ("MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")
    ]
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": plugins,
    }
    configuration.write_text(json.dumps(document))
    return configuration


def need_a_cluster() -> None:
    """Skip the test where no API server can be started."""
    for name in ("kube-apiserver", "etcd", "kubectl"):
        if tool(name) is None:
            pytest.skip(f"needs {name}: `make tools` builds kube-apiserver, etcd is etcd-server")


@contextlib.contextmanager
def _etcd(folder: Path) -> Iterator[str]:
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    arguments = [
        str(tool("etcd")),
        *("--data-dir", str(folder / "etcd")),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", f"default={peer}"),
    ]
    with (folder / "etcd.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
    try:
        wait_until(lambda: call(f"{client}/health").status == 200, process)
        yield client
    finally:
        stop(process)


@contextlib.contextmanager
def cluster(folder: Path, admission: Path, *options: str) -> Iterator[Cluster]:
    """A running API server, with *options*, without controllers, nodes or scheduler."""
    port = free_port()
    account_key = folder / "service-account.key"
    account_key.write_bytes(_pem(rsa.generate_private_key(65537, 2048)))
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{_TOKEN},admin,admin,system:masters\n")
    with _etcd(folder) as etcd:
        arguments = [
            str(tool("kube-apiserver")),
            f"--etcd-servers={etcd}",
            f"--secure-port={port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'apiserver'}",
            f"--token-auth-file={tokens}",
            f"--service-account-key-file={account_key}",
            f"--service-account-signing-key-file={account_key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            # No controller makes the service account that this plugin asks for.
            "--disable-admission-plugins=ServiceAccount",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            f"--admission-control-config-file={admission}",
            *options,
        ]
        with (folder / "apiserver.log").open("wb") as log:
            process = subprocess.Popen(arguments, stdout=log, stderr=log)
        try:
            kubeconfig = folder / "kubeconfig"
            kubeconfig.write_text(json.dumps(_kubeconfig(f"https://127.0.0.1:{port}", _TOKEN)))
            running = Cluster(kubeconfig)
            wait_until(lambda: running.kubectl("get", "--raw", "/readyz").stdout == "ok", process)
            yield running
        finally:
            stop(process)


def webhook(url: str, certificate: Path) -> dict[str, Any]:
    """The configuration that sends workloads to *url*, and refuses when it cannot."""
    workloads = ["deployments", "statefulsets", "daemonsets", "replicasets"]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "portreeve"},
        "webhooks": [
            {
                "name": "validate.portreeve.dev",
                "clientConfig": {
                    "url": url,
                    "caBundle": base64.b64encode(certificate.read_bytes()).decode(),
                },
                "rules": [
                    _rule("", ["pods"]),
                    _rule("apps", workloads),
                    _rule("batch", ["jobs", "cronjobs"]),
                ],
                "failurePolicy": "Fail",
                "sideEffects": "NoneOnDryRun",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 10,
            }
        ],
    }


def mutating_webhook(name: str, url: str, certificate: Path) -> dict[str, Any]:
    """The configuration that has workloads added to at *url*, and does without where it cannot."""
    rules = [_rule("", ["pods"]), _rule("apps", ["deployments"]), _rule("batch", ["*"])]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": f"{name}.portreeve.dev",
                "clientConfig": {
                    "url": url,
                    "caBundle": base64.b64encode(certificate.read_bytes()).decode(),
                },
                "rules": [{**rule, "operations": ["CREATE", "UPDATE"]} for rule in rules],
                "failurePolicy": "Ignore",
                "reinvocationPolicy": "IfNeeded",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 10,
            }
        ],
    }


def _rule(group: str, resources: list[str]) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "resources": resources,
        "operations": ["CREATE", "UPDATE", "DELETE"],
    }
