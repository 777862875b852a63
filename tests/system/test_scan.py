"""What runs in a real cluster is scanned, reported, recorded, accepted, and held to that."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster import Cluster, cluster, need_a_cluster, self_signed, webhook, webhook_credentials
from inhabited import inhabit
from payloads import deployment
from running import PORTREEVE, Service, free_port, spawn, stop, wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

TOKEN = "token-of-the-cluster"
REFUSED = "Deployment language-serving/llama-70b"
MANY = 80


@dataclass
class Inhabited:
    """A cluster in which things run, and where its webhook will be."""

    cluster: Cluster
    folder: Path
    port: int

    def scan(self, *options: str, log: str = "scan.db") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.arguments(*options, log=log),
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            timeout=120,
        )

    def arguments(self, *options: str, log: str = "scan.db") -> list[str]:
        where = ("--cluster", "prod-eu", "--bundle", "example", "--log", str(self.folder / log))
        return [str(PORTREEVE), "scan", *where, *options]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "NO_COLOR": "1"}

    def query(self, *options: str, log: str = "scan.db") -> list[dict[str, Any]]:
        shown = ("--format", "json", "--limit", "1000")
        done = subprocess.run(
            [str(PORTREEVE), "audit", "query", *options, *shown, "--log", str(self.folder / log)],
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def inhabited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inhabited]:
    need_a_cluster()
    folder, port = tmp_path_factory.mktemp("inhabited"), free_port()
    admission = webhook_credentials(folder, f"127.0.0.1:{port}", TOKEN)
    with cluster(folder, admission) as running:
        inhabit(running)
        yield Inhabited(running, folder, port)


def test_a_person_reads_what_would_be_refused_is_idle_and_has_no_team(
    inhabited: Inhabited,
) -> None:
    done = inhabited.scan(log="table.db")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("prod-eu: ")
    assert f"refused  {REFUSED}  1 x nvidia-l4, " in done.stdout
    assert f"  GPU-002: `{REFUSED}` needs " in done.stdout
    assert "    Serve it on " in done.stdout
    assert "2 made by an object that was scanned" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["nvidia-h100-sxm", "2", "16", "8", "8", "1"] in lines
    assert ["nvidia-l4", "1", "4", "1", "3", "0"] in lines
    assert any(line[:2] == ["language", "workload"] for line in lines)


@pytest.fixture(scope="module")
def survey(inhabited: Inhabited) -> dict[str, Any]:
    """What programs read, of a scan with a log of its own."""
    report = inhabited.folder / "report.json"
    options = ("--format", "json", "--output", str(report), "--fail-on", "deny")
    done = inhabited.scan(*options, log="json.db")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def test_programs_read_the_same(survey: dict[str, Any]) -> None:
    objects = {item["address"]: item for item in survey["objects"]}

    assert survey["schema_version"] == 1
    assert survey["not_read"] == []
    assert objects[REFUSED]["outcome"] == "deny"
    assert objects["Pod language-serving/forged"]["counts"]
    assert "Pod language-serving/llama-70b-1-a" not in objects
    assert "Job vision-cameras/finished" not in objects
    large = objects["HorizontalPodAutoscaler language-serving/llama-large"]
    assert large["resource"]["accelerators"][0]["total"]["max"] == 12


def test_the_log_has_each_decision_as_a_scan(inhabited: Inhabited, survey: dict[str, Any]) -> None:
    stored = inhabited.query("--binding", "scan", log="json.db")

    assert {item["decision_id"] for item in stored} == {
        item["decision_id"] for item in survey["objects"]
    }
    assert {item["operation"] for item in stored} == {"scan"}
    assert inhabited.query("--binding", "binding", log="json.db") == []
    [refused] = inhabited.query(
        *("--binding", "scan", "--outcome", "deny", "--code", "GPU-002"), log="json.db"
    )
    assert refused["scope"]["cluster"] == "prod-eu"
    assert refused["resources"][0]["subject"] == "prod-eu/language-serving/Deployment/llama-70b"


def test_people_read_it_as_markdown(inhabited: Inhabited) -> None:
    done = inhabited.scan("--format", "markdown", log="markdown.db")

    assert done.stdout.startswith("# prod-eu: ")
    assert "| Deployment language-serving/llama-70b | 1 x nvidia-l4, " in done.stdout
    assert "\n## Cost by team\n" in done.stdout


def test_a_scan_that_was_killed_goes_on(inhabited: Inhabited) -> None:
    many = [deployment(gpus=1) for _ in range(MANY)]
    for number, document in enumerate(many):
        document["metadata"]["name"] = f"many-{number}"
    inhabited.cluster.apply({"apiVersion": "v1", "kind": "List", "items": many})
    state = inhabited.folder / "state.jsonl"
    options = ("--resume", str(state), "--format", "json")
    try:
        process = subprocess.Popen(
            inhabited.arguments(*options, log="resumed.db"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=inhabited.environment,
        )
        wait_for_lines(state, 20, process)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        before = len(state.read_text().splitlines()) - 1

        done = inhabited.scan(*options, log="resumed.db")
    finally:
        remove = ("-n", "language-serving", "delete", "deployment", "--wait=false")
        inhabited.cluster.kubectl(*remove, *names(many))

    assert done.returncode == 0, done.stderr
    assert "going on with a scan, decided before: " in done.stderr
    assert not state.exists()
    survey = json.loads(done.stdout)
    stored = inhabited.query("--binding", "scan", log="resumed.db")
    assert len(survey["objects"]) > MANY
    assert {item["decision_id"] for item in survey["objects"]} <= {
        item["decision_id"] for item in stored
    }
    # What was recorded in the moment of the kill, and not yet kept, is recorded once more.
    assert before >= 19
    assert len(stored) <= len(survey["objects"]) + 16


def wait_for_lines(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.001)


def names(documents: list[dict[str, Any]]) -> list[str]:
    return [document["metadata"]["name"] for document in documents]


def test_what_may_not_be_listed_is_told_of(inhabited: Inhabited) -> None:
    kubeconfig = inhabited.folder / "reader.kubeconfig"
    inhabited.cluster.kubectl("create", "serviceaccount", "reader", "-n", "unclaimed")
    granted = inhabited.cluster.kubectl(
        *("create", "clusterrole", "scan-deployments", "--verb=list", "--resource=deployments")
    )
    assert granted.returncode == 0, granted.stderr
    inhabited.cluster.kubectl(
        *("create", "clusterrolebinding", "scan-deployments", "--clusterrole=scan-deployments"),
        "--serviceaccount=unclaimed:reader",
    )
    token = inhabited.cluster.kubectl("create", "token", "reader", "-n", "unclaimed").stdout.strip()
    document = json.loads(inhabited.cluster.kubeconfig.read_text())
    document["users"] = [{"name": "me", "user": {"token": token}}]
    kubeconfig.write_text(json.dumps(document))

    done = inhabited.scan("--kubeconfig", str(kubeconfig), log="reader.db")

    assert done.returncode == 2, done.stderr
    assert f"refused  {REFUSED}" in done.stdout
    assert "Not read\n" in done.stdout
    assert 'pods is forbidden: User "system:serviceaccount:unclaimed:reader"' in done.stdout


def crd(group: str, version: str, kind: str, scope: str) -> dict[str, Any]:
    """A CRD that takes reports as they are."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural},
            "scope": scope,
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def test_findings_are_reports_in_the_cluster(inhabited: Inhabited) -> None:
    refused = inhabited.scan("--policy-reports", log="reports.db")
    assert refused.returncode == 2
    assert "the cluster serves neither `openreports.io/v1alpha1`" in refused.stderr
    group = "wgpolicyk8s.io"
    for kind, scope in (("PolicyReport", "Namespaced"), ("ClusterPolicyReport", "Cluster")):
        inhabited.cluster.apply(crd(group, "v1alpha2", kind, scope))
    kubectl = inhabited.cluster.kubectl
    for kind in ("policyreports", "clusterpolicyreports"):
        waited = kubectl("wait", "--for=condition=Established", f"crd/{kind}.{group}")
        assert waited.returncode == 0, waited.stderr
    stale = {
        "apiVersion": f"{group}/v1alpha2",
        "kind": "PolicyReport",
        "metadata": {
            "name": "portreeve-stale",
            "namespace": "unclaimed",
            "labels": {"app.kubernetes.io/managed-by": "portreeve"},
        },
    }
    inhabited.cluster.apply(stale)

    for _ in range(2):
        done = inhabited.scan("--policy-reports", log="reports.db")
        assert done.returncode == 0, done.stderr
        assert "reports of wgpolicyk8s.io/v1alpha2 written" in done.stderr

    listed = kubectl("get", "policyreports", "-A", "-o", "json")
    reports = {
        f"{item['scope']['kind']} {item['metadata']['namespace']}/{item['scope']['name']}": item
        for item in json.loads(listed.stdout)["items"]
    }
    report = reports[REFUSED]
    assert report["summary"]["fail"] == 1
    [failed] = [result for result in report["results"] if result["result"] == "fail"]
    assert failed["policy"] == "GPU-002"
    assert not any(item["metadata"]["name"] == "portreeve-stale" for item in reports.values())


