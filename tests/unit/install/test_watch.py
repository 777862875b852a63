from __future__ import annotations

from typing import Any

import pytest
import yaml

from adapters.kubernetes import kinds
from adapters.kubernetes.watched import watched_kinds
from service.cli import main
from service.install.kinds import plural
from service.install.manifests import manifests
from service.install.options import Options

_TABLE = b"""
kinds:
  - group: example.org
    kind: Trainer
    templates: [{pods: spec.template}]
    source: ours
"""


def _objects(options: Options) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in yaml.safe_load_all(manifests(options))}


def _readable(role: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_a_service_that_watches_nothing_may_do_nothing() -> None:
    found = _objects(Options("prod-eu"))
    pod = found["Deployment"]["spec"]["template"]["spec"]
    names = {variable["name"] for variable in pod["containers"][0]["env"]}

    assert not {"ClusterRole", "ClusterRoleBinding"} & set(found)
    assert not pod["automountServiceAccountToken"]
    assert found["NetworkPolicy"]["spec"]["egress"] == []
    assert not {name for name in names if "KUBERNETES" in name}


def test_a_service_that_watches_may_read_what_it_watches_and_nothing_else() -> None:
    found = _objects(Options("prod-eu", namespace="guard", watch=True))
    role, binding = found["ClusterRole"], found["ClusterRoleBinding"]

    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    expected = {(group, plural(kind)) for group, kind in watched_kinds(kinds.shipped())}
    assert _readable(role) == expected - {("autoscaling", "scales")}
    assert not {resource for _, resource in _readable(role)} & {"secrets", "configmaps", "*"}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "portreeve", "namespace": "guard"}
    ]


def test_a_service_that_watches_has_a_token_a_name_and_a_way_to_the_api_server() -> None:
    found = _objects(Options("prod-eu", watch=True))
    pod = found["Deployment"]["spec"]["template"]["spec"]
    stated = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}

    assert pod["automountServiceAccountToken"]
    assert not found["ServiceAccount"]["automountServiceAccountToken"]
    assert stated["PORTREEVE_KUBERNETES_WATCH"] == "in-cluster"
    assert stated["PORTREEVE_KUBERNETES_CLUSTER"] == "prod-eu"
    (way,) = found["NetworkPolicy"]["spec"]["egress"]
    assert [port["port"] for port in way["ports"]] == [443, 6443]


def test_kinds_of_the_users_own_may_be_read_too() -> None:
    kinds.use(kinds.extended(_TABLE, name="kinds.yaml"))
    try:
        role = _objects(Options("prod-eu", watch=True))["ClusterRole"]
    finally:
        kinds.use(None)
    assert ("example.org", "trainers") in _readable(role)


@pytest.mark.parametrize("is_asked", [False, True])
def test_the_command_takes_the_option(
    capsys: pytest.CaptureFixture[str], *, is_asked: bool
) -> None:
    asked = ["kubernetes", "manifests", "--cluster", "x", "--with", "rbac"]
    assert main([*asked, "--watch"] if is_asked else asked) == 0
    written = [each["kind"] for each in yaml.safe_load_all(capsys.readouterr().out)]
    assert ("ClusterRole" in written) is is_asked
