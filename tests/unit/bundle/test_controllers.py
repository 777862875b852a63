"""Which accounts an organisation may name as controllers."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.errors import BundleRefused

_ACCOUNTS = "system:serviceaccount:kube-system:"


def test_the_controllers_of_kubernetes_are_known_by_default(project: Path) -> None:
    accounts = build(project).org.controllers.accounts()

    assert f"{_ACCOUNTS}replicaset-controller" in accounts
    assert "system:kube-controller-manager" in accounts


def test_operators_are_added_to_them(project: Path) -> None:
    operator = "system:serviceaccount:kuberay:kuberay-operator"
    (project / "org" / "controllers.yaml").write_text(f"controllers: {{operators: ['{operator}']}}")

    accounts = build(project).org.controllers.accounts()

    assert accounts >= {operator, f"{_ACCOUNTS}job-controller"}


@pytest.mark.parametrize("name", ["system:serviceaccount:kuberay:*", "a b", ""])
def test_a_pattern_is_no_account(project: Path, name: str) -> None:
    (project / "org" / "controllers.yaml").write_text(f"controllers: {{operators: ['{name}']}}")

    with pytest.raises(BundleRefused, match="/controllers/operators/0"):
        build(project)
