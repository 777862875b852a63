"""Everything that was found is decided once, recorded as a scan, and summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.kinds import in_use
from service.bundle.accepting import with_baseline
from service.bundle.baseline import as_text
from service.bundle.load import load
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.errors import EngineUnavailable, LogUnavailable
from service.log.entry import Entry
from service.model.base import Binding, Role
from service.model.decision import Decision, Outcome
from service.model.finding import Finding
from service.model.request import Request
from service.pipeline import Pipeline
from service.report.scan import Survey
from service.report.scan_text import as_markdown, as_table
from service.scan.asking import Asking
from service.scan.journal import Header, Journal
from service.scan.reading import read_cluster
from service.scan.survey import survey_of
from service.scan.sweep import sweep

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class _Engine:
    """Finds fault with whatever takes one L4, and with all that has no region."""

    name = "double"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails_at = ""

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        assert seconds > 0
        assert document
        [resource] = request.resources
        self.asked.append(resource.address)
        if self.fails_at and self.fails_at in resource.address:
            raise EngineUnavailable("there is no engine")
        found = [Finding(code="RES-001", resource=resource.address, undetermined=("/region",))]
        if resource.address.endswith("llama-70b"):
            facts = {"asked": 1}
            found.append(Finding(code="GPU-001", resource=resource.address, facts=facts))
        return tuple(found)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


class _Log:
    """Keeps entries, until it is full."""

    def __init__(self, most: int = 1000) -> None:
        self.entries: list[Entry] = []
        self._most = most

    async def record(self, entry: Entry) -> Decision:
        if len(self.entries) >= self._most:
            raise LogUnavailable("the disk is full")
        self.entries.append(entry)
        return entry.decision

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The example organisation, which knows no team for a cluster as a whole."""
    whole = load(shipped("example"))
    scopes = tuple(
        scope if scope.match.namespace else scope.model_copy(update={"team": None})
        for scope in whole.org.scopes
    )
    return replace(whole, org=whole.org.model_copy(update={"scopes": scopes}))


Run = Callable[..., Any]


@pytest.fixture
def run(recorded: Any, bundle: Bundle) -> Run:
    """Scans the recorded cluster; returns the survey."""

    async def scan(
        engine: _Engine, log: _Log, *, path: Path | None = None, judging: Bundle = bundle
    ) -> Survey:
        found = read_cluster(recorded, in_use(), progress=lambda *_: None)
        asking = Asking(found, "prod-eu", in_use(), is_watched=True)
        questions = list(asking.questions())
        header = Header(
            cluster="prod-eu",
            bundle=judging.ref.digest,
            is_watched=True,
            until="2126-12-31",
            begun=NOW,
        )
        journal = Journal.open(path, header)
        pipeline = Pipeline(judging, engine, log)
        told: list[int] = []
        try:
            objects = await sweep(questions, pipeline, journal, journal.until, told.append)
        finally:
            journal.close(is_done=False)
        assert told == list(range(1, len(questions) + 1))
        return survey_of(found, asking.left_out, objects, judging, cluster="prod-eu")

    return scan


async def test_everything_is_decided_and_recorded_as_a_scan(run: Run) -> None:
    engine, log = _Engine(), _Log()

    survey = await run(engine, log)

    assert len(survey.objects) == len(log.entries) == len(engine.asked) == 8
    assert {entry.decision.binding for entry in log.entries} == {Binding.SCAN}
    assert {entry.unique for entry in log.entries} == {False}
    [refused] = survey.with_outcome(Outcome.DENY)
    assert (refused.address, refused.accelerators) == ("Deployment language-serving/llama-70b", 1)
    assert [row.codes for row in refused.accepted] == [("GPU-001", "RES-001")]
    unbounded = {item.name for item in survey.objects if item.unbounded}
    assert unbounded == set()


async def test_owners_and_costs_are_those_of_what_takes_something_itself(run: Run) -> None:
    survey = await run(_Engine(), _Log())

    assert {item.name for item in survey.unowned} == {"notebook"}
    costs = {row.team: row for row in survey.costs}
    assert {row.role for row in survey.costs} == {Role.WORKLOAD}
    # One, four, and eight of a pod that is nobody's child; not the autoscaler's twelve.
    assert (costs["language"].accelerators, costs["language"].objects) == (13, 3)
    assert (costs["vision"].accelerators, costs["vision"].uncounted) == (4, 1)
    assert costs[None].accelerators == 1
    [h100, l4] = survey.idle
    assert (h100.model, h100.idle, h100.idle_nodes) == ("nvidia-h100-sxm", 8, 1)
    assert (l4.model, l4.offered, l4.asked) == ("nvidia-l4", 4, 1)


