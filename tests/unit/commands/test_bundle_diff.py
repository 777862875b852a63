"""`portreeve bundle diff` names what changes between two bundles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from toy_project import LIB_PATH, RULE_PATH

from service.cli import main

ORG = """\
limits: {accelerators_per_resource: {default: 8, teams: {vision: 16}}}
modes: [{code: GPU-901, mode: warn}, {domain: budget, team: vision, mode: warn}]
scopes: [{match: {cluster: a}, team: vision}, {match: {cluster: b}, team: speech}]
prices:
  - {vendor: gcp, instance_type: a2-highgpu-1g, micros_per_hour: 1000000}
internal_rates: [{accelerator: nvidia-l4, micros_per_hour: 900000}]
waivers:
  - {id: W-1, code: GPU-901, match: {cluster: a}, owner: o, reason: r, approver: p, expires: "2026-12-31"}
"""  # noqa: E501 - an entry on one line
CHANGED = """\
limits: {accelerators_per_resource: {default: 4}}
modes: [{code: GPU-901, mode: enforce}, {domain: gpu, mode: observe}]
scopes: [{match: {cluster: b}, team: speech}, {match: {cluster: a}, team: vision}]
prices:
  - {vendor: gcp, instance_type: a2-highgpu-1g, micros_per_hour: 1200000}
internal_rates: [{accelerator: nvidia-t4, micros_per_hour: 900000}]
waivers:
  - {id: W-1, code: GPU-901, match: {cluster: a}, owner: o, reason: r, approver: p, expires: "2027-01-31"}
"""  # noqa: E501 - an entry on one line


@pytest.fixture
def changed(project: Path, tmp_path: Path) -> Path:
    """The same project after many changes."""
    other = tmp_path / "other"
    for part in ("policies", "bundles"):
        shutil.copytree(tmp_path / part, other / part)
    (project / "org" / "more.yaml").write_text(ORG)
    toy = other / "bundles" / "toy"
    (toy / "org" / "more.yaml").write_text(CHANGED)
    rule = other / RULE_PATH
    rule.write_text(rule.read_text().replace("severity: high", "severity: low"))
    library = other / LIB_PATH
    library.write_text(library.read_text().replace("# title: Counts", "# title: Totals"))
    shutil.rmtree(other / "policies/rules/budget")
    moved = (toy / "org" / "more.yaml").read_text().replace("budget", "gpu")
    (toy / "org" / "more.yaml").write_text(moved)
    return toy


def diff(*arguments: object) -> int:
    return main(["bundle", "diff", *map(str, arguments)])


def test_each_part_says_what_changed(
    project: Path, changed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = (project / "org" / "more.yaml").read_text().replace("domain: budget", "domain: gpu")
    (project / "org" / "more.yaml").write_text(rules)

    assert diff(project, changed) == 0

    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("toy 7 (sha256:")
    assert lines == [
        "rules",
        "  - BUD-901 Request stays small",
        "  ~ GPU-901: severity high -> low; its Rego",
        "library of the rules",
        "  ~ policies/lib/counts.rego: its Rego",
        "modes",
        "  - domain gpu, team vision: warn",
        "  + domain gpu: observe",
        "  ~ code GPU-901: warn -> enforce",
        "waivers",
        "  ~ W-1: expires 2026-12-31 -> 2027-01-31",
        "scopes",
        '  ~ (order): ["cluster a", "cluster b"] -> ["cluster b", "cluster a"]',
        "limits and parameters",
        "  - /limits/accelerators_per_resource/teams/vision: 16",
        "  + /limits/accelerators_per_resource/teams: {}",
        "  ~ /limits/accelerators_per_resource/default: 8 -> 4",
        "prices (millionths per hour)",
        "  - internal rate: nvidia-l4: 900000 USD",
        "  + internal rate: nvidia-t4: 900000 USD",
        "  ~ organisation: gcp a2-highgpu-1g on_demand *: 1000000 USD -> 1200000 USD",
    ]


def test_json_holds_all_of_it(
    project: Path, changed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diff(changed, project, "--format", "json")

    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["before"]["name"] == "toy"
    assert list(found["rules"]["added"]) == ["BUD-901"]
    assert found["modes"]["changed"] == {"code GPU-901": {"before": "enforce", "after": "warn"}}


def test_a_bundle_does_not_differ_from_itself_as_an_archive(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "toy.tar.gz"
    main(["bundle", "build", str(project), "-o", str(archive)])
    capsys.readouterr()

    assert diff(project, archive) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["no differences"]


def test_a_long_list_is_cut_and_that_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = tmp_path / "bundles" / "many"
    shutil.copytree(project, other)
    modes = ", ".join(f"{{team: t{number:02}, mode: warn}}" for number in range(25))
    (other / "org" / "modes.yaml").write_text(f"modes: [{modes}]\n")

    diff(project, other)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 23
    assert lines[-1] == "  and 5 more (--format json shows all)"
