"""Both engines find the same in every request that the project has, whole or with a leaf missing.

The OPA server is the real one.
Missing leaves go to it in batches, through a rule of the test's own;
what was made for one package is then judged by that package alone, which is a fiftieth of the work.
Whole requests take the way that the service takes, through all rules.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from mutants import (
    Sourced,
    contract_requests,
    example_requests,
    mutants,
    queries_of_rule_tests,
    requests_of_rule_tests,
    rule_tests,
)
from opa_server import archived, opa, opa_server
from pydantic import ValidationError
from rule_examples import bundle_of, engine_with

from service.bundle.values import Bundle
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.opa import OpaEngine
from service.model.request import Request

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(opa() is None, reason="needs the real OPA (make tools)"),
]

BATCH = 100
SECONDS = 60.0
REFUSED = "refused"
ENTRY = "portreeve.entry.findings"
BATCHED = """\
package batched.p{}

found := [each | some one in input; each := data.{} with input as one]
"""
SOURCES = {
    "examples": example_requests,
    "contract cases": lambda: contract_requests("example"),
    "tests of rules": requests_of_rule_tests,
}

Findings = list[str] | str
Source = Callable[[], Iterator[Sourced]]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return bundle_of("example")


@pytest.fixture(scope="module")
def server(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bundle")
    with opa_server(archived(bundle, folder)) as url:
        for number, rule in enumerate(rules_of(bundle)):
            text = BATCHED.format(number, rule)
            put = urllib.request.Request(  # noqa: S310  # loopback
                f"{url}/v1/policies/batched{number}", text.encode(), method="PUT"
            )
            with urllib.request.urlopen(put, timeout=30):  # noqa: S310  # loopback
                pass
        yield url


def rules_of(bundle: Bundle) -> list[str]:
    """The entry rule, and what each package reports."""
    packages = sorted({rule.package for rule in bundle.rulebook.values()})
    return [ENTRY, *(f"{package}.deny" for package in packages)]


@pytest.fixture
async def embedded(bundle: Bundle) -> AsyncIterator[EmbeddedEngine]:
    engine = await EmbeddedEngine.start(bundle)
    yield engine
    await engine.close()


@pytest.fixture
async def remote(bundle: Bundle, server: str) -> AsyncIterator[OpaEngine]:
    engine = await OpaEngine.start(bundle, url=server)
    yield engine
    await engine.close()


def stable(findings: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(finding, sort_keys=True) for finding in findings)


def batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(documents)
    while batch := list(islice(rest, BATCH)):
        yield batch


def is_request(document: bytes) -> bool:
    """Whether the service could ask an engine about it: some leaves are never null.

    Of what it could not, the embedded engine may refuse more: OPA finds nothing in a null list.
    """
    try:
        Request.model_validate_json(document)
    except ValidationError:
        return False
    return True


def by_regorus(rule: str, document: bytes) -> Findings:
    engine = engine_with("example")
    engine.set_input_json(document.decode())
    try:
        return stable(json.loads(engine.eval_rule_as_json(f"data.{rule}")))
    except RuntimeError:
        return REFUSED


async def by_opa(engine: OpaEngine, number: int, rule: str, batch: list[bytes]) -> list[Findings]:
    """What OPA finds in each of *batch*; one by one where it refuses one of them."""
    whole = b'{"input":[' + b",".join(batch) + b"]}"
    path = f"data/batched/p{number}/found?strict-builtin-errors"
    status, raw = await engine._send("POST", path, whole)
    found = json.loads(raw).get("result", []) if status == 200 else []
    if len(found) == len(batch):
        return [stable(findings) for findings in found]
    return [await one_by_opa(engine, rule, document) for document in batch]


async def one_by_opa(engine: OpaEngine, rule: str, document: bytes) -> Findings:
    whole = b'{"input":' + document + b"}"
    path = f"data/{rule.replace('.', '/')}?strict-builtin-errors"
    status, raw = await engine._send("POST", path, whole)
    answer = json.loads(raw)
    return stable(answer["result"]) if status == 200 and "result" in answer else REFUSED


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
async def test_whole_requests_have_the_same_findings(
    embedded: EmbeddedEngine, remote: OpaEngine, source: Source
) -> None:
    requests = [Request.model_validate_json(json.dumps(document)) for document, _ in source()]

    for request in requests:
        ours = await embedded.evaluate(request, seconds=SECONDS)
        theirs = await remote.evaluate(request, seconds=SECONDS)
        assert ours == theirs, request.model_dump_json(exclude_none=True)

    assert requests


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
async def test_requests_with_any_leaf_null_or_unknown_have_the_same_findings(
    bundle: Bundle, remote: OpaEngine, source: Source
) -> None:
    rules, compared = rules_of(bundle), 0
    # Tests of rules differ from one another in a leaf or two: four of them share all leaves.
    step = 4 if source is requests_of_rule_tests else 1
    for number, (document, package) in enumerate(source()):
        rule = ENTRY if package is None else f"{package}.deny"
        for batch in batches(islice(mutants(document), number % step, None, step)):
            asked = asyncio.create_task(by_opa(remote, rules.index(rule), rule, batch))
            await asyncio.sleep(0)
            ours = [by_regorus(rule, one) for one in batch]
            theirs = await asked
            for one, left, right in zip(batch, ours, theirs, strict=True):
                if left != right:
                    assert left == REFUSED, one.decode()
                    assert not is_request(one), one.decode()
                compared += 1

    assert compared > 1000


async def test_what_is_found_about_a_resource_does_not_depend_on_its_neighbours(
    embedded: EmbeddedEngine, remote: OpaEngine
) -> None:
    apart = [Request.model_validate_json(json.dumps(each)) for each, _ in example_requests()]
    named = [
        resource.model_copy(update={"address": f"{number} {resource.address}"})
        for number, request in enumerate(apart)
        for resource in request.resources
    ]
    together = apart[0].model_copy(update={"resources": tuple(named)})

    for engine in (embedded, remote):
        found = await engine.evaluate(together, seconds=SECONDS)
        each = [
            finding
            for resource in named
            for finding in await engine.evaluate(
                together.model_copy(update={"resources": (resource,)}), seconds=SECONDS
            )
            if finding.resource is not None
        ]
        of_resources = [finding for finding in found if finding.resource is not None]
        assert sorted(map(repr, of_resources)) == sorted(map(repr, each))
        assert len(of_resources) > len(apart) // 2


def test_every_test_of_a_rule_passes_on_the_embedded_engine_too() -> None:
    engine = rule_tests()
    engine.add_extension("kept", 1, lambda document: document)
    engine.set_input_json("{}")

    failed = [name for name in queries_of_rule_tests() if engine.eval_rule_as_json(name) != "true"]

    assert failed == []
