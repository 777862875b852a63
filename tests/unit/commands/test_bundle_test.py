"""`portreeve bundle test` runs the rules' tests and examples, and says which engines were there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import tool
from toy_project import RULE_PATH

from service.bundle.testing import on_embedded, on_opa, read_tests
from service.cli import main
from service.errors import EngineUnavailable

TESTS = """\
package policies.rules.gpu.size_test

import data.policies.rules.gpu.size

test_nothing_is_found_in_nothing if size.deny == set() with input as {"resources": []}

test_one_is_two if 1 == 2
"""
EXAMPLE = """\
- name: a job on eight
  bundle: toy
  scope: { cluster: prod-eu }
  kubernetes:
    apiVersion: batch/v1
    kind: Job
    metadata: { name: train, namespace: vision }
    spec:
      template:
        spec:
          containers:
            - name: a
              image: b
              resources: { limits: { nvidia.com/gpu: 8 } }
  outcome: OUTCOME
  findings:
    - code: GPU-901
      resource: Job vision/train
      message: "`Job vision/train` takes 8; 4 are allowed"
- name: another bundle's
  bundle: other
  scope: {}
  terraform: []
  outcome: deny
  findings: []
- name: of another kind
  bundle: toy
  scope: {}
  invoice: {}
  outcome: deny
  findings: []
"""


@pytest.fixture
def tested(project: Path) -> Path:
    """The toy bundle with one test that holds, one that does not, and examples."""
    topic = (project.parents[1] / RULE_PATH).parent
    (topic / "size_test.rego").write_text(TESTS)
    (topic / "examples.yaml").write_text(EXAMPLE.replace("OUTCOME", "deny"))
    (project / "org" / "limits.yaml").write_text(
        "limits: {accelerators_per_resource: {default: 4}}\n"
    )
    return project


@pytest.fixture(autouse=True)
def _no_opa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def test_what_fails_is_named(tested: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "test", str(tested)]) == 1

    rego, examples, opa, failed = capsys.readouterr().out.splitlines()
    assert rego.endswith(": 1 Rego tests passed, 1 failed")
    assert examples.endswith(": 2 examples run, 1 of them about this bundle, 0 failed")
    assert opa.startswith("OPA: not found")
    assert failed == ("  failed  data.policies.rules.gpu.size_test.test_one_is_two: it is not true")


def test_an_example_that_is_judged_otherwise_fails(
    tested: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = (tested.parents[1] / RULE_PATH).parent
    (topic / "size_test.rego").unlink()
    assert main(["bundle", "test", str(tested)]) == 0

    (topic / "examples.yaml").write_text(EXAMPLE.replace("OUTCOME", "warn"))
    capsys.readouterr()

    assert main(["bundle", "test", str(tested), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["examples"][0]["failed"] == {
        "gpu/size: a job on eight": "it is not judged as it says"
    }
    assert found["judged_differently"] == []


def test_a_module_that_does_not_parse_is_said(tested: Path) -> None:
    (tested.parents[1] / RULE_PATH).with_name("odd_test.rego").write_text("package odd\n\na := \n")

    with pytest.raises(EngineUnavailable, match="the tests cannot be run: "):
        on_embedded(read_tests([tested.parents[1] / "policies"]))


def test_a_program_that_is_not_opa_is_said(tested: Path, tmp_path: Path) -> None:
    tests = read_tests([tested.parents[1] / "policies"])

    with pytest.raises(EngineUnavailable, match="cannot be run: No such file"):
        on_opa(tests, tmp_path / "nothing")
    with pytest.raises(EngineUnavailable, match="opa ended with status 1"):
        on_opa(tests, Path("/bin/false"))


@pytest.mark.system
@pytest.mark.enable_socket
@pytest.mark.skipif(tool("opa") is None, reason="needs the real OPA (make tools)")
def test_opa_runs_them_too(tested: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "test", str(tested), "--opa", str(tool("opa")), "--format", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    failed = [list(one["failed"]) for one in found["rego_tests"]]
    assert failed == [["data.policies.rules.gpu.size_test.test_one_is_two"]] * 2
    assert [one["run"] for one in found["examples"]] == [2, 2]
    assert found["judged_differently"] == []
