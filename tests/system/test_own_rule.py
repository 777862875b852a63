"""The example of the policy author's guide: its tests pass, and both engines find the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import regorus
import yaml
from opa_server import archived, opa, opa_server
from rule_examples import NOW, POLICIES

from adapters.kubernetes.normalise import normalise_manifests
from service.bundle.build import build
from service.bundle.values import Bundle
from service.commands.examples import read_examples
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.opa import OpaEngine
from service.model.base import Scope
from service.model.finding import Finding
from service.model.request import Request
from service.resolve.resolver import Resolver

pytestmark = [pytest.mark.system]

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "bundle-with-own-rule"
OWN = FOLDER / "policies"
INPUTS = {"refused": 1, "allowed": 0}
needs_opa = pytest.mark.skipif(opa() is None, reason="needs the real OPA (make tools)")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return build(FOLDER)


def request_of(bundle: Bundle, name: str) -> Request:
    manifest = yaml.safe_load((FOLDER / "inputs" / f"{name}.yaml").read_text(encoding="utf-8"))
    request = normalise_manifests([manifest], scope=Scope(), caller="test", key=name)
    return Resolver(bundle).resolve(request, now=NOW)


def own(findings: tuple[Finding, ...]) -> list[dict[str, object]]:
    return [dict(each.facts) for each in findings if each.code == "HOUSE-001"]


@pytest.mark.parametrize("name", INPUTS)
async def test_the_embedded_engine_judges_the_inputs_of_the_example(
    bundle: Bundle, name: str
) -> None:
    engine = await EmbeddedEngine.start(bundle)
    try:
        found = await engine.evaluate(request_of(bundle, name), seconds=30)
    finally:
        await engine.close()

    assert own(found) == [{"asked": 8, "limit": 1}] * INPUTS[name]


async def test_the_examples_of_the_rule_are_judged_as_they_say(bundle: Bundle) -> None:
    engine = await EmbeddedEngine.start(bundle)
    told = []
    try:
        for example in read_examples((OWN,)):
            normalised = example.request()
            assert normalised is not None
            request = Resolver(bundle).resolve(normalised, now=NOW)
            findings = await engine.evaluate(request, seconds=30)
            told.append(example.is_as_stated(request, findings, bundle))
    finally:
        await engine.close()

    assert told == [True, True]


@needs_opa
async def test_opa_finds_the_same(bundle: Bundle, tmp_path: Path) -> None:
    with opa_server(archived(bundle, tmp_path)) as url:
        engine = await OpaEngine.start(bundle, url=url)
        try:
            for name, count in INPUTS.items():
                found = await engine.evaluate(request_of(bundle, name), seconds=30)
                assert own(found) == [{"asked": 8, "limit": 1}] * count
        finally:
            await engine.close()


@needs_opa
def test_the_tests_of_the_rule_pass_and_reach_all_of_it() -> None:
    program = str(opa())
    ran = subprocess.run(
        [program, "test", "--coverage", str(POLICIES / "lib"), str(OWN)],
        capture_output=True,
        check=False,
        text=True,
    )
    unformatted = subprocess.run(
        [program, "fmt", "--list", str(OWN)], capture_output=True, check=True, text=True
    )

    files = json.loads(ran.stdout)["files"]
    mine = {path: each for path, each in files.items() if "/house/" in path}
    assert ran.returncode == 0
    assert len(mine) == 2
    assert [path for path, each in mine.items() if each.get("not_covered")] == []
    assert unformatted.stdout == ""


def test_the_tests_of_the_rule_pass_on_the_embedded_engine() -> None:
    engine = regorus.Engine()
    for path in sorted(POLICIES.joinpath("lib").rglob("*.rego")) + sorted(OWN.rglob("*.rego")):
        engine.add_policy(str(path), path.read_text(encoding="utf-8"))
    engine.add_data_json("{}")
    engine.set_input_json("{}")
    [test] = OWN.rglob("*_test.rego")
    names = [
        line.partition(" ")[0]
        for line in test.read_text(encoding="utf-8").splitlines()
        if line.startswith("test_")
    ]

    assert len(names) == 6
    for name in names:
        assert engine.eval_rule(f"data.policies.rules.house.notebooks_test.{name}") is True
