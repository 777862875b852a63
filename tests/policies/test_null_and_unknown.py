"""What is taken away from a rule's input never takes a refusal away in silence.

Each leaf of each example's resolved request in turn is set to null, and to null with an entry in
``unknown``; each list that can be empty is emptied with such an entry; each row of a table that the
rules name is taken away. The violation stays then, or an `undetermined` finding takes its place, or
a finding of a code that shares its question does (``SHARED``), or ``LEGITIMATE`` says why there is
nothing left to find.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rule_examples import (
    NOW,
    Example,
    Finding,
    document_of,
    engine_of,
    engine_with,
    examples,
    findings_of,
    found_by,
)

from service.bundle.values import Org
from service.model.request import Request
from service.resolve.resolver import Resolver

NULL, UNKNOWN, ROW = "null", "null and unknown", "row"


@dataclass(frozen=True)
class _Reason:
    """Why the violations of *code* may end when what matches *what* is taken away *how*."""

    code: str
    how: str
    what: str
    why: str


LEGITIMATE = (
    _Reason(
        "GPU-004",
        NULL,
        r"/model/(optimizer|precision)",
        "what nobody declares is taken in the way that needs least",
    ),
    *(
        _Reason(code, NULL, r"/model/tensor_parallel", "what is not split needs no link or memory")
        for code in ("GPU-006", "GPU-007", "GPU-016")
    ),
    *(
        _Reason(code, NULL, r"/purpose", "what does not say that it trains is not taken to")
        for code in ("GPU-008", "GPU-009", "GPU-016")
    ),
    _Reason("GPU-008", NULL, r"/placement/host_network", "only pods have the network of a node"),
    _Reason("GPU-009", NULL, r"/workers_per_copy", "a copy without workers is no gang"),
    _Reason("GPU-016", NULL, r"/placement/host_ipc", "only pods have the memory of a node"),
    _Reason(
        "GPU-002",
        NULL,
        r"/model/memory_percent",
        "a server that does not state its share takes the usual one",
    ),
    _Reason(
        "GPU-013",
        ROW,
        r"org\.gpu\.isolated_classes",
        "data of a class that the organisation does not list may share memory",
    ),
    _Reason(
        "GPU-011",
        NULL,
        r"/model/precision",
        "a model that states no precision has that of its checkpoint, which servers choose by",
    ),
    _Reason(
        "GPU-003",
        NULL,
        r"/model/(concurrency|context_tokens)",
        "who does not state how many sequences, or how long ones, claims nothing",
    ),
    _Reason(
        "GPU-005",
        ROW,
        r"catalog\.models.*",
        "GPU-002 says already that the catalog lacks the model",
    ),
    _Reason(
        "GPU-005",
        NULL,
        r"/model/context_tokens",
        "a model whose length nobody states may be served with its longest",
    ),
    _Reason(
        "GPU-015",
        NULL,
        r"/model/concurrency|/throughput/tokens_per_second",
        "who states no throughput, or no batch to reach it with, claims nothing",
    ),
    _Reason(
        "VEN-003",
        NULL,
        r"/purpose",
        "what does not say that it trains is not held to be training",
    ),
    _Reason(
        "VEN-004",
        NULL,
        r"/latency_critical",
        "what does not say that people wait is not held to serve them",
    ),
    *(
        _Reason(
            code,
            ROW,
            rf"org\.vendor\.{table}.*",
            "what the organisation states no list for is free",
        )
        for code, table in (
            ("VEN-003", "training_vendors"),
            ("VEN-004", "latency_vendors"),
            ("VEN-006", "approved"),
            ("VEN-007", "approved_regions"),
            ("VEN-008", "evaluations"),
        )
    ),
    *(
        _Reason(
            code,
            ROW,
            r"org\.vendor\.concentration.*",
            "what the organisation states no limit for has none",
        )
        for code in ("VEN-001", "VEN-002")
    ),
    _Reason(
        "BUD-001",
        ROW,
        r"org\.limits\.monthly_micros_per_request.*",
        "what the organisation states no limit for has none, or the default",
    ),
    _Reason(
        "BUD-003",
        ROW,
        r"org\.budget\.monthly_micros.*",
        "what the organisation states no limit for has none, or the default",
    ),
    _Reason("BUD-003", NULL, r"/(totals|usage)/[0-9]+/team", "no team is a team of its own"),
    _Reason("BUD-004", NULL, r"/price_kind", "what states no price kind is on demand"),
    _Reason("BUD-004", NULL, r"/purpose", "a purpose that nobody declares is not forbidden"),
    _Reason("BUD-004", NULL, r"/latency_critical", "nobody says that people wait for it"),
    _Reason(
        "BUD-004",
        ROW,
        r"org\.budget\.spot_forbidden_purposes",
        "the organisation says which purposes must not stop",
    ),
    _Reason("BUD-005", NULL, r"/purpose", "what nobody says the purpose of need not end"),
    _Reason("BUD-010", NULL, r"/budgets/[0-9]+/limit", "a budget that states no limit has none"),
    _Reason(
        "BUD-011", NULL, r"/budgets/[0-9]+/approval", "above nothing stated nobody has to agree"
    ),
    _Reason("BUD-012", NULL, r"/budgets/[0-9]+/soft", "above nothing stated nobody is told"),
    _Reason(
        "BUD-006",
        NULL,
        r"/throughput/(requests_per_minute|utilisation_percent)",
        "who declares no load claims nothing, and without a share it is used all the time",
    ),
    _Reason(
        "BUD-007",
        NULL,
        r"/throughput/(tokens_per_second|utilisation_percent)",
        "who declares no load claims nothing, and without a share it is used all the time",
    ),
    _Reason(
        "BUD-011", ROW, r"catalog\.prices.*", "of a budget with a limit BUD-010 cannot be told then"
    ),
    _Reason(
        "BUD-012", ROW, r"catalog\.prices.*", "of a budget with a limit BUD-010 cannot be told then"
    ),
    _Reason("BUD-009", ROW, r"index\.offers_by_accelerator.*", "without an offer none is cheaper"),
    _Reason("BUD-006", ROW, r"org\.budget\.micros_per_.*", "without a target nothing misses it"),
    _Reason("BUD-007", ROW, r"org\.budget\.micros_per_.*", "without a target nothing misses it"),
    _Reason("BUD-008", ROW, r"org\.budget\.micros_per_.*", "without a target nothing misses it"),
    _Reason(
        "BUD-008",
        NULL,
        r"/purpose|/model/training_tokens_m|/lifetime/minutes",
        "what is no run, or says nothing of its length, has no cost of a run",
    ),
    _Reason(
        "BUD-005",
        ROW,
        r"org\.budget\.open_ended_.*",
        "the organisation says what should end, and from what price on",
    ),
    _Reason(
        "GPU-001",
        ROW,
        r"org\.limits\.accelerators_per_resource.*",
        "what the organisation states no limit for has none, or the default",
    ),
    *(
        _Reason(code, ROW, r"org\.hygiene\.required.*", "what is not required need not be named")
        for code in ("HYG-001", "HYG-002", "HYG-003", "HYG-004")
    ),
    *(
        _Reason(code, NULL, r"/ownership/environment", "no environment is none of those listed")
        for code in ("HYG-002", "HYG-004", "HYG-010")
    ),
    _Reason("HYG-007", NULL, r"/purpose", "what has no purpose is no notebook"),
    _Reason(
        "HYG-007",
        ROW,
        r"org\.hygiene\.longest_idle_minutes",
        "without a longest one any idle limit will do",
    ),
    *(
        _Reason(code, ROW, r"org\.hygiene\.clusters.*", "a cluster without facts needs nothing")
        for code in ("HYG-008", "HYG-009")
    ),
    _Reason(
        "HYG-008",
        NULL,
        r"/cluster/nodes(/[0-9]+/resource)?",
        "nodes that nobody knows keep nobody off, nor do those that offer nothing",
    ),
    _Reason(
        "HYG-010",
        ROW,
        r"org\.hygiene\.pinned_environments",
        "where no digests are asked for, tags will do",
    ),
)

SHARED = {
    code: frozenset(("RES-001", "RES-004", "RES-009")) - {code}
    for code in ("RES-001", "RES-003", "RES-004", "RES-005", "RES-008", "RES-009")
} | {code: frozenset(("RES-002", "RES-007")) - {code} for code in ("RES-006", "RES-007")}
"""Codes that divide one question between them: without a value another one of them speaks."""

VIOLATING = tuple(e for e in examples() if any("message" in f for f in e.body["findings"]))

EACH_VIOLATING = pytest.mark.parametrize(
    "number", range(len(VIOLATING)), ids=lambda number: VIOLATING[number].id
)
SILENT = tuple(example for example in examples() if example not in VIOLATING)


def _packages(example: Example) -> tuple[str, ...]:
    """The packages of the topic's codes, and of those that share their questions."""
    book, codes = example.bundle.rulebook, example.codes()
    asked = codes.union(*(SHARED.get(code, ()) for code in codes)) & book.keys()
    return tuple(sorted({book[code].package for code in asked}))


