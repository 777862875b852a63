"""What a real API server sends with the webhooks that we write, and whether it takes the rest."""

from __future__ import annotations

import base64
import copy
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from asked import Asked, asked_webhook
from certificates import Authority
from cluster import Cluster, cluster, need_a_cluster, self_signed, webhook_credentials
from running import ROOT, tool

from service.install.manifests import documents
from service.install.options import Component, FailurePolicy, Options

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
_TEMPLATE_METADATA = {"labels": {"app": "x"}}
_AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"


def _pod(*, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox:1.37", **spec.pop("container", {})}
    return {
        "metadata": {"annotations": annotations or {}, "labels": {"app": "x"}},
        "spec": {"containers": [container], **spec},
    }


def _selecting(expression: dict[str, Any]) -> dict[str, Any]:
    return {
        "nodeAffinity": {_AFFINITY: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    }


_PRIVILEGED = {"securityContext": {"privileged": True}}

SENT: dict[str, dict[str, Any]] = {
    "limit": _pod(container=_GPU),
    "resource-nobody-knows": _pod(
        container={"resources": {"limits": {"example.org/frobnicator": "1"}}}
    ),
    "slice": _pod(container={"resources": {"limits": {"nvidia.com/mig-1g.10gb": "1"}}}),
    "init-container": _pod(initContainers=[{"name": "i", "image": "busybox:1.37", **_GPU}]),
    "claim": _pod(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "gpu"}]),
    "variable": _pod(container={"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}),
    "variable-of-another-maker": _pod(
        container={"env": [{"name": "HABANA_VISIBLE_DEVICES", "value": "all"}]}
    ),
    "device-file": _pod(volumes=[{"name": "d", "hostPath": {"path": "/dev/nvidia0"}}]),
    "device-file-written-otherwise": _pod(
        volumes=[{"name": "d", "hostPath": {"path": "//dev//kfd"}}]
    ),
    "device-file-with-dots": _pod(volumes=[{"name": "d", "hostPath": {"path": "/dev/./kfd"}}]),
    "mounted-devices-written-otherwise": _pod(
        container={
            "volumeMounts": [{"name": "v", "mountPath": "//var//run/nvidia-container-devices/all"}]
        },
        volumes=[{"name": "v", "emptyDir": {}}],
    ),
    "mounted-devices": _pod(
        container={
            "volumeMounts": [{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}]
        },
        volumes=[{"name": "v", "emptyDir": {}}],
    ),
    "runtime-class": _pod(runtimeClassName="nvidia"),
    "toleration": _pod(tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}]),
    "toleration-by-value": _pod(
        tolerations=[{"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}]
    ),
    "toleration-of-all": _pod(tolerations=[{"operator": "Exists"}]),
    "privileged-on-selected-nodes": _pod(
        container=_PRIVILEGED, nodeSelector={"nvidia.com/gpu.present": "true"}
    ),
    "privileged-by-affinity": _pod(
        container=_PRIVILEGED,
        affinity=_selecting({"key": "cloud.google.com/gke-accelerator", "operator": "Exists"}),
    ),
    "named-in-an-annotation": _pod(annotations={"cdi.k8s.io/gpu": "nvidia.com/gpu=all"}),
}

_RESTRICTED = _pod(
    container={
        **_GPU,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
)

UNSENT: dict[str, dict[str, Any]] = {
    "plain": _pod(
        container={
            "env": [{"name": "PATH", "value": "/bin"}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}},
        }
    ),
    "agent": _pod(
        container=_PRIVILEGED,
        nodeSelector={"kubernetes.io/os": "linux"},
        tolerations=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}],
        volumes=[{"name": "l", "hostPath": {"path": "/var/log"}}],
        affinity=_selecting({"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}),
    ),
    "virtual-machine": _pod(container={"resources": {"limits": {"devices.kubevirt.io/kvm": "1"}}}),
    "own-taint": _pod(
        tolerations=[{"key": "dedicated", "operator": "Equal", "value": "web"}],
        volumes=[{"name": "c", "emptyDir": {}}, {"name": "r", "hostPath": {"path": "/"}}],
    ),
}


@dataclass
class Installed:
    cluster: Cluster
    asked: Asked

    def create(self, document: dict[str, Any], *options: str) -> str:
        done = self.cluster.kubectl("create", *options, "-f", "-", stdin=json.dumps(document))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str) -> None:
        done = self.cluster.kubectl(*arguments)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    need_a_cluster()
    folder = tmp_path_factory.mktemp("cluster")
    certificate, key = self_signed(folder)
    with asked_webhook(certificate, key) as asked:
        admission = webhook_credentials(folder, asked.url.removeprefix("https://"), "token")
        with cluster(folder, admission) as running:
            options = Options(
                "prod-eu",
                components=(Component.NAMESPACE, Component.VALIDATING, Component.MUTATING),
                ca_bundle=base64.b64encode(certificate.read_bytes()).decode(),
                url=asked.url,
                exempt=("network-agents",),
            )
            for document in documents(options):
                running.apply(document.content)
            made = Installed(running, asked)
            for name in ("team", "network-agents"):
                made.run("create", "namespace", name)
            made.create(
                {
                    "apiVersion": "node.k8s.io/v1",
                    "kind": "RuntimeClass",
                    "metadata": {"name": "nvidia"},
                    "handler": "nvidia",
                }
            )
            _wait(made)
            yield made


def _wait(made: Installed) -> None:
    """The API server learns of a new configuration a moment after it was stored."""
    for _ in range(100):
        made.create(_named("probe", SENT["limit"]), "--dry-run=server")
        if {path.split("/")[3] for path, _ in made.asked.reviews} == {"validate", "mutate"}:
            return
    raise AssertionError("the webhooks never took effect")


def _named(name: str, pod: dict[str, Any], namespace: str = "team") -> dict[str, Any]:
    metadata = {**pod["metadata"], "name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]}


def _workload(kind: str, name: str, pod: dict[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(pod)
    group = "batch/v1" if kind in {"Job", "CronJob"} else "apps/v1"
    spec: dict[str, Any] = {"template": template}
    if group == "apps/v1":
        spec["selector"] = {"matchLabels": {"app": "x"}}
    else:
        template["spec"]["restartPolicy"] = "Never"
    if kind == "StatefulSet":
        spec["serviceName"] = "x"
    if kind == "CronJob":
        spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": spec}}
    metadata = {"name": name, "namespace": "team"}
    return {"apiVersion": group, "kind": kind, "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("name", SENT)
def test_every_way_to_an_accelerator_is_sent(installed: Installed, name: str) -> None:
    installed.create(_named(name, SENT[name]))

    assert installed.asked.about(name).count("CREATE") >= 2


@pytest.mark.parametrize("name", UNSENT)
def test_pods_without_accelerators_never_wait(installed: Installed, name: str) -> None:
    installed.create(_named(name, UNSENT[name]))
    installed.run("-n", "team", "annotate", "pod", name, "a=b")
    installed.run("-n", "team", "delete", "pod", name, "--now")

    assert installed.asked.about(name) == []


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"]
)
def test_workloads_are_told_apart_by_their_templates(installed: Installed, kind: str) -> None:
    plain, taking = f"plain-{kind.lower()}", f"taking-{kind.lower()}"
    installed.create(_workload(kind, plain, UNSENT["plain"]))
    installed.create(_workload(kind, taking, SENT["variable"]))
    installed.run("-n", "team", "delete", kind, plain, taking, "--wait=false")

    assert installed.asked.about(plain) == []
    assert {"CREATE", "DELETE"} <= set(installed.asked.about(taking))


def test_what_gives_accelerators_back_is_sent(installed: Installed) -> None:
    installed.create(_workload("Deployment", "giving-back", SENT["limit"]))
    patch = [{"op": "remove", "path": "/spec/template/spec/containers/0/resources/limits"}]
    patch.append(
        {"op": "replace", "path": "/spec/template/spec/containers/0/resources", "value": {}}
    )
    before = len(installed.asked.about("giving-back"))

    installed.run(
        *("-n", "team", "patch", "deployment", "giving-back"),
        *("--type=json", "-p", json.dumps(patch)),
    )

    assert "UPDATE" in installed.asked.about("giving-back")[before:]


def test_an_update_of_nothing_that_is_read_is_not_sent(installed: Installed) -> None:
    installed.create(_workload("Deployment", "steady", SENT["limit"]))
    installed.run(
        *("-n", "team", "patch", "deployment", "steady"),
        *("--type=merge", "-p", '{"metadata": {"finalizers": ["example.org/keep"]}}'),
    )
    assert "UPDATE" not in installed.asked.about("steady")

    installed.run("-n", "team", "annotate", "deployment", "steady", "portreeve.dev/team=x")
    assert "UPDATE" in installed.asked.about("steady")

    installed.run("-n", "team", "delete", "deployment", "steady", "--wait=false")
    before = len(installed.asked.about("steady"))
    installed.run(
        *("-n", "team", "patch", "deployment", "steady"),
        *("--type=merge", "-p", '{"metadata": {"finalizers": []}}'),
    )
    assert installed.asked.about("steady")[before:] == []


def test_scaling_claims_and_autoscalers_are_always_sent(installed: Installed) -> None:
    installed.create(_workload("Deployment", "scaled", UNSENT["plain"]))
    installed.run("-n", "team", "scale", "deployment", "scaled", "--replicas=3")
    installed.run("-n", "team", "autoscale", "deployment", "scaled", "--max=9")
    device = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": "device-class"},
        "spec": {},
    }
    installed.create(device)
    exactly = {"deviceClassName": "device-class"}
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "claimed", "namespace": "team"},
        "spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}},
    }
    installed.create(claim)

    assert {"UPDATE scale", "CREATE"} <= set(installed.asked.about("scaled"))
    assert "CREATE" in installed.asked.about("device-class")
    assert "CREATE" in installed.asked.about("claimed")


def test_an_ephemeral_container_is_sent(installed: Installed) -> None:
    installed.create(_named("debugged", UNSENT["plain"]))
    added = {"name": "debug", "image": "busybox:1.37"}
    added["env"] = [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]
    patch = json.dumps({"spec": {"ephemeralContainers": [added]}})

    installed.run(
        *("-n", "team", "patch", "pod", "debugged", "--subresource=ephemeralcontainers"),
        *("--type=strategic", "-p", patch),
    )

    assert set(installed.asked.about("debugged")) == {"UPDATE ephemeralcontainers"}


@pytest.mark.parametrize("namespace", ["portreeve", "kube-system", "network-agents"])
def test_exempt_namespaces_are_never_sent(installed: Installed, namespace: str) -> None:
    name = f"exempt-in-{namespace}"
    installed.create(_named(name, _RESTRICTED, namespace))

    assert installed.asked.about(name) == []


def test_a_label_of_the_tenants_own_exempts_nothing(installed: Installed) -> None:
    installed.run("create", "namespace", "sly")
    for label in ("portreeve.dev/ignore=true", "control-plane=true", "name=kube-system"):
        installed.run("label", "namespace", "sly", label)
    installed.create(_named("in-sly", SENT["limit"], "sly"))

    assert "CREATE" in installed.asked.about("in-sly")


def test_agents_of_nodes_start_while_we_are_away(installed: Installed) -> None:
    document = json.dumps(_named("agent-of-a-node", SENT["toleration-of-all"]))
    controller = "system:serviceaccount:kube-system:daemon-set-controller"
    installed.run(
        "create", "clusterrolebinding", "agents", "--clusterrole=edit", f"--user={controller}"
    )

    done = installed.cluster.kubectl("create", "--as", controller, "-f", "-", stdin=document)

    assert done.returncode == 0, done.stderr
    assert installed.asked.about("agent-of-a-node") == []


def test_no_object_costs_more_than_conditions_may(installed: Installed) -> None:
    """A condition that costs too much would refuse the object, and nobody could tell why."""
    variables = [{"name": f"V{number}", "value": ""} for number in range(38_000)]
    many = _pod(container={"env": variables})
    assert 1_200_000 < len(json.dumps(many)) < 1_500_000
    volumes = [
        {"name": f"v{number}", "hostPath": {"path": "/data/" + "x" * 4000}} for number in range(300)
    ]
    keys = (f"key.example.org/{number}" for number in range(12_000))
    tolerating = _pod(tolerations=[{"key": key, "operator": "Exists"} for key in keys])
    for name, pod in (("many", many), ("far", _pod(volumes=volumes)), ("tolerant", tolerating)):
        installed.create(_named(name, pod), "--dry-run=server")
        installed.create(_workload("Deployment", name, pod), "--dry-run=server")

        assert "CREATE" in installed.asked.about(name)


def test_the_largest_objects_that_are_looked_at_stay_within_the_budget(
    installed: Installed,
) -> None:
    known = {f"devices.kubevirt.io/device-with-a-long-name-{number}": "1" for number in range(16)}
    container = {
        "image": "busybox:1.37",
        "env": [{"name": f"VARIABLE_{number}", "value": ""} for number in range(256)],
        "resources": {"limits": known},
        "volumeMounts": [{"name": "v0", "mountPath": f"/m{number}"} for number in range(100)],
    }
    large = _pod(
        tolerations=[
            {"key": f"some.example.org/{'k' * 40}{number}", "value": "v" * 60}
            for number in range(32)
        ],
        volumes=[
            {"name": f"v{number}", "hostPath": {"path": "/data/" + "x" * 250}}
            for number in range(100)
        ],
    )
    large["spec"]["containers"] = [{**container, "name": f"c{number}"} for number in range(20)]
    large["spec"]["initContainers"] = [{**container, "name": f"i{number}"} for number in range(20)]
    installed.create(_workload("Deployment", "large", large))

    installed.run("-n", "team", "label", "deployment", "large", "a=b")

    assert installed.asked.about("large") == []


@pytest.mark.parametrize("policy", list(FailurePolicy))
def test_the_api_server_takes_every_manifest(installed: Installed, policy: FailurePolicy) -> None:
    # The API server knows no operator's kinds.
    operators = {Component.CERTIFICATE, Component.PROMETHEUSRULE}
    parts = tuple(part for part in Component if part not in operators)
    for document in documents(Options("prod-eu", components=parts, failure_policy=policy)):
        content = copy.deepcopy(document.content)
        if "webhooks" in content:
            content["metadata"]["name"] = "as-written"
        done = installed.cluster.kubectl(
            *("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
            stdin=yaml.safe_dump(content),
        )
        assert done.returncode == 0, done.stderr
        assert "violate" not in done.stderr, done.stderr


def _rendered(program: Path, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def _accepts(installed: Installed, content: dict[str, Any]) -> None:
    if "webhooks" in content:
        content["metadata"]["name"] = "as-rendered"
    done = installed.cluster.kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
        stdin=yaml.safe_dump(content),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("policy", list(FailurePolicy))
@pytest.mark.parametrize("watch", [False, True])
def test_the_chart_renders_what_the_command_writes(
    installed: Installed, policy: FailurePolicy, *, watch: bool
) -> None:
    helm = tool("helm")
    if helm is None:
        pytest.skip("needs helm: `make tools` builds it")
    values = {
        "cluster": "prod-us",
        "failurePolicy": policy.value,
        "mutating": True,
        "caBundle": base64.b64encode(Authority().pem).decode(),
        "exemptNamespaces": ["network-agents"],
        "timeoutSeconds": 5,
        "rotation": True,
        "alerts": True,
        "watch": watch,
    }
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    chart = str(ROOT / "deploy" / "helm" / "portreeve")
    rendered = _rendered(
        helm, "template", "x", chart, "--kube-version=1.36.0", "--namespace=portreeve", *given
    )

    left_out = {Component.NAMESPACE, Component.CERTIFICATE}
    options = Options(
        "prod-us",
        components=tuple(part for part in Component if part not in left_out),
        failure_policy=policy,
        timeout=5,
        ca_bundle=str(values["caBundle"]),
        exempt=("network-agents",),
        watch=watch,
    )
    expected = [document.content for document in documents(options)]
    assert sorted(map(_identity, rendered)) == sorted(map(_identity, expected))
    for content in rendered:
        (same,) = (each for each in expected if _identity(each) == _identity(content))
        assert content == same
        if content["kind"] != "PrometheusRule":  # the API server knows no operator's kinds
            _accepts(installed, content)


def _identity(content: dict[str, Any]) -> str:
    return f"{content['kind']} {content['metadata']['name']}"


def test_the_chart_refuses_values_that_it_does_not_know() -> None:
    helm = tool("helm")
    if helm is None:
        pytest.skip("needs helm: `make tools` builds it")
    chart = str(ROOT / "deploy" / "helm" / "portreeve")
    for given in (
        "--set=cluster=",
        "--set=cluster=x,replicas=3",
        "--set=cluster=x,failurePolicy=No",
    ):
        done = subprocess.run(
            [helm, "template", "x", chart, "--kube-version=1.36.0", given],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "values don't meet the specifications" in done.stderr


@pytest.mark.parametrize("with_mutating", [False, True])
def test_kustomize_builds_an_overlay(
    installed: Installed, tmp_path: Path, *, with_mutating: bool
) -> None:
    shutil.copytree(ROOT / "deploy" / "kustomize", tmp_path / "kustomize")
    overlay = tmp_path / "kustomize" / "own"
    overlay.mkdir()
    kustomization: dict[str, Any] = {"resources": ["../base"]}
    kustomization["images"] = [{"name": "portreeve", "newName": "own/portreeve"}]
    if with_mutating:
        kustomization["components"] = ["../mutating"]
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    kubectl = tool("kubectl")
    assert kubectl is not None
    built = _rendered(kubectl, "kustomize", str(overlay))

    kinds = {content["kind"] for content in built}
    assert ("MutatingWebhookConfiguration" in kinds) is with_mutating
    assert {"Deployment", "ValidatingWebhookConfiguration", "NetworkPolicy"} <= kinds
    for content in built:
        _accepts(installed, content)