async def test_a_scan_goes_on_where_it_was_interrupted(run: Run, tmp_path: Path) -> None:
    path, engine = tmp_path / "scan.jsonl", _Engine()
    first, second = _Log(most=3), _Log()

    with pytest.raises(LogUnavailable):
        await run(engine, first, path=path)
    survey = await run(engine, second, path=path)
    again = await run(_Engine(), _Log(), path=path)

    keys = [entry.decision.key for entry in (*first.entries, *second.entries)]
    assert len(keys) == len(set(keys)) == len(survey.objects) == 8
    assert [item.decision_id for item in again.objects] == [
        item.decision_id for item in survey.objects
    ]


async def test_what_could_not_be_decided_is_told_and_tried_again(run: Run, tmp_path: Path) -> None:
    engine, path = _Engine(), tmp_path / "scan.jsonl"
    engine.fails_at = "notebook"

    survey = await run(engine, _Log(), path=path)
    engine.fails_at = ""
    again = await run(engine, _Log(), path=path)

    assert [item.name for item in survey.failed] == ["notebook"]
    assert survey.failed[0].accepted == ()
    assert "Not decided" in as_table(survey)
    assert again.failed == []


async def test_an_object_that_cannot_be_read_is_recorded_as_rejected(
    run: Run, recorded: Any
) -> None:
    page = recorded.pages["/apis/apps/v1/deployments"][-1]
    page.items[-1]["metadata"]["name"] = "odd"
    page.items[-1]["spec"]["template"]["spec"]["containers"] = "nvidia.com/gpu"
    log = _Log()

    survey = await run(_Engine(), log)

    assert [item.address for item in survey.failed] == ["Deployment language-serving/odd"]
    assert [entry.decision.kind for entry in log.entries].count("rejected") == 1


async def test_what_is_accepted_is_kept_observed_by_the_next_scan(
    run: Run, bundle: Bundle, tmp_path: Path
) -> None:
    before = await run(_Engine(), _Log())
    file = tmp_path / "baseline.yaml"
    file.write_text(as_text([row for item in before.objects for row in item.accepted]))

    after = await run(_Engine(), _Log(), judging=with_baseline(bundle, file))

    assert after.with_outcome(Outcome.DENY) == []
    assert after.with_outcome(Outcome.WARN) == []
    assert "Deployment language-serving/llama-70b" in {item.address for item in after.kept}
    # What is written again is what was accepted, for no longer.
    rows = {row for item in after.objects for row in item.accepted}
    assert rows == {row for item in before.objects for row in item.accepted}


async def test_the_report_says_what_a_person_asks(run: Run, recorded: Any) -> None:
    [page, *_] = recorded.pages["/apis/batch/v1/jobs"]
    for item in page.items:
        item["metadata"]["name"] = "a|b\x1b[31m<i>"
    survey = await run(_Engine(), _Log())

    table = as_table(survey)
    assert table.startswith(
        "prod-eu: 8 objects that take accelerators or nodes\n1 would be refused"
    )
    assert "refused  Deployment language-serving/llama-70b  1 x nvidia-l4" in table
    assert "Idle accelerators\n  ACCELERATOR" in table
    assert "Without a team\n  OBJECT" in table
    assert "\x1b" not in table
    assert "\x1b[31mrefused" in as_table(survey, colour=True)

    page_text = as_markdown(survey)
    assert page_text.startswith("# prod-eu: 8 objects")
    assert (
        "## Refused today\n\n| Object | Takes | Code | Why |\n| --- | --- | --- | --- |"
        in page_text
    )
    assert r"a\|b\[31m\<i\>" in page_text
    assert "\x1b" not in page_text
    assert Survey.model_validate_json(survey.model_dump_json()) == survey


async def test_nodes_that_are_added_end_no_baseline(
    run: Run, recorded: Any, bundle: Bundle, tmp_path: Path
) -> None:
    pages = recorded.pages["/api/v1/nodes"]
    recorded.pages["/api/v1/nodes"] = [
        each._replace(items=[item for item in each.items if "l4" not in item["metadata"]["name"]])
        for each in pages
    ]
    before = await run(_Engine(), _Log())
    file = tmp_path / "baseline.yaml"
    file.write_text(as_text([row for item in before.objects for row in item.accepted]))
    recorded.pages["/api/v1/nodes"] = pages

    after = await run(_Engine(), _Log(), judging=with_baseline(bundle, file))

    def models(survey: Survey) -> set[str | None]:
        [job] = [item for item in survey.objects if item.name == "running"]
        assert job.resource is not None
        assert job.resource.accelerators is not None
        return {item.model for item in job.resource.accelerators}

    assert (models(before), models(after)) == ({"nvidia-h100-sxm"}, {None})
    assert "Job vision-cameras/running" in {item.address for item in after.kept}
