from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from certificates import Authority

from adapters.kubernetes.devices import DEVICE, device_of
from adapters.kubernetes.kinds import Takes, shipped, use
from adapters.kubernetes.paths import parse_path
from service.bundle.controllers import KUBERNETES
from service.cli import main
from service.errors import SettingsRefused
from service.install.conditions import (
    can_be_written,
    names_accelerators,
    takes_accelerators,
)
from service.install.kinds import groups, plural
from service.install.manifests import documents, manifests
from service.install.options import Component, FailurePolicy, Options, check_bundle, read_ca
from service.install.shipped import files

ROOT = Path(__file__).resolve().parents[3]


def _objects(options: Options) -> dict[str, dict[str, Any]]:
    found = list(yaml.safe_load_all(manifests(options)))
    return {each["kind"]: each for each in found}


def test_several_replicas_are_refused_with_the_reason() -> None:
    with pytest.raises(SettingsRefused, match="one SQLite file") as refused:
        list(documents(Options("prod-eu", replicas=2)))

    assert "PostgreSQL" in refused.value.hint


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options("a/b"), "cannot stand in a webhook's path"),
        (Options(""), "cannot stand"),
        (Options("x", namespace="No"), "no name of a namespace"),
        (Options("x", exempt=("a b",)), "no name of a namespace"),
        (Options("x", timeout=31), "1 to 30"),
        (Options("x", url="http://x"), "https only"),
        (Options("x", replicas=0), "expected 1"),
        (Options("x", controllers=("system:a:*",)), "no account of a controller"),
        (Options("x", image="a: b"), "no name of an image"),
    ],
)
def test_what_no_cluster_takes_is_refused(options: Options, words: str) -> None:
    with pytest.raises(SettingsRefused, match=words):
        list(documents(options))


