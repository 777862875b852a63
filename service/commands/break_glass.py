"""``portreeve waiver break-glass``: let something pass for a few hours, through the local log."""

from __future__ import annotations

import argparse
import asyncio
import grp
import os
import pwd
from pathlib import Path
from typing import Any

from service import events
from service.app import find_bundle
from service.break_glass import BreakGlassDesk, Opener, Wanted, read_as
from service.bundle.load import load
from service.commands.pairs import read_pairs
from service.errors import SettingsRefused
from service.log.query import DecisionReader
from service.log.sqlite import DecisionLogFile
from service.model.base import Scope
from service.model.break_glass import LOCAL, LONGEST_MINUTES
from service.model.decision import Decision
from service.pipeline import utc_now
from service.report.break_glass import as_rows, in_words
from service.settings import Settings, read_settings

_SELECTORS = tuple(Scope.model_fields)


def add(actions: Any) -> None:
    """Add the action to the parser of ``portreeve waiver``."""
    parser = actions.add_parser(
        "break-glass",
        help="let something pass for a few hours",
        description="Open break-glass with a record in the local decision log: what rules find in "
        "the stated place is waived, by every service and every check on this log, until it ends. "
        "Only for those whom `break_glass` of the organisation's bundle names.",
    )
    parser.add_argument(
        "--match",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help=f"where it holds, all of: {', '.join(_SELECTORS)}; may end in *",
    )
    parser.add_argument(
        "--code",
        action="append",
        help="a code that it waives; may be given several times (default: those of all rules)",
    )
    parser.add_argument("--reason", help="why it is needed")
    parser.add_argument("--minutes", type=int, help=f"how long, at most {LONGEST_MINUTES}")
    parser.add_argument("--actor", help="the person who orders it (default: the user)")
    parser.add_argument("--end", metavar="ID", help="end what this record opened")
    parser.add_argument("--list", action="store_true", help="show what is open")
    parser.add_argument("--bundle", help="shipped bundle, folder or archive (default: default)")
    parser.add_argument("--log", type=Path, help="the decision log, a SQLite file")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Open, end or show, and say what is open now."""
    events.configure("error")
    settings = read_settings(bundle=given.bundle, log=given.log)
    opening = bool(given.match or given.code or given.reason or given.minutes is not None)
    if opening + bool(given.end) + given.list != 1:
        raise SettingsRefused(
            "one of opening, --end and --list is expected",
            hint="To open, give --match, --reason and --minutes.",
        )
    if given.list:
        print(as_rows(DecisionReader(settings.log).break_glass(utc_now())), end="")
        return 0
    decision = asyncio.run(_order(given, settings))
    print(f"{in_words(decision)}\n  recorded in {settings.log}")
    return 0


async def _order(given: argparse.Namespace, settings: Settings) -> Decision:
    bundle, user = load(find_bundle(settings.bundle)), _user()
    actor = given.actor or user.caller.removeprefix(LOCAL)
    # Before the log is opened, which would make one where there is none.
    wanted = None if given.end else _wanted(given, actor)
    log = await DecisionLogFile.open(settings.log)
    try:
        desk = BreakGlassDesk(bundle, log, DecisionReader(settings.log))
        if wanted is None:
            return await desk.end(given.end, user, actor=actor)
        return await desk.open(wanted, user)
    finally:
        await log.close()


def _wanted(given: argparse.Namespace, actor: str) -> Wanted:
    stated = {
        "match": read_pairs("--match", given.match, _SELECTORS),
        "codes": [code.upper() for code in given.code] if given.code else None,
        "reason": given.reason,
        "minutes": given.minutes,
        "actor": actor,
    }
    for name in ("match", "reason", "minutes"):
        if not stated[name]:
            raise SettingsRefused(
                f"--{name} is missing", hint="To open, give --match, --reason and --minutes."
            )
    return read_as(Wanted, stated)


def _user() -> Opener:
    """The user of this process as the system knows it, whatever the environment says."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    groups = {group for id_ in {os.getgid(), *os.getgroups()} if (group := _group(id_))}
    return Opener(LOCAL + name, tuple(sorted(LOCAL + group for group in groups)))


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
