"""What keeps certificates in a cluster, and how little it may do there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from service.certificates.cluster import AUTHORITIES, TLS
from service.cli import main
from service.commands import certificates
from service.errors import SettingsRefused
from service.install.manifests import manifests
from service.install.options import USUAL, Component, Options
from service.install.rotation import SECRETS


def _objects(*parts: Component, **stated: Any) -> dict[str, dict[str, Any]]:
    options = Options("prod-eu", components=parts, **stated)
    return {each["kind"]: each for each in yaml.safe_load_all(manifests(options))}


def test_it_is_left_out_unless_it_is_asked_for() -> None:
    assert Component.ROTATION not in USUAL


def test_it_may_change_what_it_keeps_and_nothing_else() -> None:
    found = _objects(Component.ROTATION, namespace="guard")

    create, own = found["Role"]["rules"]
    assert create == {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}
    assert own["resourceNames"] == list(SECRETS) == [AUTHORITIES, TLS]
    (configurations,) = found["ClusterRole"]["rules"]
    assert configurations["resourceNames"] == ["portreeve"]
    verbs = {*own["verbs"], *configurations["verbs"]}
    assert verbs == {"get", "update"}
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        assert found[kind]["subjects"] == [
            {"kind": "ServiceAccount", "name": "portreeve-certificates", "namespace": "guard"}
        ]
    assert "namespace" not in found["ClusterRole"]["metadata"]
    assert found["Role"]["metadata"]["namespace"] == "guard"


def test_it_runs_the_command_in_its_own_namespace_and_answers_nobody() -> None:
    kept = _objects(Component.ROTATION, namespace="guard")["Deployment"]
    (container,) = kept["spec"]["template"]["spec"]["containers"]

    assert container["args"] == ["kubernetes", "certificates", "--keep", "--namespace=guard"]
    with pytest.raises(SystemExit, match="0"):
        main([*container["args"][:2], "--help"])
    assert certificates.__doc__
    service = _objects(Component.SERVICE)["Service"]["spec"]["selector"]
    labels = kept["spec"]["template"]["metadata"]["labels"]
    assert not service.items() <= labels.items()


def test_the_service_has_what_it_issues_and_not_what_issues_it() -> None:
    pod = _objects(Component.DEPLOYMENT)["Deployment"]["spec"]["template"]["spec"]
    secrets = {each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}

    assert TLS in secrets
    assert AUTHORITIES not in secrets


def test_it_and_cert_manager_do_not_write_the_same_secret() -> None:
    with pytest.raises(SettingsRefused, match="same Secret"):
        _objects(Component.ROTATION, Component.CERTIFICATE)


def test_no_ca_need_be_stated_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["kubernetes", "manifests", "--cluster", "x", "--with", "validating,rotation"]

    assert main(given) == 0
    out = capsys.readouterr()
    assert out.err == ""
    assert "caBundle" not in out.out
