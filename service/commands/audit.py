"""``portreeve audit query|show``: questions to the local decision log."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from service.errors import NotFound
from service.log.filters import Kind
from service.log.query import DecisionReader, Filter
from service.model.base import EnforcementPoint
from service.model.decision import Decision, Outcome
from service.report.decisions import as_lines, as_page
from service.settings import read_settings

_FILTERS = (
    "outcome",
    "code",
    "waived_by",
    "team",
    "vendor",
    "enforcement_point",
    "kind",
    "since",
    "until",
)


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("audit", help="ask the decision log")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    query = actions.add_parser(
        "query", help="find decisions, newest first", description="Find decisions, newest first."
    )
    query.add_argument("--outcome", choices=[item.value for item in Outcome])
    query.add_argument("--code", help="code of a finding, such as GPU-002")
    query.add_argument("--waived-by", metavar="ID", help="waiver or break-glass of a finding")
    query.add_argument("--team", help="team of a resource")
    query.add_argument("--vendor", help="vendor of a resource")
    query.add_argument("--enforcement-point", choices=[item.value for item in EnforcementPoint])
    query.add_argument("--kind", choices=[item.value for item in Kind])
    query.add_argument("--since", help="RFC 3339 time, or an age such as 90m, 24h or 7d")
    query.add_argument("--until", help="RFC 3339 time, or an age such as 90m, 24h or 7d")
    query.add_argument("--limit", type=int, default=50, help="rows at the most (default: 50)")
    query.add_argument("--cursor", help="the page after one that ended with this cursor")
    show = actions.add_parser(
        "show", help="one decision, whole", description="One decision, with what it was made from."
    )
    show.add_argument("decision_id", metavar="ID")
    for command, run in ((query, run_query), (show, run_show)):
        command.add_argument("--log", type=Path, help="the decision log, a SQLite file")
        command.add_argument("--format", choices=["table", "json"], default="table")
        command.set_defaults(run=run)


def run_query(given: argparse.Namespace) -> int:
    """Print the decisions that meet every stated condition."""
    reader = DecisionReader(read_settings(log=given.log).log)
    wanted = Filter.of(**{name: getattr(given, name) for name in _FILTERS})
    page = reader.find(wanted, cursor=given.cursor, limit=given.limit)
    if given.format == "json":
        print(_array(page.decisions))
    else:
        sys.stdout.write(as_page(page.decisions))
    if page.next_cursor is not None:
        print(f"more: --cursor {page.next_cursor}", file=sys.stderr)
    return 0


def run_show(given: argparse.Namespace) -> int:
    """Print one decision with the request and context it was made from."""
    reader = DecisionReader(read_settings(log=given.log).log)
    stored = reader.get(given.decision_id)
    if stored is None:
        raise NotFound(
            f"the log holds no decision `{given.decision_id}`",
            hint="Ids are those that refusals and `portreeve audit query` show.",
        )
    if given.format == "json":
        body = {
            "decision": stored.decision.model_dump(mode="json"),
            "request": json.loads(stored.request) if stored.request else None,
            "context": json.loads(stored.context) if stored.context else None,
            "resolved_digest": stored.resolved_digest or None,
        }
        print(json.dumps(body, indent=2))
    else:
        sys.stdout.write(as_lines(stored.decision, colour=sys.stdout.isatty()))
    return 0


def _array(decisions: tuple[Decision, ...]) -> str:
    return json.dumps([decision.model_dump(mode="json") for decision in decisions], indent=2)