def _key(finding: Finding) -> tuple[str, str | None]:
    return finding["code"], finding["resource"]


def _violations(found: list[Finding]) -> set[tuple[str, str | None]]:
    return {_key(finding) for finding in found if "undetermined" not in finding}


@dataclass(frozen=True)
class _Loss:
    """A violation of *code* that ended without a twin when *what* was taken away *how*."""

    code: str
    how: str
    what: str

    def may_be(self, reason: _Reason) -> bool:
        """Whether *reason* explains it."""
        same = (self.code, self.how) == (reason.code, reason.how)
        return same and re.fullmatch(reason.what, self.what) is not None


def _lost(before: list[Finding], after: list[Finding], how: str, what: str) -> Iterator[_Loss]:
    left = {_key(finding) for finding in after}
    new = left - {_key(finding) for finding in before}
    for code, resource in sorted(_violations(before), key=str):
        takes_over = any((other, resource) in new for other in SHARED.get(code, ()))
        if (code, resource) not in left and not takes_over:
            yield _Loss(code, how, what)


def _unexplained(losses: Iterable[_Loss]) -> list[_Loss]:
    return [loss for loss in losses if not any(loss.may_be(reason) for reason in LEGITIMATE)]


def _leaves(value: Any, pointer: str = "") -> Iterator[str]:
    """Pointers at every leaf and every list below *value*."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key not in {"unknown", "provenance", "labels"}:
                yield from _leaves(below, f"{pointer}/{key}")
        return
    if isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves(below, f"{pointer}/{index}")
    yield pointer


def _put(document: Any, pointer: str, value: Any) -> None:
    *path, last = pointer.removeprefix("/").split("/")
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    document[int(last) if isinstance(document, list) else last] = value


def _is_request(document: dict[str, Any]) -> bool:
    try:
        Request.model_validate_json(json.dumps(document))
    except ValidationError:
        return False
    return True


def _without(document: dict[str, Any], where: str, pointer: str) -> Iterator[tuple[str, Any]]:
    """*document* without the value at *pointer* below *where*, in each way that it can lack it."""
    taken = copy.deepcopy(document)
    _put(taken, where + pointer, None)
    if _is_request(taken):
        yield NULL, taken
    else:  # an empty list is how a list that is never null is not known
        _put(taken, where + pointer, [])
    if where.startswith("/resources") and _is_request(taken):
        unknown = copy.deepcopy(taken)
        unknown["resources"][int(where.split("/")[2])]["unknown"][pointer] = "after_apply"
        yield UNKNOWN, unknown


@cache
def _lost_with_values(number: int) -> tuple[_Loss, ...]:
    example = VIOLATING[number]
    engine, document = engine_with(example.body["bundle"]), document_of(example.resolved())
    packages = _packages(example)
    before = found_by(engine, document, packages)
    places = [("/context", document["context"])]
    places += [(f"/resources/{i}", each) for i, each in enumerate(document["resources"])]
    return tuple(
        loss
        for where, part in places
        for pointer in _leaves(part)
        for how, changed in _without(document, where, pointer)
        for loss in _lost(before, found_by(engine, changed, packages), how, pointer)
    )


@EACH_VIOLATING
def test_a_missing_value_never_silences_a_violation(number: int) -> None:
    assert _unexplained(_lost_with_values(number)) == []


@pytest.mark.parametrize("example", SILENT, ids=lambda example: example.id)
def test_a_missing_value_never_stops_the_evaluation(example: Example) -> None:
    engine, document = engine_with(example.body["bundle"]), document_of(example.resolved())
    packages, tried = _packages(example), 0

    for index, resource in enumerate(document["resources"]):
        for pointer in _leaves(resource):
            for _, changed in _without(document, f"/resources/{index}", pointer):
                found_by(engine, changed, packages)
                tried += 1

    assert tried > 50


_LOOKED_UP_BY_RESOLVE = frozenset(
    {
        ("catalog", "countries"),
        ("catalog", "instance_types"),
        ("catalog", "models"),
        ("catalog", "operators"),
        ("catalog", "prices"),
        ("catalog", "regions"),
        ("org", "internal_rates"),
        ("org", "prices"),
    }
)
_NAMES = {("catalog", "models"): ("catalog", "model_names")}
"""Tables whose rows other tables name: without them those names are gone as well."""


def _rows(table: dict[str, Any], mentioned: str) -> Iterator[tuple[str, ...]]:
    """Paths to the rows of *table* that have to do with what is *mentioned*."""
    for key, below in table.items():
        if f'"{key}"' not in mentioned and key not in {"default", "teams", "*"}:
            continue
        yield (key,)
        is_record = not isinstance(below, dict) or (
            key != "teams" and not all(isinstance(each, dict) for each in below.values())
        )
        if not is_record:
            yield from ((key, *path) for path in _rows(below, mentioned))


def _tables(example: Example) -> Iterator[tuple[str, ...]]:
    """Every table that the topic's rules name, as a path in data."""
    for code in sorted(example.codes()):
        for table in example.bundle.rulebook[code].tables:
            yield tuple(table.split("."))


