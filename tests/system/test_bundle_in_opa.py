"""A bundle that Portreeve wrote is one to the real OPA, and its rules may trust the builtins."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import regorus

from service.bundle.build import build
from service.bundle.builtins import ALLOWED
from service.bundle.entry import ENTRY_RULE
from service.bundle.shipped import shipped, shipped_root
from service.bundle.values import Bundle
from service.bundle.write import write
from service.model.base import Binding, Change, EnforcementPoint, Range, Role
from service.model.request import Request
from service.model.resource import Accelerator, Ownership, Resource

pytestmark = pytest.mark.system
TOOLS = Path(__file__).resolve().parents[2] / ".tools" / "bin"


@pytest.fixture(scope="module")
def opa() -> str:
    found = shutil.which("opa", path=str(TOOLS)) or shutil.which("opa")
    if found is None:
        pytest.skip("no opa; build it with `make tools`")
    return found


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return build(shipped("example"))


@pytest.fixture(scope="module")
def archive(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "bundle.tar.gz"
    write(bundle, path)
    return path


Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(opa: str) -> Run:
    def call(*arguments: str) -> Any:
        done = subprocess.run(
            [opa, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    return call


@pytest.fixture
def request_body() -> dict[str, Any]:
    resource = Resource(
        address="Deployment vision-prod/train",
        subject="Deployment vision-prod/train",
        kind="Deployment",
        role=Role.WORKLOAD,
        change=Change.CREATE,
        ownership=Ownership(team="vision"),
        accelerators=(
            Accelerator(resource="nvidia.com/gpu", per_worker=9, total=Range(min=9, max=9)),
        ),
    )
    request = Request(
        key="1",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="create",
        binding=Binding.BINDING,
        resources=(resource,),
    )
    return request.model_dump(mode="json")


def test_opa_shows_the_revision(run: Run, archive: Path, bundle: Bundle) -> None:
    shown = run("inspect", "--format", "json", str(archive))
    assert shown["manifest"]["revision"] == bundle.ref.revision
    assert shown["manifest"]["metadata"]["digest"] == bundle.ref.digest
    assert "data.portreeve.entry" in shown["namespaces"]


def test_opa_evaluates_the_entry(
    run: Run, archive: Path, request_body: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "input.json").write_text(json.dumps(request_body))
    result = run("eval", "-b", str(archive), "-i", str(tmp_path / "input.json"), ENTRY_RULE)
    findings = result["result"][0]["expressions"][0]["value"]
    assert "GPU-001" in {finding["code"] for finding in findings}


def test_opa_evaluates_it_like_the_embedded_engine(
    run: Run, archive: Path, bundle: Bundle, request_body: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "input.json").write_text(json.dumps(request_body))
    result = run("eval", "-b", str(archive), "-i", str(tmp_path / "input.json"), ENTRY_RULE)
    engine = regorus.Engine()
    for path, text in bundle.modules.items():
        engine.add_policy(path, text)
    engine.add_data_json(json.dumps(bundle.data))
    engine.set_input_json(json.dumps(request_body))
    ours = json.loads(engine.eval_rule_as_json(ENTRY_RULE))
    assert result["result"][0]["expressions"][0]["value"] == ours


@pytest.fixture
def server(opa: str, archive: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [opa, "run", "--server", "-a", f"127.0.0.1:{port}", "-b", str(archive)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")  # noqa: S310 - our own server
    for _ in range(200):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own server
                return json.load(answer)
        except urllib.error.URLError:
            time.sleep(0.05)
    pytest.fail("the OPA server did not start")


@pytest.mark.enable_socket
def test_opa_server_serves_it_with_its_revision(
    server: str, bundle: Bundle, request_body: dict[str, Any]
) -> None:
    url = f"{server}/v1/{ENTRY_RULE.replace('.', '/')}?provenance=true"
    answer = post(url, {"input": request_body})
    assert "GPU-001" in {finding["code"] for finding in answer["result"]}
    (loaded,) = answer["provenance"]["bundles"].values()
    assert loaded["revision"] == bundle.ref.revision


def test_schemas_find_a_misspelt_path(run: Run, tmp_path: Path) -> None:
    policies = shipped_root() / "policies"
    run("check", "--strict", "--schema", str(policies / "schemas"), str(policies))
    (tmp_path / "wrong.rego").write_text(
        "# METADATA\n# scope: package\n# schemas:\n#   - input: schema.request\n"
        "#   - data.org: schema.org\npackage policies.rules.gpu.wrong\n\n"
        "misspelt if input.resources[_].ownership.taem\n\nunknown if data.org.limit\n"
    )
    with pytest.raises(AssertionError, match=r"ownership\.taem[\s\S]*data\.org\.limit"):
        run("check", "--schema", str(policies / "schemas"), str(tmp_path))


# Expressions over every allowed builtin: whatever rules may meet, and the edges of each.
SAMPLES = {
    "abs": ("abs(-3)", "abs(0)"),
    "array.concat": ("array.concat([1], [2])", "array.concat([], [])"),
    "array.reverse": ("array.reverse([1, 2])",),
    "array.slice": ("array.slice([1, 2, 3], -1, 9)", "array.slice([1, 2, 3], 2, 1)"),
    "ceil": ("ceil(7 / 2)", "ceil(-7 / 2)", "ceil(9007199254740991 / 3)"),
    "concat": ('concat(", ", ["a", "é"])', 'concat(",", {"b", "a"})', 'concat("", [])'),
    "contains": ('contains("añb", "ñ")', 'contains("a", "")'),
    "count": ('count("héé")', "count([1])", "count({1, 2})", 'count({"a": 1})', 'count("")'),
    "endswith": ('endswith("é", "é")', 'endswith("", "")'),
    "floor": ("floor(-7 / 2)", "floor(9007199254740991 / 2)", "floor(9007199254740991 / 1000003)"),
    "intersection": ("intersection({{1, 2}, {2}})", "intersection(set())"),
    "is_array": ("is_array([])", "is_array(set())"),
    "is_boolean": ("is_boolean(true)", "is_boolean(1)"),
    "is_null": ("is_null(null)", "is_null(1)"),
    "is_number": ("is_number(1)", 'is_number("1")'),
    "is_object": ("is_object({})", "is_object([])"),
    "is_set": ("is_set(set())", "is_set([])"),
    "is_string": ('is_string("")', "is_string(1)"),
    "max": ('max([1, "a", null, true, [2], {"a": 1}])', 'max(["a", "B", "é"])', "max([])"),
    "min": ('min([1, "a", null])', 'min({"b", "a"})', "min(set())"),
    "numbers.range": ("numbers.range(1, 3)", "numbers.range(3, 1)", "numbers.range(2, 2)"),
    "object.filter": ('object.filter({"a": 1, "b": 2}, ["a", "z"])',),
    "object.get": (
        'object.get({"a": {"b": 1}}, ["a", "b"], 9)',
        'object.get({"a": null}, "a", 3)',
        'object.get({"a": 1}, ["a", "b"], 9)',
        'object.get({"a": 1}, "z", null)',
    ),
    "object.keys": ('object.keys({"b": 1, "a": 2})',),
    "object.remove": ('object.remove({"a": 1, "b": 2}, {"a"})',),
    "object.union": (
        'object.union({"a": {"x": 1}}, {"a": {"y": 2}})',
        'object.union({"a": {"x": 1}}, {"a": 2})',
    ),
    "product": ("product([2, 3])", "product([])", "product([3000000000, 3000000000])"),
    "replace": ('replace("aba", "a", "x")', 'replace("ab", "", "-")', 'replace("é", "é", "")'),
    "round": ("round(7 / 2)", "round(5 / 2)", "round(-5 / 2)", "round(1 / 3)"),
    "sort": ('sort([3, "a", null, true, [1], {"a": 1}])', 'sort(["é", "z", "Z", "😀", "\uff5e"])'),
    "split": ('split("a/b", "/")', 'split("", "/")', 'split("éa", "")', 'split("/", "/")'),
    "sprintf": ('sprintf("%d of %s, 5 %%", [3, "é"])', 'sprintf("%d", [9007199254740991])'),
    "startswith": ('startswith("éa", "é")', 'startswith("", "")'),
    "sum": ("sum([1, 2])", "sum([])", "sum({1, 2})"),
    "trim_prefix": ('trim_prefix("aab", "a")', 'trim_prefix("ab", "")'),
    "trim_suffix": ('trim_suffix("abb", "b")',),
    "type_name": ("type_name(null)", "type_name(1)", "type_name(set())", "type_name(true)"),
    "union": ("union({{1}, {2}})", "union(set())"),
}
OPERATORS = (
    "7 % 3",
    "-7 % 3",
    "{1, 2} & {2}",
    "{1} | {2}",
    "{1, 2} - {2}",
    '"a" < "B"',
    '"\uff5e" < "😀"',
    "null < false",
    'null in {"a": null}',
    "3000000000 * 3000000000 > 9007199254740991",
)

# Known to differ, and why they are refused or left to whoever writes a rule (see builtins.py).
DIFFERENT = ('count("😀")', 'sprintf("%d", [-4])', 'lower("İ")', 'upper("ß")')


def both(run: Run, expression: str, folder: Path) -> tuple[Any, Any]:
    module = f'package a\n\nr := {{"value": value}} if value := {expression}\n'
    (folder / "a.rego").write_text(module)
    theirs = run("eval", "--strict-builtin-errors", "-d", str(folder / "a.rego"), "data.a")
    engine = regorus.Engine()
    engine.add_policy("a.rego", module)
    ours = json.loads(engine.eval_rule_as_json("data.a.r"))
    value = theirs["result"][0]["expressions"][0]["value"]
    return value.get("r", "<undefined>"), ours


def test_every_allowed_builtin_is_sampled() -> None:
    assert set(SAMPLES) == ALLOWED


@pytest.mark.parametrize(
    "expression", [*(one for several in SAMPLES.values() for one in several), *OPERATORS]
)
def test_builtins_give_the_same_on_both_engines(run: Run, expression: str, tmp_path: Path) -> None:
    theirs, ours = both(run, expression, tmp_path)
    assert theirs == ours


@pytest.mark.parametrize("expression", DIFFERENT)
def test_what_is_said_to_differ_does(run: Run, expression: str, tmp_path: Path) -> None:
    theirs, ours = both(run, expression, tmp_path)
    assert theirs != ours
