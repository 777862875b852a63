"""Requests with one leaf taken away, and where requests to start from are found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import regorus
from rule_examples import NOW, POLICIES, bundle_of, document_of, examples

from service.model.request import Request
from service.model.resource import ResourceState
from service.resolve.resolver import Resolver

CONTRACT = Path(__file__).resolve().parents[1] / "contract"

# Containers that the model allows to be null; every other container is taken apart.
_NULLABLE = frozenset(("accelerators", "places", "before", "part_of", "covered_by"))
_UNSAID = frozenset(("unknown", "provenance"))
# The functions with which the tests of rules make their inputs.
_MAKERS = re.compile(r"^(request|context)\((\w+)\) := (.+)$", re.MULTILINE)


def mutants(document: dict[str, Any]) -> Iterator[bytes]:
    """*document* with every leaf in turn null, and null with its pointer in ``unknown``."""
    for holder, key, pointer, unknown in list(_leaves(document, (), None)):
        was = holder[key]
        if was is not None:
            holder[key] = None
            yield json.dumps(document).encode()
        if unknown is not None and pointer not in unknown:
            holder[key] = None
            unknown[pointer] = "undeclared"
            yield json.dumps(document).encode()
            del unknown[pointer]
        holder[key] = was


Sourced = tuple[dict[str, Any], str | None]
"""A request as rules see it, and the package whose rules it was made for, if there is one."""


def example_requests() -> Iterator[Sourced]:
    """The example inputs of every rule."""
    for example in examples():
        yield document_of(example.resolved()), example.package


def contract_requests(bundle: str) -> Iterator[Sourced]:
    """What adapters make of recorded payloads, as the rules of *bundle* see it."""
    resolver = Resolver(bundle_of(bundle))
    for path in sorted(CONTRACT.rglob("normalised.json")):
        request = Request.model_validate_json(path.read_bytes())
        yield document_of(resolver.resolve(request, now=NOW)), None


def requests_of_rule_tests() -> Iterator[Sourced]:
    """The inputs that the tests of rules make for themselves, taken from running tests."""
    seen: dict[str, Sourced] = {}
    running: str | None = None

    def keep(document: dict[str, Any]) -> dict[str, Any]:
        for resource in document["resources"]:
            # Tests may say more of the former state than adapters do.
            if before := resource["before"]:
                resource["before"] = {name: before[name] for name in ResourceState.model_fields}
        seen.setdefault(json.dumps([running, document], sort_keys=True), (document, running))
        return document

    engine = rule_tests()
    engine.add_extension("kept", 1, keep)
    engine.set_input_json("{}")
    for query in queries_of_rule_tests():
        package = query.removeprefix("data.").rpartition(".")[0].removesuffix("_test")
        running = package if package.startswith("policies.rules.") else None
        engine.eval_rule_as_json(query)
    yield from seen.values()


def rule_tests() -> regorus.Engine:
    """An engine with all policies and their tests; needs the function ``kept``."""
    engine = regorus.Engine()
    for path in sorted(POLICIES.rglob("*.rego")):
        text = path.read_text(encoding="utf-8")
        if path.name == "dense_test.rego":
            text = _MAKERS.sub(r"\1(\2) := kept(\3)", text)
        engine.add_policy(path.relative_to(POLICIES).as_posix(), text)
    engine.add_data_json('{"catalog": {}, "index": {}, "org": {}}')
    return engine


def queries_of_rule_tests() -> list[str]:
    """Every test of a rule or a helper."""
    queries = []
    for path in sorted(POLICIES.rglob("*_test.rego")):
        text = path.read_text(encoding="utf-8")
        package = re.search(r"^package (\S+)$", text, re.MULTILINE)
        names = re.findall(r"^(test_\w+)", text, re.MULTILINE)
        queries += [f"data.{package[1]}.{name}" for name in names if package]
    return queries


def _leaves(
    value: Any, path: tuple[str, ...], unknown: dict[str, str] | None
) -> Iterator[tuple[Any, Any, str, dict[str, str] | None]]:
    """Holder, key, pointer and nearest ``unknown`` of every leaf below *value*."""
    if isinstance(value, Mapping) and "unknown" in value:
        unknown, path = value["unknown"], ()
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        if key in _UNSAID:
            continue
        below = (*path, str(key).replace("~", "~0").replace("/", "~1"))
        if not isinstance(item, dict | list) or not item or key in _NULLABLE:
            yield value, key, "".join(f"/{part}" for part in below), unknown
        if isinstance(item, dict | list):
            yield from _leaves(item, below, unknown)
