"""`portreeve audit events` finds what became of objects, `audit show` tells it of a decision."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from records import entry, resource
from subject_events import applied, ended

from service.cli import main
from service.log.sqlite import DecisionLogFile
from service.model.subject_event import Happened, Observed

LLAMA = "Deployment/prod/llama-0"
MADE = (
    applied("before", at=-60, subject=LLAMA),
    applied("llama-0", at=5, subject=LLAMA, happened_at="2026-05-04T12:00:01Z"),
    applied("other", at=6),
    ended("llama-0", at=60, subject=LLAMA, observed=Observed.LIST),
    applied(
        "train\x1b[2J",
        at=90,
        event=Happened.FAILED,
        kind="Job",
        cluster=None,
        reason="BackoffLimitExceeded",
    ),
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "decisions.db"

    async def fill() -> None:
        opened = await DecisionLogFile.open(path)
        await opened.record(entry(decision_id="d-1", resources=(resource(),)))
        await opened.record(entry(decision_id="d-2", resources=()))
        await opened.record_events(MADE)
        await opened.close()

    asyncio.run(fill())
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["audit", *arguments]) == 0
    return capsys.readouterr().out


def test_events_are_rows_newest_first(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = said(capsys, "events", "--log", str(log)).splitlines()

    assert head.split() == ["TIME", "EVENT", "CLUSTER", "WHAT", "WHY", "NOTICED", "UID"]
    assert [row.split()[1] for row in rows] == ["failed", "ended", "applied", "applied", "applied"]
    assert "BackoffLimitExceeded" in rows[0]
    assert "\x1b" not in rows[0]


def test_filters_and_pages(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["events", "--log", str(log), "--format", "json", "--limit", "1"]
    assert main(["audit", *options, "--subject", LLAMA, "--since", "2026-05-04T12:00:00Z"]) == 0
    shown = capsys.readouterr()
    assert [event["event"] for event in json.loads(shown.out)] == ["ended"]
    cursor = shown.err.removeprefix("more: --cursor ").strip()

    older = said(capsys, *options, "--subject", LLAMA, "--event", "applied", "--cursor", cursor)
    assert [event["uid"] for event in json.loads(older)] == [MADE[1].uid]


def test_without_any_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "events", "--log", str(tmp_path / "none.db")) == "no events\n"


def test_a_decision_is_shown_with_its_sequel(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "show", "d-1", "--log", str(log)).splitlines()

    assert lines[-3:] == [
        "  afterwards:",
        "    2026-05-04T12:00:01Z  applied  Deployment prod/llama-0",
        "    before 2026-05-04T12:01:00Z  ended  Deployment prod/llama-0 (Deleted)",
    ]
    assert "afterwards" not in said(capsys, "show", "d-2", "--log", str(log))


def test_the_sequel_is_in_the_json_too(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(said(capsys, "show", "d-1", "--log", str(log), "--format", "json"))

    assert [event["event_id"] for event in shown["events"]] == [MADE[1].event_id, MADE[3].event_id]
