"""``portreeve waiver add|list|break-glass``: exceptions for a time."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.app import find_bundle
from service.bundle.granting import entry_of, grant
from service.bundle.load import load
from service.bundle.waivers import Waiver, WaiverMatch, ends_at
from service.commands import break_glass
from service.commands.pairs import read_pairs
from service.report.text import columns, plain

_SELECTORS = tuple(WaiverMatch.model_fields)


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("waiver", help="grant and list exceptions")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_add(actions)
    _add_list(actions)
    break_glass.add(actions)


def _add_add(actions: Any) -> None:
    parser = actions.add_parser(
        "add",
        help="grant an exception to one code",
        description="Append a waiver to an organisation's bundle (org/waivers.yaml). Findings that "
        "it covers are recorded with its owner and approver and do not count for the outcome, at "
        "every enforcement point, until it expires. Have the change reviewed by the approver.",
    )
    parser.add_argument("--code", required=True, help="the code it waives, such as GPU-001")
    parser.add_argument(
        "--match",
        action="extend",
        nargs="+",
        required=True,
        metavar="NAME=VALUE",
        help=f"where it holds, all of: {', '.join(_SELECTORS)}; a place may end in *",
    )
    parser.add_argument("--owner", required=True, help="who answers for what it allows")
    parser.add_argument("--reason", required=True, help="why it is needed")
    parser.add_argument("--approver", required=True, help="who agreed; not the owner")
    parser.add_argument(
        "--expires", required=True, help="a day (2026-12-31, to its end in UTC) or RFC 3339 time"
    )
    parser.add_argument("--id", help="its name (default: the next of the year, such as W-2026-001)")
    parser.add_argument(
        "--bundle", type=Path, required=True, metavar="DIR", help="the folder of the bundle"
    )
    parser.set_defaults(run=run_add)


def _add_list(actions: Any) -> None:
    parser = actions.add_parser(
        "list",
        help="show the waivers of a bundle",
        description="Show the waivers of a bundle, those that end first at the top.",
    )
    parser.add_argument("--bundle", default="default", help="shipped bundle, folder or archive")
    parser.add_argument("--expired", action="store_true", help="only those that are over")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.set_defaults(run=run_list)


def run_add(given: argparse.Namespace) -> int:
    """Grant a waiver and say where it was written."""
    stated: dict[str, Any] = {
        "code": given.code.upper(),
        "match": read_pairs("--match", given.match, _SELECTORS),
        "owner": given.owner,
        "reason": given.reason,
        "approver": given.approver,
        "expires": given.expires,
    }
    if given.id is not None:
        stated["id"] = given.id
    waiver, path = grant(given.bundle, stated, now=datetime.now(UTC))
    print(f"{waiver.id}: {waiver.code} is waived in {_where(waiver)} until {waiver.expires}")
    print(f"  added to {path}; build the bundle and roll it out for it to hold")
    return 0


def run_list(given: argparse.Namespace) -> int:
    """Print the waivers."""
    now = datetime.now(UTC)
    waivers = sorted(
        load(find_bundle(given.bundle)).org.waivers,
        key=lambda item: (ends_at(item.expires), item.id),
    )
    if given.expired:
        waivers = [item for item in waivers if item.is_over(now)]
    if given.format == "json":
        shown = [{**entry_of(item), "expired": item.is_over(now)} for item in waivers]
        print(json.dumps(shown, indent=2))
    elif waivers:
        head = ("ID", "CODE", "WHERE", "UNTIL", "LEFT", "OWNER", "APPROVER", "REASON")
        print(columns([head, *(_row(item, now) for item in waivers)]), end="")
    else:
        print("no waivers have expired" if given.expired else "no waivers")
    return 0


def _row(waiver: Waiver, now: datetime) -> tuple[str, ...]:
    days = (ends_at(waiver.expires) - now).days
    left = "expired" if waiver.is_over(now) else f"{days} d"
    cells = (waiver.id, waiver.code, _where(waiver), waiver.expires, left)
    return tuple(plain(cell) for cell in (*cells, waiver.owner, waiver.approver, waiver.reason))


def _where(waiver: Waiver) -> str:
    stated = waiver.match.model_dump(exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in stated.items())