def _emptied(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """*data* without the row at *path*; a whole table is emptied, since none is ever absent."""
    changed = dict(data)
    inner = changed
    for step in path[:-1]:
        inner[step] = dict(inner[step])
        inner = inner[step]
    if path[:2] in _NAMES:
        of, names = _NAMES[path[:2]]
        changed[of] = {**changed[of], names: {}}
    last = path[-1]
    if len(path) == 2:
        inner[last] = type(inner[last])()
    else:
        del inner[last]
    return changed


@cache
def _lost_with_rows(number: int) -> tuple[_Loss, ...]:
    example = VIOLATING[number]
    bundle, document = example.bundle, document_of(example.resolved())
    own = example.codes()
    found = found_by(engine_with(example.body["bundle"]), document, _packages(example))
    before = [finding for finding in found if finding["code"] in own]
    mentioned = json.dumps(document)
    losses: list[_Loss] = []
    for table in _tables(example):
        content: Any = bundle.data
        for step in table:
            content = content[step]
        rows = _rows(content, mentioned) if isinstance(content, dict) else ()
        for path in ((), *rows):
            data = _emptied(dict(bundle.data), (*table, *path))
            request = example.resolved()
            if table in _LOOKED_UP_BY_RESOLVE:
                resolver = Resolver(replace(bundle, data=data, org=Org(**data["org"])))
                request = resolver.resolve(example.normalised(), now=NOW)
            engine = engine_of(bundle.modules, data)
            after = found_by(engine, document_of(request), _packages(example))
            losses += _lost(before, after, ROW, ".".join((*table, *path)))
    return tuple(losses)


@EACH_VIOLATING
def test_a_missing_row_never_silences_a_violation(number: int) -> None:
    assert _unexplained(_lost_with_rows(number)) == []


def test_every_reason_that_is_accepted_explains_something() -> None:
    """A reason that no example needs would hide a silent rule later."""
    losses = [
        loss
        for number in range(len(VIOLATING))
        for loss in (*_lost_with_values(number), *_lost_with_rows(number))
    ]

    for reason in LEGITIMATE:
        assert any(loss.may_be(reason) for loss in losses), reason


_POOL = [resource for example in examples() for resource in example.resolved().resources]
_SOME = st.lists(st.sampled_from(range(len(_POOL))), max_size=4)


@settings(max_examples=60, deadline=None)
@given(first=_SOME, second=_SOME)
def test_findings_about_two_requests_are_those_about_each(
    first: list[int], second: list[int]
) -> None:
    """So that a large request may be evaluated in slices."""
    engine, request = engine_with("example"), examples()[0].resolved()

    def found(indices: list[int]) -> list[str]:
        resources = tuple(_POOL[index] for index in indices)
        document = document_of(request.model_copy(update={"resources": resources}))
        rule = "portreeve.entry.resource_findings"
        return [json.dumps(each, sort_keys=True) for each in findings_of(engine, document, rule)]

    assert set(found(first + second)) == set(chain(found(first), found(second)))
