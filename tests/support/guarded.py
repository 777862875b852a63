"""A real cluster with our webhooks as users install them, and our service behind them."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cluster import Cluster, cluster, self_signed, webhook_credentials
from payloads import deployment
from running import PORTREEVE, Service, free_port, spawn, stop, wait_until

CLUSTER = "prod-eu"
TEAM_NAMESPACE = "vision-cameras"
"""A namespace of team `vision`, whose resources may take 8 accelerators each."""
AZURE_NAMESPACE = "azure-trial"

# The example organisation, were it in two more clouds: what a cluster is in, a namespace says here.
_BUNDLE: Mapping[str, Any] = {
    "bundle.yaml": {"name": "several-clouds", "revision": "1", "extends": "example"},
    "org/scopes.yaml": {
        "scopes": [
            {
                "match": {"cluster": CLUSTER, "namespace": "vision-*"},
                "team": "vision",
                "vendor": "gcp",
                "region": "europe-west4",
                "data_classes": ["personal"],
            },
            {
                "match": {"cluster": CLUSTER, "namespace": AZURE_NAMESPACE},
                "team": "vision",
                "vendor": "azure",
                "region": "westeurope",
            },
            {
                "match": {"cluster": CLUSTER},
                "team": "platform",
                "cost_center": "CC-1000",
                "environment": "production",
            },
        ]
    },
    "org/vendor.yaml": {"vendor": {"approved": ["aws", "azure", "coreweave", "gcp"]}},
}


@dataclass
class Guarded:
    """The cluster and the service."""

    cluster: Cluster
    service: Service

    def create(
        self, document: Mapping[str, Any], *options: str
    ) -> subprocess.CompletedProcess[str]:
        """Have kubectl create *document*; a refusal is a result."""
        return self.cluster.kubectl("create", *options, "-f", "-", stdin=json.dumps(document))

    def must(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """What kubectl says to something that has to work."""
        done = self.cluster.kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done

    def decisions(self, *options: str) -> list[dict[str, Any]]:
        """The log's answer to a query with *options*, the latest decision first."""
        command = [str(PORTREEVE), "audit", "query", "--log", str(self.service.log)]
        done = subprocess.run(
            [*command, *options, "--format", "json"], capture_output=True, text=True, check=True
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


def filled(value: Any, words: Mapping[str, Any]) -> Any:
    """A copy of *value* in which each text that is one of *words* is what that stands for."""
    if isinstance(value, dict):
        return {key: filled(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, words) for one in value]
    return words.get(value, value) if isinstance(value, str) else copy.copy(value)


def definition(api: str, kind: str, scope: str) -> dict[str, Any]:
    """A CustomResourceDefinition that takes whatever is in an object."""
    group, _, version = api.partition("/")
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@contextlib.contextmanager
def guarded(
    folder: Path,
    *,
    definitions: Sequence[Mapping[str, Any]] = (),
    before: Sequence[Mapping[str, Any]] = (),
    exempt: Sequence[str] = (),
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    watched: bool = False,
) -> Iterator[Guarded]:
    """A cluster that knows *definitions* and has the objects *before* from before our time.

    Namespaces *exempt* are never sent. *options* are those of ``portreeve serve``, in *env*. Where
    it is *watched*, the service knows what is in it.
    """
    certificate, key = self_signed(folder)
    token = "token-of-the-cluster"
    tokens = folder / "tokens.yaml"
    caller = {
        "name": CLUSTER,
        "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
        "roles": ["enforcer"],
        "clusters": [CLUSTER],
    }
    tokens.write_text(yaml.safe_dump([caller]))
    host = f"127.0.0.1:{free_port()}"
    with cluster(folder, webhook_credentials(folder, host, token)) as running:
        given = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
        given += ["--tokens-file", str(tokens), "--bundle", str(_bundle(folder))]
        given += ["--port", host.rpartition(":")[2]]
        watching = {
            "PORTREEVE_KUBERNETES_WATCH": str(running.kubeconfig),
            "PORTREEVE_KUBERNETES_CLUSTER": CLUSTER,
        }
        service = spawn(
            folder, *given, *options, env={**(env or {}), **(watching if watched else {})}
        )
        service.url = f"https://{host}"
        try:
            wait_until(lambda: "listening" in service.output.read_text(), service.process)
            made = Guarded(running, service)
            _prepare(made, definitions, before)
            written = _manifests(service, certificate, exempt)
            made.must("apply", "--server-side", "-f", "-", stdin=written)
            _wait(made)
            yield made
        finally:
            stop(service.process)


def _bundle(folder: Path) -> Path:
    bundle = folder / "bundle"
    for name, content in _BUNDLE.items():
        path = bundle / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content))
    return bundle


def _prepare(
    made: Guarded, definitions: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> None:
    for name in (TEAM_NAMESPACE, AZURE_NAMESPACE):
        made.must("create", "namespace", name)
    for documents in (definitions, before):
        if documents:
            items = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
            made.must("apply", "--server-side", "-f", "-", stdin=json.dumps(items))
    if definitions:
        made.must("wait", "--for=condition=established", "--timeout=60s", "crd", "--all")


def _manifests(service: Service, certificate: Path, exempt: Sequence[str]) -> str:
    command = [str(PORTREEVE), "kubernetes", "manifests", "--cluster", CLUSTER]
    command += ["--url", service.url, "--ca-file", str(certificate)]
    command += ["--with", "namespace,validating"]
    command += [f"--exempt-namespace={name}" for name in exempt]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _wait(made: Guarded) -> None:
    """The API server learns of a new configuration a moment after it was stored."""
    probe = deployment(gpus=16)
    probe["metadata"]["namespace"] = TEAM_NAMESPACE
    for _ in range(100):
        done = made.create(probe, "--dry-run=server")
        if "denied the request: " in done.stderr:
            return
    raise AssertionError(f"the webhooks never took effect: {done.stdout} {done.stderr}")
