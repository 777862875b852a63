"""``portreeve check PATH…``: decide plans and manifests before anything is applied."""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from service import events
from service.app import deciding, find_bundle, start_engine, use_kinds
from service.bundle.accepting import with_baseline
from service.bundle.load import load
from service.commands.accepting import add_options, read_until, write_baseline
from service.commands.beside import read_beside
from service.commands.freshness import warn_of_old_prices
from service.commands.sources import POINTS, Kind, Source, find, normalise
from service.decide.accepting import Accepted, accepted
from service.decide.digests import digest
from service.errors import RequestRefused, SettingsRefused
from service.log.entry import DecisionLog
from service.log.query import DecisionReader
from service.log.record_file import RecordFile
from service.log.sqlite import DecisionLogFile
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.decision import Cause, Decision, Outcome
from service.model.request import Request
from service.pipeline import Pipeline, Rejected
from service.report.decisions import as_json, as_lines
from service.report.text import wants_colour
from service.settings import EngineKind, Settings, read_settings

ALLOWED, DENIED, COULD_NOT_DECIDE = 0, 1, 2
_SECONDS = 60.0
_FAIL_ON = ("deny", "warn", "undetermined", "not-covered", "never")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="decide plans and manifests",
        description="Decide Terraform plans (terraform show -json), Kubernetes manifests, "
        "AdmissionReviews and requests. Exits 0 when all are allowed, 1 when one is denied, "
        "2 when one could not be decided.",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder, or - for stdin")
    parser.add_argument("--as", dest="kind", choices=[kind.value for kind in Kind])
    parser.add_argument("--bundle", help="shipped bundle, folder or archive (default: default)")
    parser.add_argument("--engine", choices=[kind.value for kind in EngineKind])
    parser.add_argument("--opa-url", help="where the OPA server answers, for --engine opa")
    parser.add_argument(
        "--scope",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="where it comes from: cluster, namespace, account, project or workspace",
    )
    add_options(parser)
    parser.add_argument(
        "--fail-on",
        action="append",
        choices=_FAIL_ON,
        help="what makes the exit code 1 (default: deny; may be given several times)",
    )
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--output", type=Path, help="write the report to a file")
    parser.add_argument(
        "--record", type=Path, help="write the records to this file instead of the local log"
    )
    parser.add_argument("--log", type=Path, help="the decision log, a SQLite file")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Decide every input, print the report, and return the exit code."""
    events.configure("warning")
    settings = read_settings(
        bundle=given.bundle, engine=given.engine, opa_url=given.opa_url, log=given.log, evaluators=1
    )
    use_kinds(settings)
    scope = _scope(given.scope)
    until = read_until(given)
    checked = asyncio.run(_check(given, settings, scope, until))
    decisions = [(item.name, item.decision) for item in checked]
    _report(given, decisions)
    if given.write_baseline is not None:
        print(_accept(given.write_baseline, checked), file=sys.stderr)
    fail_on = set(given.fail_on or ["deny"])
    return max((_code(decision, fail_on) for _, decision in decisions), default=ALLOWED)


class _Checked(NamedTuple):
    """An input, what was decided about it, and what a baseline would say of that."""

    name: str
    decision: Decision
    accepted: Accepted


async def _check(
    given: argparse.Namespace, settings: Settings, scope: Scope, until: str
) -> list[_Checked]:
    bundle = load(find_bundle(settings.bundle))
    log: DecisionLog = (
        RecordFile(given.record) if given.record else await DecisionLogFile.open(settings.log)
    )
    # Also where records go elsewhere: what is open is in the local log.
    reader = DecisionReader(settings.log)
    try:
        engine = await start_engine(settings, bundle)
        try:
            kind = Kind(given.kind) if given.kind else None
            limit = settings.plan_limit_mib * 2**20
            names = _names(given.paths)
            beside = read_beside(names, scope=scope, limit=limit)
            read = functools.partial(normalise, scope=scope, limit=limit, beside=beside)
            if given.baseline is not None:
                # Rules do not read it, so the engine may go on with what it has.
                bundle = with_baseline(bundle, given.baseline)
            async with deciding(bundle, engine, log, reader) as (pipeline, _):
                checked = []
                for name in names:
                    decision, request = await _one(pipeline, name, kind, read, limit=limit)
                    rows = Accepted([], [])
                    if given.write_baseline is not None and request is not None:
                        rows = _accepted(pipeline, decision, request, until)
                    checked.append(_Checked(name, decision, rows))
            warn_of_old_prices(bundle, [item.decision for item in checked])
            return checked
        finally:
            await engine.close()
    finally:
        await log.close()


def _names(paths: Sequence[str]) -> list[str]:
    """The inputs in the order given; a path that is not there is decided about too."""
    names: list[str] = []
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            names.append(path)
        else:
            names += [str(item) for item in find([Path(path)])]
    return names


async def _one(
    pipeline: Pipeline,
    name: str,
    kind: Kind | None,
    normalised: Callable[[Source], Request],
    *,
    limit: int,
) -> tuple[Decision, Request | None]:
    """The decision, and the request that it is about if the input could be read."""
    raw = b""
    try:
        raw = _read(name, limit)
        source = Source("stdin" if name == "-" else name, raw, digest(raw), kind)
        request = normalised(source)
    except RequestRefused as error:
        point = POINTS.get(kind, EnforcementPoint.API) if kind else EnforcementPoint.API
        rejected = Rejected(
            error=error,
            point=point,
            input_digest=digest(raw),
            caller="local",
            binding=Binding.ADVISORY,
        )
        return await pipeline.reject(rejected), None
    return await pipeline.decide(request, seconds=_SECONDS), request


def _accepted(pipeline: Pipeline, decision: Decision, request: Request, until: str) -> Accepted:
    resources = pipeline.resolve(request).resources
    return accepted(resources, decision.findings, pipeline.bundle.rulebook, until=until)


def _accept(path: Path, checked: Sequence[_Checked]) -> str:
    names = ", ".join(item.name for item in checked)
    return write_baseline(
        path,
        [row for item in checked for row in item.accepted.rows],
        [address for item in checked for address in item.accepted.unbounded],
        about=f"What breaks a rule in {names}.".replace("\n", " "),
    )


def _read(name: str, limit: int) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(limit + 1)
    path = next(find([Path(name)]))
    try:
        with path.open("rb") as stream:
            # One byte more than allowed is enough to be refused for its size.
            return stream.read(limit + 1)
    except OSError as error:
        raise RequestRefused(
            f"`{name}` cannot be read: {(error.strerror or '').lower()}",
            hint="Check the path and its permissions.",
            code="SYS-INPUT-MISSING",
        ) from error


def _scope(pairs: Sequence[str]) -> Scope:
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in Scope.model_fields:
            raise SettingsRefused(
                f"--scope is `{pair}`, and NAME=VALUE is expected",
                hint=f"Names are {', '.join(Scope.model_fields)}.",
            )
        values[name] = value
    return Scope(**values)


def _report(given: argparse.Namespace, decisions: list[tuple[str, Decision]]) -> None:
    if given.format == "json":
        text = as_json(decisions) + "\n"
    else:
        colour = given.output is None and wants_colour(sys.stdout)
        text = "".join(as_lines(item, source=name, colour=colour) for name, item in decisions)
    if given.output is None:
        sys.stdout.write(text)
    else:
        given.output.write_text(text, encoding="utf-8")


def _code(decision: Decision, fail_on: set[str]) -> int:
    if decision.cause in {Cause.ERROR, Cause.BUSY}:
        return COULD_NOT_DECIDE
    if "never" in fail_on:
        return ALLOWED
    fails = {
        "deny": decision.outcome is Outcome.DENY,
        "warn": decision.outcome is not Outcome.ALLOW,
        "undetermined": any(finding.undetermined for finding in decision.findings),
        "not-covered": bool(decision.not_covered),
    }
    return DENIED if any(fails[name] for name in fail_on) else ALLOWED
