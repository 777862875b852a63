"""Rules about rules: what a reader and an operator can rely on in every one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import regorus
from rule_examples import POLICIES, RULES, bundle_of

from service.bundle.annotations import Annotation, read_annotations
from service.bundle.compiling import compile_modules
from service.bundle.reports import Report, reports_of
from service.bundle.syntax import Program, program
from service.bundle.values import Rule
from service.model.base import EnforcementPoint
from service.model.request import Request
from service.model.resource import Resource

ROOT = POLICIES.parent
MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for part in ("lib", "rules")
    for path in sorted((POLICIES / part).rglob("*.rego"))
}
SOURCES = {path: text for path, text in MODULES.items() if not path.endswith("_test.rego")}
RULE_FILES = sorted(path for path in SOURCES if path.startswith("policies/rules/"))
PREFIXES = {
    "gpu": "GPU",
    "budget": "BUD",
    "residency": "RES",
    "vendor": "VEN",
    "hygiene": "HYG",
}
BOOK = bundle_of("example").rulebook
each_rule = pytest.mark.parametrize("rule", BOOK.values(), ids=lambda rule: rule.code)
each_rule_file = pytest.mark.parametrize("path", RULE_FILES)


@cache
def parsed() -> Program:
    return program(SOURCES, compile_modules(SOURCES, {}, entry=None))


def _of_package(path: str) -> Annotation:
    return next(each for each in read_annotations(path, SOURCES[path]) if each.scope == "package")


@each_rule_file
def test_the_path_of_a_rule_is_its_package(path: str) -> None:
    *folders, _ = path.split("/")

    assert path == "/".join((*folders, f"{folders[-1]}.rego"))
    assert f"package {'.'.join(folders)}\n" in SOURCES[path]


@each_rule_file
def test_tests_and_examples_lie_beside_a_rule(path: str) -> None:
    file = ROOT / path

    assert file.with_name(f"{file.stem}_test.rego").is_file()
    assert file.with_name("examples.yaml").is_file()


@pytest.mark.parametrize("path", sorted(SOURCES))
def test_a_package_has_a_title_and_a_description(path: str) -> None:
    content = _of_package(path).content

    assert content["title"]
    assert content["description"]


@each_rule_file
def test_a_rule_is_checked_against_the_schema_of_the_request(path: str) -> None:
    assert {"input": "schema.request"} in _of_package(path).content["schemas"]


@pytest.mark.parametrize("path", sorted(path for path in SOURCES if "/lib/" in path))
def test_a_library_offers_documented_functions_and_no_values(path: str) -> None:
    """An engine may evaluate a whole package for one value of it, which is slow."""
    module = next(module for module in parsed().modules if module.path == path)
    documented = {each.target for each in read_annotations(path, SOURCES[path]) if each.target}
    public = {rule.name[0]: rule.kind for rule in module.rules if not rule.name[0].startswith("_")}

    assert set(public) == documented
    assert set(public.values()) == {"Func"}


@each_rule
def test_metadata_says_everything_that_a_person_reads(rule: Rule) -> None:
    assert rule.description
    assert rule.fields
    assert rule.tables
    assert rule.adapters
    for sentence in (rule.message, rule.undetermined):
        assert not sentence.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.remedy[0].isupper()


def _reports() -> Iterator[Report]:
    for module in parsed().modules:
        if module.path in RULE_FILES:
            yield from reports_of(parsed(), module)


@each_rule
def test_a_rule_says_what_it_cannot_tell(rule: Rule) -> None:
    undetermined = [each for each in _reports() if each.code == rule.code and each.undetermined]

    assert undetermined
    assert "{missing}" in rule.undetermined


@each_rule
def test_a_code_belongs_to_the_domain_of_its_folder(rule: Rule) -> None:
    assert rule.code.startswith(f"{PREFIXES[rule.domain]}-")


@each_rule
def test_the_adapters_of_a_rule_exist(rule: Rule) -> None:
    known = {path.parent.name for path in (ROOT / "adapters").glob("*/normalise.py")}

    assert set(rule.adapters) <= known


@each_rule
def test_the_tables_of_a_rule_exist(rule: Rule) -> None:
    for table in rule.tables:
        content: Any = bundle_of("example").data
        for step in table.split("."):
            assert step in content, table
            content = content[step]


@each_rule
def test_the_fields_of_a_rule_exist(rule: Rule) -> None:
    schema = Request.model_json_schema(mode="serialization", by_alias=True)
    of_resource = schema["$defs"]["Resource"]
    for field in rule.fields:
        found = [schema if rule.reads_request or field.startswith("context.") else of_resource]
        for step in field.split("."):
            found = [
                option["properties"][step]
                for each in found
                for option in _options(schema, each)
                if step in option.get("properties", {})
            ]
            assert found, field


def _options(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """*node* with references, alternatives and items of lists followed."""
    if "$ref" in node:
        yield from _options(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    for option in node.get("anyOf", ()):
        yield from _options(schema, option)
    if "items" in node:
        yield from _options(schema, node["items"])
    yield node


def test_rego_needs_no_version_import() -> None:
    assert not [path for path, text in MODULES.items() if "import rego.v1" in text]


def test_the_documents_of_rego_tests_are_those_of_the_model() -> None:
    engine = regorus.Engine()
    for path, text in MODULES.items():
        if "/testing/" in path:
            engine.add_policy(path, text)
    resource = Resource(
        address="Deployment prod/llama-70b",
        subject="Deployment/prod/llama-70b",
        kind="Deployment",
        role="workload",  # type: ignore[arg-type]  # as it is written in documents
        change="create",  # type: ignore[arg-type]  # as it is written in documents
    )
    request = Request(
        key="0c1b1a2f",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding="binding",  # type: ignore[arg-type]  # as it is written in documents
    )

    dense = json.loads(engine.eval_rule_as_json("data.policies.lib.testing_test._dense"))
    empty = json.loads(engine.eval_rule_as_json("data.policies.lib.testing_test._request"))

    assert resource.model_dump(mode="json", by_alias=True) == dense
    assert request.model_dump(mode="json", by_alias=True) == empty


def _rego_tests() -> list[tuple[str, str]]:
    return [
        (path, line.partition(" ")[0])
        for path, text in MODULES.items()
        if path.endswith("_test.rego")
        for line in text.splitlines()
        if line.startswith("test_")
    ]


@cache
def _engine_with_tests() -> regorus.Engine:
    engine = regorus.Engine()
    for path, text in MODULES.items():
        engine.add_policy(path, text)
    engine.add_data_json(json.dumps({"catalog": {}, "index": {}, "org": {}}))
    engine.set_input_json("{}")
    return engine


@pytest.mark.parametrize(("path", "name"), _rego_tests(), ids=lambda part: Path(part).stem)
def test_rego_tests_hold_on_the_embedded_engine_too(path: str, name: str) -> None:
    package = MODULES[path].partition("package ")[2].partition("\n")[0]

    assert _engine_with_tests().eval_rule(f"data.{package}.{name}") is True


def test_every_topic_is_below_a_known_domain() -> None:
    assert {path.name for path in RULES.iterdir() if path.is_dir()} <= set(PREFIXES)