def test_the_deployment_is_held_to_the_strictest_standard() -> None:
    found = _objects(Options("prod-eu"))
    pod = found["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert found["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found["Deployment"]["spec"]["replicas"] == 1
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "cpu" not in container["resources"]["limits"]
    assert found["NetworkPolicy"]["spec"]["egress"] == []
    assert "minAvailable" not in found["PodDisruptionBudget"]["spec"]


@pytest.mark.parametrize("policy", list(FailurePolicy))
def test_webhooks_never_stop_deletions_or_scaling(policy: FailurePolicy) -> None:
    options = Options("prod-eu", failure_policy=policy, exempt=("cni",))
    hooks = _objects(options)["ValidatingWebhookConfiguration"]["webhooks"]

    for hook in hooks:
        operations = {one for rule in hook["rules"] for one in rule["operations"]}
        lenient = "DELETE" in operations or hook["name"].startswith(("scaling", "children-"))
        assert hook["failurePolicy"] == ("Ignore" if lenient else policy.value)
        assert not ("DELETE" in operations and len(operations) > 1)
        assert hook["sideEffects"] == "NoneOnDryRun"
        assert hook["clientConfig"]["service"]["path"] == "/v1/kubernetes/validate/prod-eu"
        (only,) = hook["namespaceSelector"]["matchExpressions"]
        assert only["key"] == "kubernetes.io/metadata.name"
        assert only["operator"] == "NotIn"
        assert {"kube-system", "portreeve", "cni"} <= set(only["values"])
        assert "objectSelector" not in hook
        assert not any("*" in rule["apiGroups"] for rule in hook["rules"] if not lenient)


def test_what_controllers_make_is_sent_by_webhooks_of_its_own() -> None:
    operator = "system:serviceaccount:kuberay:kuberay-operator"
    options = Options("prod-eu", controllers=(*KUBERNETES, operator))
    hooks = _objects(options)["ValidatingWebhookConfiguration"]["webhooks"]

    def first(hook: dict[str, Any]) -> str:
        condition: str = hook["matchConditions"][0]["expression"]
        return condition

    children = {hook["name"]: hook for hook in hooks if hook["name"].startswith("children-")}
    strict = [hook for hook in hooks if hook["failurePolicy"] == "Fail"]
    assert {f"children-{hook['name']}" for hook in strict} == set(children)
    for hook in strict:
        child = children[f"children-{hook['name']}"]
        assert child["rules"] == hook["rules"]
        assert child["matchConditions"][1:] == hook["matchConditions"][1:]
        assert first(hook) == f"!({first(child)})"
        assert f"'{operator}'" in first(child)


def test_without_controllers_nothing_is_told_apart() -> None:
    options = Options("prod-eu", controllers=())
    hooks = _objects(options)["ValidatingWebhookConfiguration"]["webhooks"]

    names = {one["name"] for hook in hooks for one in hook.get("matchConditions", ())}
    assert names == {"changes-something", "takes-accelerators"}
    assert not [hook for hook in hooks if hook["name"].startswith("children-")]


def test_webhooks_are_for_the_kinds_that_the_service_understands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kinds.yaml"
    row = "group: example.org, kind: Trainer, templates: [{pods: spec.template}], source: ours"
    path.write_text(f"kinds: [{{{row}}}]")

    try:
        given = ["--cluster", "c", "--kinds-file", str(path), "--controller", "system:ours"]
        assert main(["kubernetes", "manifests", *given]) == 0
    finally:
        use(None)

    out = capsys.readouterr().out
    assert "- trainers" in out
    assert "'system:ours'" in out


def test_every_kind_of_the_table_that_takes_something_is_sent() -> None:
    every = groups(shipped())
    sent = {
        (group, name)
        for each in (*every.workloads, every.always, every.scaling)
        for group, names in each.resources.items()
        for name in names
    }

    for (group, kind), row in shipped().rows.items():
        if kind is not None and row.takes is not Takes.NOTHING and kind != "Scale":
            assert (group, plural(kind)) in sent
    assert ("*", "*/scale") in sent
    assert {("", "pods/ephemeralcontainers"), ("", "pods/resize")} <= sent
    assert ("resource.k8s.io", "deviceclasses") in sent


def test_kinds_that_are_always_sent_have_no_condition() -> None:
    every = groups(shipped())

    assert every.always.paths == ()
    assert every.scaling.paths == ()
    assert all(group.paths for group in every.workloads)


@pytest.mark.parametrize(
    ("kind", "word"),
    [("Pod", "pods"), ("NodePool", "nodepools"), ("DeviceClass", "deviceclasses")],
)
def test_plurals(kind: str, word: str) -> None:
    assert plural(kind) == word
    assert plural("Policy") == "policies"
    assert plural("Gateway") == "gateways"


def test_names_of_all_devices_are_recognised() -> None:
    pattern = re.compile(names_accelerators())

    for name in ("nvidia.com/gpu", "amd.com/gpu", "amd.com/spx_nps1", "vastaitech.com/va"):
        assert device_of(name) is not None
        assert device_of(name).counts == DEVICE  # type: ignore[union-attr]
        assert pattern.search(name)
    for name in ("gpu", "sku-gpu", "cloud.google.com/gke-accelerator", "huawei.com/Ascend910"):
        assert pattern.search(name)
    for name in ("node-role.kubernetes.io/control-plane", "dedicated", "kubernetes.io/os"):
        assert not pattern.search(name)


def test_a_condition_follows_one_list_at_the_most() -> None:
    assert can_be_written(parse_path("spec.tasks[].template"))
    twice = parse_path("spec.groups[].tasks[].template")
    assert not can_be_written(twice)
    with pytest.raises(ValueError, match="one list or map"):
        takes_accelerators([(twice, False)])


def test_keys_with_dots_are_quoted() -> None:
    written = takes_accelerators([(parse_path("spec['a.b/c'].template"), False)])

    assert "[?'a.b/c']" in written


def test_the_command_writes_what_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes(Authority().pem)
    asked = ["kubernetes", "manifests", "--cluster", "x", "--ca-file", str(ca)]
    asked += ["--with", "validating,mutating", "--failure-policy", "Ignore", "--timeout", "7"]

    assert main(asked) == 0

    out = capsys.readouterr()
    first, second = yaml.safe_load_all(out.out)
    assert [first["kind"], second["kind"]] == [
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    ]
    hook = second["webhooks"][0]
    assert base64.b64decode(hook["clientConfig"]["caBundle"]) == ca.read_bytes()
    assert hook["timeoutSeconds"] == 7
    assert hook["reinvocationPolicy"] == "IfNeeded"
    assert "undecided and unrecorded" in out.out
    assert out.err == ""


def test_the_command_says_that_no_ca_is_stated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kubernetes", "manifests", "--cluster", "x"]) == 0
    assert "no CA is stated" in capsys.readouterr().err
    parts = "validating,certificate"
    assert main(["kubernetes", "manifests", "--cluster", "x", "--with", parts]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    assert "cert-manager.io/inject-ca-from: portreeve/portreeve" in out.out


@pytest.mark.parametrize("parts", ["", "alerts", "validating,x"])
def test_parts_that_do_not_exist_are_refused(
    parts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kubernetes", "manifests", "--cluster", "x", "--with", parts]) == 2
    assert "Known: namespace" in capsys.readouterr().err


def test_only_certificates_get_into_a_configuration(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.issue("x")
    assert base64.b64decode(check_bundle(base64.b64encode(certificate).decode())) == certificate
    for content in (certificate + key, b"nothing", b"\xff"):
        path = tmp_path / "ca"
        path.write_bytes(content)
        with pytest.raises(SettingsRefused, match=r"private key|no list of PEM"):
            read_ca(path)
    with pytest.raises(SettingsRefused, match="cannot be read"):
        read_ca(tmp_path / "none")
    with pytest.raises(SettingsRefused, match="no base64"):
        check_bundle("?")


def test_what_is_under_deploy_is_up_to_date() -> None:
    for name, content in files().items():
        assert (ROOT / "deploy" / name).read_text() == content


def test_nothing_under_deploy_is_left_over() -> None:
    found = {str(path.relative_to(ROOT / "deploy")) for path in (ROOT / "deploy").rglob("*.*")}

    assert {name for name in found if (ROOT / "deploy" / name).is_file()} == set(files())


def test_the_generator_says_what_is_out_of_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service.install.shipped", "--check"], check=False, cwd=ROOT
    )

    assert done.returncode == 0


def test_values_of_the_chart_have_a_schema() -> None:
    values = yaml.safe_load(files()["helm/portreeve/values.yaml"])
    schema = json.loads(files()["helm/portreeve/values.schema.json"])

    assert set(values) <= set(schema["properties"])


def test_comments_explain_the_failure_policy() -> None:
    for policy in FailurePolicy:
        parts = (Component.VALIDATING,)
        text = manifests(Options("x", failure_policy=policy, components=parts))
        assert f"# failurePolicy: {policy.value}. While the service cannot be asked" in text


def test_the_image_copies_what_exists() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = [
        word
        for line in text.splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    ]

    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
    assert re.search(r"^USER 65532", text, re.MULTILINE)
    assert text.count("FROM ") >= 2
