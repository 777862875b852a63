"""A real API server has objects added to before it has them decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster import (
    Cluster,
    cluster,
    mutating_webhook,
    need_a_cluster,
    self_signed,
    webhook,
    webhook_credentials,
)
from payloads import deployment
from running import Service, spawn, stop, wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

TOKEN = "token-of-the-cluster"
REGION = {"key": "topology.kubernetes.io/region", "operator": "In", "values": ["europe-west4"]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
COST = "portreeve.dev/estimated-monthly-cost"
SPACE = "vision-cameras"


@dataclass
class Helped:
    cluster: Cluster
    service: Service
    audit: Path

    def create(self, document: dict[str, Any], *options: str) -> Any:
        done = self.cluster.kubectl(
            "create", *options, "-o", "json", "-f", "-", stdin=json.dumps(document)
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def get(self, kind: str, name: str) -> Any:
        done = self.cluster.kubectl("-n", SPACE, "get", kind, name, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def do(self, *arguments: str, document: Any = None) -> None:
        stdin = "" if document is None else json.dumps(document)
        done = self.cluster.kubectl("-n", SPACE, *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helped]:
    need_a_cluster()
    folder = tmp_path_factory.mktemp("cluster")
    certificate, key = self_signed(folder)
    caller = {
        "name": "prod-eu",
        "token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(),
        "roles": ["enforcer"],
        "clusters": ["prod-eu"],
    }
    tokens, policy, audit = (folder / name for name in ("tokens.yaml", "policy.yaml", "audit.log"))
    tokens.write_text(yaml.safe_dump([caller]))
    rules = [{"level": "Metadata"}]
    stages = ["RequestReceived"]
    policy.write_text(
        json.dumps(
            {
                "apiVersion": "audit.k8s.io/v1",
                "kind": "Policy",
                "omitStages": stages,
                "rules": rules,
            }
        )
    )
    tls = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    service = spawn(folder, *tls, "--tokens-file", str(tokens))
    audited = (f"--audit-policy-file={policy}", f"--audit-log-path={audit}")
    try:
        wait_until(lambda: "listening" in service.output.read_text(), service.process)
        admission = webhook_credentials(folder, service.url.removeprefix("https://"), TOKEN)
        with cluster(folder, admission, *audited) as running:
            running.kubectl("create", "namespace", SPACE)
            running.apply(webhook(f"{service.url}/v1/kubernetes/validate/prod-eu", certificate))
            # Two of them, so that one of them is asked again after the other has changed something.
            for name in ("mutate", "mutate-again"):
                url = f"{service.url}/v1/kubernetes/mutate/prod-eu"
                running.apply(mutating_webhook(name, url, certificate))
            found = Helped(running, service, audit)
            wait_until(lambda: _is_helping(found), service.process)
            yield found
    finally:
        stop(service.process)


def _is_helping(helped: Helped) -> bool:
    document = pictures("probe")
    arguments = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    done = helped.cluster.kubectl(*arguments, stdin=json.dumps(document))
    return done.returncode == 0 and COST in done.stdout and helped.audit.exists()


def pictures(name: str) -> dict[str, Any]:
    """A Deployment of a team whose camera pictures have to stay in the region."""
    document = deployment(gpus=2)
    (container,) = document["spec"]["template"]["spec"]["containers"]
    model = ["--model", "meta-llama/Llama-3.1-8B-Instruct", "--max-model-len", "8192"]
    container["args"] = [*model, "--tensor-parallel-size", "2"]
    document["metadata"] |= {"name": name, "namespace": SPACE}
    return document


def run_of(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """A Job or CronJob of what the Deployment *document* runs."""
    pod = document["spec"]["template"]["spec"] | {"restartPolicy": "Never"}
    spec: dict[str, Any] = {"template": {"spec": pod}}
    if kind == "CronJob":
        spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": spec}}
    return {
        "apiVersion": "batch/v1",
        "kind": kind,
        "metadata": document["metadata"],
        "spec": spec,
    }


def assert_has_all(pod: dict[str, Any]) -> None:
    terms = pod["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert all(term["matchExpressions"].count(REGION) == 1 for term in terms)
    volumes = [one for one in pod["volumes"] if one["name"] == "portreeve-shm"]
    assert [one["emptyDir"] for one in volumes] == [{"medium": "Memory", "sizeLimit": "1Gi"}]
    (container,) = pod["containers"]
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert paths == ["/dev/shm"]  # noqa: S108  # in a container


def test_what_is_missing_is_added_and_the_result_is_admitted(helped: Helped) -> None:
    document = pictures("added")

    done = helped.cluster.kubectl("create", "-f", "-", stdin=json.dumps(document))

    assert done.returncode == 0, done.stderr
    assert "GPU-016" not in done.stderr
    live = helped.get("deployment", "added")
    assert_has_all(live["spec"]["template"]["spec"])
    assert live["metadata"]["annotations"][COST].endswith(" USD")
    assert live["metadata"]["annotations"][f"{COST}-basis"] != "unknown"


def test_terms_that_are_there_all_get_the_region(helped: Helped) -> None:
    document = pictures("terms")
    terms = [
        {"matchExpressions": [{"key": "rack", "operator": "In", "values": [name]}]}
        for name in ("a", "b")
    ]
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}
    document["spec"]["template"]["spec"]["affinity"] = affinity

    live = helped.create(document)

    pod = live["spec"]["template"]["spec"]
    assert_has_all(pod)
    found = pod["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [term["matchExpressions"][0] for term in found] == [
        term["matchExpressions"][0] for term in terms
    ]


def test_a_dry_run_shows_what_would_be_added(helped: Helped) -> None:
    live = helped.create(pictures("dry"), "--dry-run=server")

    assert_has_all(live["spec"]["template"]["spec"])
    missing = helped.cluster.kubectl("-n", SPACE, "get", "deployment", "dry")
    assert missing.returncode != 0


@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_a_job_gets_a_deadline(helped: Helped, kind: str) -> None:
    document = run_of(pictures(f"run-{kind.lower()}"), kind)

    spec = helped.create(document)["spec"]

    run = spec["jobTemplate"]["spec"] if kind == "CronJob" else spec
    assert run["activeDeadlineSeconds"] == 10080 * 60
    assert_has_all(run["template"]["spec"])


def test_a_pod_of_its_own_gets_everything_too(helped: Helped) -> None:
    document = pictures("alone")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": document["metadata"],
        "spec": document["spec"]["template"]["spec"],
    }

    live = helped.create(pod, "--dry-run=server")

    spec = live["spec"]
    assert COST in live["metadata"]["annotations"]
    spec["containers"][0]["volumeMounts"] = spec["containers"][0]["volumeMounts"][:1]
    assert_has_all(spec)


def test_updates_restart_nothing_and_lose_nothing(helped: Helped) -> None:
    document = pictures("updated")
    first = helped.create(document)

    helped.do("annotate", "deployment", "updated", "note=1")
    helped.do("scale", "deployment", "updated", "--replicas=0")
    helped.do("replace", "-f", "-", document=document)

    live = helped.get("deployment", "updated")
    assert live["spec"]["template"] == first["spec"]["template"]
    assert live["metadata"]["annotations"][COST] == first["metadata"]["annotations"][COST]


def test_what_was_there_before_is_left_until_its_template_changes(helped: Helped) -> None:
    document = pictures("before")
    configurations = ("mutate", "mutate-again")
    saved = []
    for name in configurations:
        done = helped.cluster.kubectl("get", "mutatingwebhookconfiguration", name, "-o", "json")
        saved.append(json.loads(done.stdout))
        helped.do("delete", "mutatingwebhookconfiguration", name)
    try:
        wait_until(lambda: not _is_helping(helped), helped.service.process)
        done = helped.cluster.kubectl("create", "-f", "-", stdin=json.dumps(document))
        before = helped.get("deployment", "before")
    finally:
        for configuration in saved:
            for field in ("resourceVersion", "uid", "creationTimestamp", "generation"):
                configuration["metadata"].pop(field, None)
            helped.cluster.apply(configuration)
    wait_until(lambda: _is_helping(helped), helped.service.process)
    assert "affinity" not in before["spec"]["template"]["spec"]
    assert "Warning: GPU-016: `Deployment vision-cameras/before`" in done.stderr

    helped.do("annotate", "deployment", "before", "note=1")
    annotated = helped.get("deployment", "before")
    helped.do("set", "image", "deployment/before", "vllm=vllm/vllm-openai:v0.11.1")

    assert annotated["spec"] == before["spec"]
    assert_has_all(helped.get("deployment", "before")["spec"]["template"]["spec"])


def test_another_region_is_left_to_the_rules_to_speak_about(helped: Helped) -> None:
    document = pictures("abroad")
    selector = document["spec"]["template"]["spec"]["nodeSelector"]
    selector["topology.kubernetes.io/region"] = "us-east1"

    done = helped.cluster.kubectl(
        "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(document)
    )

    assert "matchExpressions" not in done.stdout
    assert "portreeve added" not in done.stderr


def test_kubectl_shows_the_worst_first_and_the_audit_log_the_decision(helped: Helped) -> None:
    document = deployment(gpus=1)
    document["metadata"] |= {"name": "refused", "namespace": SPACE}

    done = helped.cluster.kubectl("create", "-f", "-", stdin=json.dumps(document))

    assert done.returncode != 0
    assert 'admission webhook "validate.portreeve.dev" denied the request: GPU-002' in done.stderr
    decision = done.stderr.partition("decision ")[2].split()[0]
    warnings = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert all(len(line) <= len("Warning: ") + 256 for line in warnings)
    events = [json.loads(line) for line in helped.audit.read_text().splitlines()]
    annotations = [event.get("annotations", {}) for event in events]
    found = [
        one for one in annotations if one.get("validate.portreeve.dev/decision-id") == decision
    ]
    assert [one["validate.portreeve.dev/outcome"] for one in found] == ["deny"]
    assert "GPU-002" in found[0]["validate.portreeve.dev/codes"].split(",")
    added = {one.get("mutate.portreeve.dev/added") for one in annotations}
    assert "annotations,region-affinity,shared-memory" in added
