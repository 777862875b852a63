"""``portreeve bundle promote``: how far the findings of one code go, and where."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from service.bundle.values import ModeRule
from service.commands.pairs import read_pairs
from service.decide.modes import stated_in
from service.decide.promoting import WHERE, Promotion, plan, write
from service.model.finding import Mode


def add(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "promote",
        help="let a code refuse, warn or only be observed, everywhere or in one place",
        description="Append a rule to the modes of an organisation (org/modes.yaml), and say what "
        "changes by it. Comments and everything else in the file stay as they are.",
    )
    parser.add_argument("code", metavar="CODE", help="such as GPU-002")
    parser.add_argument("--to", required=True, choices=[mode.value for mode in Mode])
    parser.add_argument(
        "--scope",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help=f"where: {', '.join(WHERE)} (default: everywhere); a place may end in *",
    )
    parser.add_argument(
        "--bundle", type=Path, required=True, metavar="DIR", help="the folder of the bundle"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would change, no more")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Say what changes, and write it."""
    where = read_pairs("--scope", given.scope, WHERE)
    promotion = plan(given.bundle, given.code.upper(), where, Mode(given.to))
    print(_said(promotion))
    if promotion.before is promotion.rule.mode:
        print("  nothing to do")
    elif given.dry_run:
        print("  nothing was written (--dry-run)")
    else:
        path = write(given.bundle, promotion)
        print(f"  added to {path}; build the bundle and roll it out for it to hold")
    return 0


def _said(promotion: Promotion) -> str:
    rule = promotion.rule
    lines = [f"{rule.code} {_where(rule)}: {promotion.before.value} -> {rule.mode.value}"]
    held_by = promotion.held_by
    why = f"by the mode rule for {_selected(held_by)}" if held_by else "by the rule's own mode"
    lines.append(f"  {promotion.before.value} so far {why}")
    lines += [
        f"  stays {other.mode.value} for {_selected(other)}, which is more specific"
        for other in promotion.exceptions
    ]
    return "\n".join(lines)


def _where(rule: ModeRule) -> str:
    stated = [f"{name} `{getattr(rule, name)}`" for name in stated_in(rule) if name != "code"]
    return f"in {', '.join(stated)}" if stated else "everywhere"


def _selected(rule: ModeRule) -> str:
    stated = [f"{name} `{getattr(rule, name)}`" for name in stated_in(rule)]
    return ", ".join(stated) or "everything"
