"""A real API server asks us, and its users read our words."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cluster import Cluster, cluster, need_a_cluster, self_signed, webhook, webhook_credentials
from payloads import deployment
from running import PORTREEVE, Service, spawn, stop, wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]


@dataclass
class Governed:
    cluster: Cluster
    service: Service


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    need_a_cluster()
    folder = tmp_path_factory.mktemp("cluster")
    certificate, key = self_signed(folder)
    token = "token-of-the-cluster"
    tokens = folder / "tokens.yaml"
    tokens.write_text(
        yaml.safe_dump(
            [
                {
                    "name": "prod-eu",
                    "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
                    "roles": ["enforcer"],
                    "clusters": ["prod-eu"],
                }
            ]
        )
    )
    options = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    service = spawn(folder, *options, "--tokens-file", str(tokens))
    try:
        wait_until(lambda: "listening" in service.output.read_text(), service.process)
        admission = webhook_credentials(folder, service.url.removeprefix("https://"), token)
        with cluster(folder, admission) as running:
            running.apply(webhook(f"{service.url}/v1/kubernetes/validate/prod-eu", certificate))
            _wait_for_webhook(running)
            for name in ("language-serving", "vision-cameras"):
                running.kubectl("create", "namespace", name)
            yield Governed(running, service)
    finally:
        stop(service.process)


def _wait_for_webhook(running: Cluster) -> None:
    """The API server learns of a new configuration a moment after it was stored."""
    probe = deployment(gpus=1)
    probe["metadata"]["namespace"] = "default"
    for _ in range(100):
        done = running.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(probe))
        if "GPU-002" in done.stderr:
            return
    raise AssertionError(f"the webhook never took effect: {done.stdout} {done.stderr}")


def _query(service: Service, *options: str) -> str:
    done = subprocess.run(
        [str(PORTREEVE), "audit", "query", "--log", str(service.log), *options],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_kubectl_shows_why_it_was_refused_and_the_log_knows(governed: Governed) -> None:
    document = json.dumps(deployment(gpus=1))

    done = governed.cluster.kubectl("apply", "-f", "-", stdin=document)

    assert done.returncode != 0
    assert "GPU-002: `Deployment language-serving/llama-70b` needs" in done.stderr
    assert "1 x NVIDIA-L4 has" in done.stderr
    decisions = json.loads(_query(governed.service, "--code", "GPU-002", "--format", "json"))
    assert any(item["decision_id"] in done.stderr for item in decisions)
    assert {item["caller"] for item in decisions} == {"prod-eu"}
    assert {item["actor"]["name"] for item in decisions} == {"admin"}


def test_the_corrected_deployment_is_admitted(governed: Governed) -> None:
    document = json.dumps(deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3"))

    done = governed.cluster.kubectl("apply", "-f", "-", stdin=document)

    assert done.returncode == 0, done.stderr
    scaled = governed.cluster.kubectl("-n", "language-serving", "delete", "deployment", "llama-70b")
    assert scaled.returncode == 0, scaled.stderr
    assert "delete" in _query(governed.service, "--format", "json")


def test_a_dry_run_is_recorded_as_one(governed: Governed) -> None:
    decisions = json.loads(_query(governed.service, "--format", "json"))

    assert "dry_run" in {item["binding"] for item in decisions}


def test_real_manifests_are_admitted_or_refused_in_our_words(
    governed: Governed, shared_data: Path
) -> None:
    kinds = {"Pod", "Deployment", "StatefulSet", "DaemonSet", "Job"}
    seen = admitted = refused = 0
    for path in sorted((shared_data / "kubernetes").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if not isinstance(document, dict) or document.get("kind") not in kinds:
                continue
            document["metadata"]["namespace"] = "vision-cameras"
            done = governed.cluster.kubectl(
                "create", "--dry-run=server", "-f", "-", stdin=json.dumps(document)
            )
            seen += 1
            if done.returncode == 0:
                admitted += 1
            elif "portreeve" in done.stderr:
                refused += 1
                assert "decision " in done.stderr, done.stderr
                assert "SYS-" not in done.stderr, (path, done.stderr)
    assert seen > 50
    assert admitted > 0
    assert refused > 0
