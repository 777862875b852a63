"""``portreeve scan``: what runs in a cluster that would be refused today, is idle or unowned."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from adapters.kubernetes.kinds import in_use
from service import events
from service.app import deciding, find_bundle, start_engine, use_kinds
from service.bundle.accepting import with_baseline
from service.bundle.load import load
from service.bundle.values import Bundle
from service.commands.accepting import add_options, read_until, write_baseline
from service.commands.freshness import warn_of_old_prices
from service.commands.progress import Progress
from service.errors import GovernanceError
from service.log.entry import DecisionLog
from service.log.query import DecisionReader
from service.log.record_file import RecordFile
from service.log.sqlite import DecisionLogFile
from service.model.decision import Outcome
from service.report.scan import Survey
from service.report.scan_text import as_markdown, as_table
from service.report.text import wants_colour
from service.scan.asking import Asking
from service.scan.journal import Header, Journal
from service.scan.policy_reports import served_form, write_reports
from service.scan.reading import Found, read_cluster
from service.scan.survey import survey_of
from service.scan.sweep import sweep
from service.settings import EngineKind, Settings, read_settings

DONE, FOUND, COULD_NOT_DECIDE = 0, 1, 2
_FAIL_ON = ("deny", "warn", "never")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "scan",
        help="decide what runs in a cluster already",
        description="Decide what runs in a Kubernetes cluster already, as its webhook would if it "
        "were made today, and report what would be refused, what is idle or has no team, and what "
        "teams cost. Nothing is changed. Records go into the decision log with the binding `scan`. "
        "Exits 0 when the scan is complete, 2 when something could not be read or decided. See "
        "docs/kubernetes-scan.md.",
    )
    parser.add_argument(
        "--cluster", required=True, metavar="NAME", help="what decisions call it, as its webhook"
    )
    parser.add_argument(
        "--kubeconfig",
        metavar="PATH",
        help="a kubeconfig, or `in-cluster` (default: $KUBECONFIG, else ~/.kube/config)",
    )
    parser.add_argument("--context", help="a context of the kubeconfig (default: its current one)")
    parser.add_argument("--bundle", help="shipped bundle, folder or archive (default: default)")
    parser.add_argument("--engine", choices=[kind.value for kind in EngineKind])
    parser.add_argument("--opa-url", help="where the OPA server answers, for --engine opa")
    parser.add_argument(
        "--unwatched",
        action="store_true",
        help="decide as a service does that does not watch the cluster",
    )
    add_options(parser)
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="keep what was decided in this file until the scan is complete, and go on with it",
    )
    parser.add_argument(
        "--policy-reports",
        action="store_true",
        help="write the findings into the cluster (OpenReports, else PolicyReports)",
    )
    parser.add_argument("--fail-on", choices=_FAIL_ON, default="never", help="exit with 1 for it")
    parser.add_argument("--format", choices=["table", "json", "markdown"], default="table")
    parser.add_argument("--output", type=Path, help="write the report to a file")
    parser.add_argument(
        "--record", type=Path, help="write the records to this file instead of the local log"
    )
    parser.add_argument("--log", type=Path, help="the decision log, a SQLite file")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Scan, print the report, and return the exit code."""
    events.configure("warning")
    settings = read_settings(
        bundle=given.bundle, engine=given.engine, opa_url=given.opa_url, log=given.log
    )
    use_kinds(settings)
    now = datetime.now(UTC)
    until = read_until(given)
    # The official client takes half a second and 28 MiB, which other commands need not have.
    from service.cluster.client import Client  # noqa: PLC0415

    client = Client.connect(_kubeconfig(given.kubeconfig), context=given.context)
    progress = Progress(sys.stderr)
    try:
        with _going_on(given.resume, progress):
            if given.policy_reports:
                served_form(client)
            bundle = load(find_bundle(settings.bundle))
            found = read_cluster(client, in_use(), progress=progress.read)
            survey = asyncio.run(_scan(_Scan(given, settings, bundle, found, until, now), progress))
        if given.policy_reports:
            written = write_reports(client, survey, progress=progress.written)
            progress.say(
                f"{written.reports} reports of {written.api_version} written, "
                f"{written.removed} removed"
            )
    finally:
        progress.clear()
        client.close()
    _report(given, survey)
    if given.write_baseline is not None:
        progress.say(_accept(given.write_baseline, survey))
    return _code(survey, given.fail_on)


class _Scan(NamedTuple):
    given: argparse.Namespace
    settings: Settings
    bundle: Bundle
    found: Found
    until: str
    now: datetime


async def _scan(scan: _Scan, progress: Progress) -> Survey:
    given, settings, bundle = scan.given, scan.settings, scan.bundle
    judging = with_baseline(bundle, given.baseline) if given.baseline is not None else bundle
    header = Header(
        cluster=given.cluster,
        bundle=judging.ref.digest,
        is_watched=not given.unwatched,
        until=scan.until,
        begun=scan.now,
    )
    asking = Asking(scan.found, given.cluster, in_use(), is_watched=not given.unwatched)
    questions = list(asking.questions())
    journal = Journal.open(given.resume, header)
    is_done = False
    try:
        log: DecisionLog = (
            RecordFile(given.record) if given.record else await DecisionLogFile.open(settings.log)
        )
        try:
            # Rules do not read the baseline, so the engine may have the bundle as it is.
            engine = await start_engine(settings, bundle)
            try:
                reader = DecisionReader(settings.log)
                async with deciding(judging, engine, log, reader) as (pipeline, _):
                    progress.begin(len(questions), len(journal))
                    objects = await sweep(
                        questions, pipeline, journal, journal.until, progress.decided
                    )
            finally:
                await engine.close()
        finally:
            await log.close()
        is_done = True
    finally:
        journal.close(is_done=is_done)
    warn_of_old_prices(bundle, objects)
    return survey_of(scan.found, asking.left_out, objects, judging, cluster=given.cluster)


@contextmanager
def _going_on(resume: Path | None, progress: Progress) -> Iterator[None]:
    """Say how to go on with a scan that did not come to its end."""
    try:
        yield
    except (GovernanceError, KeyboardInterrupt):
        if resume is not None and resume.exists():
            progress.say(f"interrupted; run the same command again to go on with `{resume}`")
        raise


def _kubeconfig(stated: str | None) -> str:
    if stated:
        return stated
    named = os.environ.get("KUBECONFIG", "")
    return named or str(Path.home() / ".kube" / "config")


def _report(given: argparse.Namespace, survey: Survey) -> None:
    if given.format == "json":
        text = survey.model_dump_json(indent=2) + "\n"
    elif given.format == "markdown":
        text = as_markdown(survey)
    else:
        colour = given.output is None and wants_colour(sys.stdout)
        text = as_table(survey, colour=colour)
    if given.output is None:
        sys.stdout.write(text)
    else:
        given.output.write_text(text, encoding="utf-8")


def _accept(path: Path, survey: Survey) -> str:
    when, bundle = survey.time, f"{survey.bundle.name} {survey.bundle.revision}"
    return write_baseline(
        path,
        [row for item in survey.objects for row in item.accepted],
        [item.address for item in survey.objects if item.unbounded],
        about=f"What ran in `{survey.cluster}` at {when} and breaks a rule of bundle {bundle}.",
    )


def _code(survey: Survey, fail_on: str) -> int:
    if survey.not_read or survey.failed:
        return COULD_NOT_DECIDE
    fails = {
        "deny": bool(survey.with_outcome(Outcome.DENY)),
        "warn": any(item.outcome is not Outcome.ALLOW for item in survey.objects),
        "never": False,
    }
    return FOUND if fails[fail_on] else DONE