@pytest.fixture
def governed(inhabited: Inhabited) -> Iterator[Service]:
    """The webhook, by a bundle with the baseline of a scan, which would refuse what was before."""
    folder = inhabited.folder / "acme"
    (folder / "org").mkdir(parents=True)
    (folder / "bundle.yaml").write_text('name: acme\nrevision: "1"\nextends: example\n')
    (folder / "org" / "existing.yaml").write_text("on_existing: enforce\n")
    baseline = folder / "org" / "baseline.yaml"
    options = ("--write-baseline", str(baseline))
    done = inhabited.scan(*options, "--until", "2126-12-31", log="baseline.db")
    assert done.returncode == 0, done.stderr
    assert f"{baseline}: " in done.stderr
    assert "subject: prod-eu/language-serving/Deployment/llama-70b" in baseline.read_text()
    assert inhabited.scan(*options, log="baseline.db").returncode == 2

    certificate, key = self_signed(inhabited.folder)
    tokens = inhabited.folder / "tokens.yaml"
    caller = {
        "name": "prod-eu",
        "token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(),
        "roles": ["enforcer"],
        "clusters": ["prod-eu"],
    }
    tokens.write_text(yaml.safe_dump([caller]))
    service = spawn(
        inhabited.folder,
        *("--tls-certificate", str(certificate), "--tls-key", str(key)),
        *("--tokens-file", str(tokens), "--bundle", str(folder), "--port", str(inhabited.port)),
    )
    try:
        wait_until(lambda: "listening" in service.output.read_text(), service.process)
        url = f"https://127.0.0.1:{inhabited.port}/v1/kubernetes/validate/prod-eu"
        inhabited.cluster.apply(webhook(url, certificate))
        yield service
    finally:
        inhabited.cluster.kubectl("delete", "validatingwebhookconfigurations", "portreeve")
        stop(service.process)


