"""``portreeve check`` as a pipeline runs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from payloads import deployment, review
from running import PORTREEVE, ROOT

pytestmark = pytest.mark.system

PLAN = ROOT / "examples" / "terraform" / "gpu-training" / "plan.json"


def _check(folder: Path, *options: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(PORTREEVE), "check", *options],
        input=stdin,
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PORTREEVE_LOG": str(folder / "decisions.db"), "NO_COLOR": "1"},
    )


def _manifest(folder: Path, **changes: Any) -> str:
    path = folder / "deployment.yaml"
    path.write_text(yaml.safe_dump(deployment(**changes)))
    return str(path)


def _json(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = json.loads(done.stdout)
    return decisions


_SCOPE = ("--bundle", "example", "--scope", "cluster=prod-eu")


def test_a_manifest_that_breaks_a_rule_ends_with_1(tmp_path: Path) -> None:
    done = _check(tmp_path, *_SCOPE, _manifest(tmp_path, gpus=1))

    assert done.returncode == 1, done
    assert b"GPU-002" in done.stdout
    assert b"\x1b" not in done.stdout


def test_a_manifest_within_the_rules_ends_with_0(tmp_path: Path) -> None:
    good = _manifest(tmp_path, gpus=4, product="NVIDIA-H100-80GB-HBM3")

    assert _check(tmp_path, *_SCOPE, good).returncode == 0


def test_the_default_bundle_only_warns(tmp_path: Path) -> None:
    done = _check(tmp_path, "--format", "json", _manifest(tmp_path, gpus=1))

    assert done.returncode == 0
    assert _json(done)[0]["outcome"] == "warn"
    assert _check(tmp_path, "--fail-on", "warn", _manifest(tmp_path, gpus=1)).returncode == 1


def test_a_baseline_keeps_what_runs_observed_until_it_grows(tmp_path: Path) -> None:
    (tmp_path / "kept.yaml").write_text(
        """\
baseline:
  - subject: prod-eu/language-serving/Deployment/llama-70b
    codes: [GPU-002]
    until: 2126-12-31
    accelerators: [{ model: nvidia-l4, most: 1 }]
"""
    )
    kept = (*_SCOPE, "--baseline", "kept.yaml")

    same = _check(tmp_path, *kept, _manifest(tmp_path, gpus=1))
    grown = _check(tmp_path, *kept, _manifest(tmp_path, gpus=1, replicas=2))

    assert same.returncode == 0
    assert b"kept  GPU-002: " in same.stdout
    assert b"in the baseline until 2126-12-31 (enforce without it)" in same.stdout
    assert grown.returncode == 1
    assert b"it takes 2 x nvidia-l4, 1 were accepted" in grown.stdout


def test_what_is_refused_becomes_a_baseline_that_accepts_it(tmp_path: Path) -> None:
    refused = _check(tmp_path, "--bundle", "example", str(PLAN), "--write-baseline", "kept.yaml")
    kept = _check(tmp_path, "--bundle", "example", str(PLAN), "--baseline", "kept.yaml")
    again = _check(tmp_path, "--bundle", "example", str(PLAN), "--write-baseline", "kept.yaml")

    assert refused.returncode == 1
    assert b"kept.yaml: " in refused.stderr
    assert b"subject: terraform/" in (tmp_path / "kept.yaml").read_bytes()
    assert kept.returncode == 0, kept
    assert b"in the baseline until " in kept.stdout
    assert again.returncode == 2


def test_each_file_gets_its_decision_and_its_record(tmp_path: Path) -> None:
    good = _manifest(tmp_path, gpus=4, product="NVIDIA-H100-80GB-HBM3")
    done = _check(tmp_path, *_SCOPE, "--format", "json", good, str(PLAN), "absent.json")

    decisions = _json(done)
    assert done.returncode == 2
    assert [item["source"] for item in decisions] == [good, str(PLAN), "absent.json"]
    assert [item["enforcement_point"] for item in decisions[:2]] == ["kubernetes", "terraform"]
    assert decisions[2]["kind"] == "rejected"
    listed = subprocess.run(
        [str(PORTREEVE), "audit", "query", "--format", "json", "--log", "decisions.db"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    kept = {item["decision_id"] for item in json.loads(listed.stdout)}
    assert kept == {item["decision_id"] for item in decisions}


def test_a_record_file_takes_the_place_of_the_log(tmp_path: Path) -> None:
    done = _check(tmp_path, "--record", "plan.record.jsonl", "--format", "json", str(PLAN))

    record = json.loads((tmp_path / "plan.record.jsonl").read_text())
    assert record["decision"]["decision_id"] == _json(done)[0]["decision_id"]
    assert not (tmp_path / "decisions.db").exists()


def test_a_plan_in_which_nothing_is_governed_is_fine_and_says_so(tmp_path: Path) -> None:
    plan = json.dumps({"format_version": "1.2", "resource_changes": []}).encode()

    done = _check(tmp_path, "--as", "terraform", "-", stdin=plan)

    assert done.returncode == 0, done
    assert b"nothing in it takes accelerators, money or data" in done.stdout


def test_a_review_is_checked_without_binding_anybody(tmp_path: Path) -> None:
    path = tmp_path / "review.json"
    path.write_text(json.dumps(review(deployment(gpus=1))))

    done = _check(tmp_path, *_SCOPE, "--format", "json", str(path))

    assert [item["binding"] for item in _json(done)] == ["advisory"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "SYS-INPUT"),
        (b"{", "SYS-INPUT"),
        (b'{"a": 1}', "SYS-INPUT-KIND"),
        (b"a: &a [x]\nb: [*a, *a", "SYS-INPUT"),
    ],
)
def test_what_cannot_be_read_ends_with_2_and_a_reason(
    tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / ("input.json" if content.startswith(b"{") else "input.yaml")
    path.write_bytes(content)

    done = _check(tmp_path, "--format", "json", str(path))

    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    decision = _json(done)[0]
    assert decision["kind"] == "rejected"
    assert decision["findings"][0]["code"].startswith(code)
    assert decision["findings"][0]["message"]


def test_a_bundle_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    done = _check(tmp_path, "--bundle", "absent", str(PLAN))

    assert done.returncode == 2
    assert b"absent" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_log_that_cannot_be_written_ends_with_2(tmp_path: Path) -> None:
    done = _check(tmp_path, "--log", "/proc/decisions.db", str(PLAN))

    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_explain_says_what_a_code_means() -> None:
    done = subprocess.run(
        [str(PORTREEVE), "explain", "gpu-002"], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("GPU-002: ")
    assert "Remedy" in done.stdout


def test_each_command_has_help() -> None:
    for command in ("serve", "check", "explain", "bundle", "audit"):
        done = subprocess.run(
            [str(PORTREEVE), command, "--help"], capture_output=True, text=True, check=True
        )
        assert "usage: portreeve" in done.stdout
