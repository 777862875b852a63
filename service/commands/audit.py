"""``portreeve audit query|show|events``: questions to the local decision log."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from service.errors import NotFound
from service.log.filters import EventFilter, Kind
from service.log.query import DecisionReader, Filter
from service.model.base import Binding, EnforcementPoint
from service.model.decision import Decision, Outcome
from service.model.subject_event import Happened, SubjectEvent
from service.report import subject_events
from service.report.decisions import as_lines, as_page
from service.settings import read_settings

_FILTERS = (
    "outcome",
    "code",
    "waived_by",
    "team",
    "vendor",
    "enforcement_point",
    "binding",
    "kind",
    "since",
    "until",
)
_LONGEST_SEQUEL = 50
_EVENT_FILTERS = ("event", "cluster", "namespace", "kind", "subject", "uid", "since", "until")


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
    query.add_argument("--binding", choices=[item.value for item in Binding])
    query.add_argument("--kind", choices=[item.value for item in Kind])
    show = actions.add_parser(
        "show",
        help="one decision, whole",
        description="One decision, with what it was made from and what became of its subjects.",
    )
    show.add_argument("decision_id", metavar="ID")
    events = actions.add_parser(
        "events",
        help="find what became of admitted objects, newest first",
        description="Find what became of admitted objects in a watched cluster, newest first.",
    )
    events.add_argument("--event", choices=[item.value for item in Happened])
    events.add_argument("--cluster", help="cluster of the object")
    events.add_argument("--namespace", help="namespace of the object")
    events.add_argument("--kind", help="kind of the object, such as Job")
    events.add_argument("--subject", help="subject of a decided resource")
    events.add_argument("--uid", help="uid of the object")
    for command in (query, events):
        _add_page(command)
    for command, run in ((query, run_query), (show, run_show), (events, run_events)):
        command.add_argument("--log", type=Path, help="the decision log, a SQLite file")
        command.add_argument("--format", choices=["table", "json"], default="table")
        command.set_defaults(run=run)


def _add_page(command: argparse.ArgumentParser) -> None:
    command.add_argument("--since", help="RFC 3339 time, or an age such as 90m, 24h or 7d")
    command.add_argument("--until", help="RFC 3339 time, or an age such as 90m, 24h or 7d")
    command.add_argument("--limit", type=int, default=50, help="rows at the most (default: 50)")
    command.add_argument("--cursor", help="the page after one that ended with this cursor")


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


def run_events(given: argparse.Namespace) -> int:
    """Print the subject events that meet every stated condition."""
    reader = DecisionReader(read_settings(log=given.log).log).events
    wanted = EventFilter.of(**{name: getattr(given, name) for name in _EVENT_FILTERS})
    page = reader.find(wanted, cursor=given.cursor, limit=given.limit)
    if given.format == "json":
        print(json.dumps([event.model_dump(mode="json") for event in page.events], indent=2))
    else:
        sys.stdout.write(subject_events.as_page(page.events))
    if page.next_cursor is not None:
        print(f"more: --cursor {page.next_cursor}", file=sys.stderr)
    return 0


def run_show(given: argparse.Namespace) -> int:
    """Print one decision, the request and context it was made from, and what happened then."""
    reader = DecisionReader(read_settings(log=given.log).log)
    stored = reader.get(given.decision_id)
    if stored is None:
        raise NotFound(
            f"the log holds no decision `{given.decision_id}`",
            hint="Ids are those that refusals and `portreeve audit query` show.",
        )
    sequel = _sequel(reader, stored.decision)
    if given.format == "json":
        body = {
            "decision": stored.decision.model_dump(mode="json"),
            "request": json.loads(stored.request) if stored.request else None,
            "context": json.loads(stored.context) if stored.context else None,
            "resolved_digest": stored.resolved_digest or None,
            "events": [event.model_dump(mode="json") for event in sequel],
        }
        print(json.dumps(body, indent=2))
    else:
        colour = sys.stdout.isatty()
        sys.stdout.write(as_lines(stored.decision, colour=colour))
        sys.stdout.write(subject_events.as_sequel(sequel, colour=colour))
    return 0


def _sequel(reader: DecisionReader, decision: Decision) -> tuple[SubjectEvent, ...]:
    """What became of the subjects of *decision* since it was made."""
    subjects = [resource.subject for resource in decision.resources]
    if not subjects:
        return ()
    since = datetime.fromisoformat(decision.time)
    return reader.events.about(subjects, since=since, limit=_LONGEST_SEQUEL)


def _array(decisions: tuple[Decision, ...]) -> str:
    return json.dumps([decision.model_dump(mode="json") for decision in decisions], indent=2)
