"""``portreeve bundle diff``: what changes when one bundle takes the place of another."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from service.app import find_bundle
from service.bundle.diffing import Difference, Section, as_document, difference
from service.bundle.load import load
from service.report.text import plain

_TITLES = {
    "rules": "rules",
    "library": "library of the rules",
    "modes": "modes",
    "waivers": "waivers",
    "baseline": "baseline",
    "scopes": "scopes",
    "organisation": "limits and parameters",
    "prices": "prices (millionths per hour)",
    "catalog": "catalog",
}
_MOST_LINES = 20
_LONGEST = 160


def add(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "diff",
        help="say what differs between two bundles",
        description="Say which rules, modes, waivers, limits, parameters and prices differ.",
    )
    parser.add_argument("before", metavar="A", help="shipped bundle, folder or archive")
    parser.add_argument("after", metavar="B", help="shipped bundle, folder or archive")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the difference."""
    found = difference(load(find_bundle(given.before)), load(find_bundle(given.after)))
    if given.format == "json":
        print(json.dumps(as_document(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(plain(line) for line in _lines(found)))
    return 0


def _lines(found: Difference) -> Iterator[str]:
    yield f"{_named(found, before=True)} -> {_named(found, before=False)}"
    if not found:
        yield "no differences"
    for name, section in found.sections.items():
        lines = list(_section(name, section))
        if lines:
            yield _TITLES[name]
            yield from lines[:_MOST_LINES]
        if len(lines) > _MOST_LINES:
            yield f"  and {len(lines) - _MOST_LINES} more (--format json shows all)"


def _named(found: Difference, *, before: bool) -> str:
    ref = found.before if before else found.after
    return f"{ref.name} {ref.revision} ({ref.digest[:19]})"


def _section(name: str, section: Section) -> Iterator[str]:
    for key, value in section.removed.items():
        yield f"  - {_entry(name, key, value)}"
    for key, value in section.added.items():
        yield f"  + {_entry(name, key, value)}"
    for key, (old, new) in section.changed.items():
        yield f"  ~ {key}: {_change(old, new)}"


def _entry(name: str, key: str, value: Any) -> str:
    if name == "rules":
        return f"{key} {value['title']}"
    if name in ("library", "catalog"):
        return key
    return f"{key}: {_shown(value)}"


def _change(old: Any, new: Any) -> str:
    """What is different, field by field where both are objects."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        return "; ".join(
            "its Rego"
            if key == "source"
            else f"{key} {_shown(old.get(key))} -> {_shown(new.get(key))}"
            for key in names
        )
    if str(old).startswith("sha256:"):
        return "its Rego"
    return f"{_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
