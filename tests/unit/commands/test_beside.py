from __future__ import annotations

from pathlib import Path

import pytest

from service.commands.beside import read_beside
from service.commands.sources import Source, normalise
from service.model.base import Reason, Scope

TEMPLATE = """
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: two-cards, namespace: research}
spec:
  spec:
    devices:
      requests:
        - {name: cards, exactly: {deviceClassName: gpu.nvidia.com, count: 2}}
"""
LIST = """
apiVersion: v1
kind: List
items:
  - apiVersion: resource.k8s.io/v1
    kind: ResourceClaimTemplate
    metadata: {name: two-cards, namespace: research}
    spec: {spec: {devices: {requests: [{name: c, exactly: {deviceClassName: gpu.amd.com}}]}}}
"""
WORKLOAD = b"""
apiVersion: apps/v1
kind: Deployment
metadata: {name: serve, namespace: research}
spec:
  replicas: 3
  template:
    spec:
      resourceClaims: [{name: cards, resourceClaimTemplateName: two-cards}]
      containers: [{name: one, image: i, resources: {claims: [{name: cards}]}}]
"""
LIMIT = 1 << 20


def totals(folder: Path, *more: str) -> list[int | None] | Reason:
    names = [*(str(path) for path in sorted(folder.iterdir())), *more]
    beside = read_beside(names, scope=Scope(), limit=LIMIT)
    source = Source("workload.yaml", WORKLOAD, "d")
    (resource,) = normalise(source, scope=Scope(), limit=LIMIT, beside=beside).resources
    if resource.accelerators is None:
        return resource.unknown["/accelerators"]
    return [item.total.max for item in resource.accelerators]


def test_a_template_in_another_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "workload.yaml").write_bytes(WORKLOAD)

    assert totals(tmp_path) == [6]


def test_so_is_one_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(LIST)
    (tmp_path / "nested.json").write_text("[[1]]")

    assert totals(tmp_path) == [3]


def test_files_that_disagree_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(LIST)
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    assert totals(tmp_path) is Reason.ELSEWHERE


@pytest.mark.parametrize(
    "content",
    [
        TEMPLATE.replace("requests:", "requests: 7 #"),
        TEMPLATE + "\n  a: [",
        TEMPLATE.replace("resource.k8s.io/v1", "resource.example.com/v1"),
        "",
    ],
)
def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path, content: str) -> None:
    (tmp_path / "template.yaml").write_text(content)
    (tmp_path / "workload.yaml").write_bytes(WORKLOAD)

    assert totals(tmp_path, "-", str(tmp_path / "missing.yaml")) is Reason.ELSEWHERE


def test_a_single_input_has_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    assert totals(tmp_path) is Reason.ELSEWHERE
