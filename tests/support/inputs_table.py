"""The matrix of ``docs/rule-inputs.md``: which adapter feeds which field of which rule.

What an adapter feeds is read off what it made of every example and every contract case, and not off
what anybody says of it. ``python tests/support/inputs_table.py`` writes the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from rule_examples import NOW, bundle_of, examples

from adapters.kubernetes.normalise import normalise_review
from adapters.terraform.normalise import normalise_plan
from service.bundle.values import Rule
from service.model.base import Scope
from service.model.declarations import POINTERS
from service.model.request import Request
from service.resolve.resolver import Resolver

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "rule-inputs.md"
ADAPTERS = ("kubernetes", "terraform")
RESOLVE = "resolve"
_HEAD = """# What feeds each rule

A rule is silent about what nobody tells it. This page says which adapter fills the fields that a
rule reads: each field that an adapter filled in some example or contract case, or reported as not
known, and each that labels and tags may declare. `resolve` looks the other fields up in the catalog
and in the organisation's tables. A request in Portreeve's own form (`/v1/evaluate`) may state every
field.
`python tests/support/inputs_table.py` writes the page; a test fails when it is out of date, when a
field is fed by nobody, or when a rule names an adapter that feeds none of its own fields.

✓ stands for all fields that are not looked up; other cells name what the adapter does not feed,
and - an adapter that the rule does not name.

| rule | kubernetes | terraform | looked up |
| --- | --- | --- | --- |
"""


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of everything that is stated in *value*, without the indexes of lists."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif value is not None:
        yield path


def _stated(resource: dict[str, Any]) -> Iterator[str]:
    yield from _leaves(resource)
    for pointer in resource.get("unknown", {}):
        yield ".".join(step for step in pointer.split("/")[1:] if not step.isdecimal())


def _normalised(adapter: str) -> Iterator[Request]:
    for example in examples():
        if ("terraform" in example.body) is (adapter == "terraform"):
            yield example.normalised()
    scope = Scope(cluster="prod-eu", workspace="vision-prod")
    for case in sorted((ROOT / "tests" / "contract" / adapter).iterdir()):
        if (case / "request.json").exists():
            review = json.loads((case / "request.json").read_text())
            yield normalise_review(review, cluster=scope.cluster, caller="contract")
        elif (case / "plan.json").exists():
            plan = json.loads((case / "plan.json").read_text())
            yield normalise_plan(plan, scope=scope, caller="contract", key="contract")


def _document(request: Request) -> dict[str, Any]:
    return request.model_dump(mode="json", by_alias=True, exclude_defaults=True)


@cache
def fed() -> dict[str, frozenset[str]]:
    """Fields of a resource, and of the request's context, by who fills them."""
    declared = {pointer[1:].replace("/", ".") for pointer in POINTERS.values()}
    found = {**{name: set(declared) for name in ADAPTERS}, RESOLVE: set[str]()}
    resolver = Resolver(bundle_of("example"))
    for adapter in ADAPTERS:
        for request in _normalised(adapter):
            resolved = resolver.resolve(request, now=NOW)
            found[adapter] |= set(_leaves(_document(request).get("scope", {}), "scope"))
            for one, other in zip(request.resources, resolved.resources, strict=True):
                before = set(_stated(one.model_dump(mode="json", by_alias=True, exclude_none=True)))
                after = set(
                    _stated(other.model_dump(mode="json", by_alias=True, exclude_none=True))
                )
                found[adapter] |= before
                found[RESOLVE] |= after - before
            found[RESOLVE] |= set(_leaves(_document(resolved)["context"], "context"))
    return {name: frozenset(paths) for name, paths in found.items()}


def feeds(who: str, field: str) -> bool:
    """Whether *who* fills *field*, or anything below it."""
    return any(path == field or path.startswith(f"{field}.") for path in fed()[who])


def unfed(rule: Rule) -> list[str]:
    """Fields of *rule* that nobody fills."""
    return [
        field
        for field in rule.fields
        if not any(feeds(who, field) for who in (*rule.adapters, RESOLVE) if who in fed())
    ]


def own_fields(rule: Rule) -> list[str]:
    """Fields that only an adapter can fill."""
    return [field for field in rule.fields if not feeds(RESOLVE, field)]


def page() -> str:
    """The whole page."""
    rules = bundle_of("example").rulebook.values()
    return _HEAD + "".join(f"{_row(rule)}\n" for rule in rules)


def _row(rule: Rule) -> str:
    looked_up = [field for field in rule.fields if feeds(RESOLVE, field)]
    cells = [_cell(rule, adapter) for adapter in ADAPTERS]
    return f"| {rule.code} | {' | '.join(cells)} | {_code(looked_up)} |"


def _cell(rule: Rule, adapter: str) -> str:
    if adapter not in rule.adapters:
        return "-"
    missing = [field for field in own_fields(rule) if not feeds(adapter, field)]
    return f"without {_code(missing)}" if missing else "✓"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
