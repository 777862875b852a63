"""``portreeve explain CODE``: what a code means and what to do about it."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from service.app import find_bundle
from service.bundle.load import load
from service.decide.builtin import BUILTIN
from service.errors import NotFound


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explain", help="say what a code means", description="Say what a code means."
    )
    parser.add_argument("code", metavar="CODE", help="such as GPU-002")
    parser.add_argument("--bundle", default="default", help="the bundle whose rule is meant")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the words of one code's METADATA."""
    bundle = load(find_bundle(given.bundle))
    code = given.code.upper()
    rule = bundle.rulebook.get(code) or BUILTIN.get(code)
    if rule is None:
        known = ", ".join(sorted(bundle.rulebook))
        raise NotFound(
            f"bundle `{bundle.ref.name}` has no code `{given.code}`",
            hint=f"Its codes are {known}.",
        )
    parts = {
        "Severity": rule.severity.value,
        "Meaning": rule.description,
        "Message": rule.message,
        "Remedy": rule.remedy,
        "Reads": ", ".join((*rule.fields, *rule.tables)),
        "References": ", ".join(rule.references),
    }
    print(f"{rule.code}: {rule.title}")
    for name, text in parts.items():
        if text:
            print(
                textwrap.fill(
                    " ".join(text.split()),
                    96,
                    initial_indent=f"  {name:<11}",
                    subsequent_indent=" " * 13,
                )
            )
    return 0