def test_the_webhook_honours_what_was_accepted_until_it_grows(
    inhabited: Inhabited, governed: Service
) -> None:
    del governed
    patch = ("-n", "language-serving", "patch", "deployment", "llama-70b", "--type=json", "-p")
    path = "/spec/template/spec/containers/0/image"

    def image(tag: str) -> str:
        change = {"op": "replace", "path": path, "value": f"vllm/vllm-openai:{tag}"}
        return json.dumps([change])

    # The API server learns of a new webhook a moment after it was stored.
    for number in range(100):
        kept = inhabited.cluster.kubectl(*patch, image(f"v{number}"))
        if "Warning" in kept.stderr:
            break
    assert kept.returncode == 0, kept.stderr
    assert "Warning: GPU-002: in the baseline until 2126-12-31: " in kept.stderr

    replicas = json.dumps([{"op": "replace", "path": "/spec/replicas", "value": 2}])
    grown = inhabited.cluster.kubectl(*patch, replicas)

    assert grown.returncode != 0
    assert f"GPU-002: `{REFUSED}` needs " in grown.stderr
    assert "BSL-001: the baseline of `GPU-002` no longer covers" in grown.stderr
    assert "it takes 2 x nvidia-l4, 1 were accepted" in grown.stderr
    again = inhabited.cluster.kubectl(*patch, image("last"))
    assert again.returncode == 0, again.stderr
