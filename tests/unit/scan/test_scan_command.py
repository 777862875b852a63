"""The command, as a terminal and a pipeline use it."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from toy_project import write_project

from service import cli
from service.cluster.client import Client
from service.commands.progress import Progress
from service.commands.scan import _kubeconfig
from service.errors import ClusterUnavailable
from service.log.query import DecisionReader, Filter
from service.model.base import Binding

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def scan(recorded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the command on the recorded cluster, with a bundle whose rule allows no accelerator."""
    bundle = write_project(tmp_path)
    (bundle / "org" / "organisation.yaml").write_text("name: Toy\nposture: enforce\n")
    (bundle / "org" / "limits.yaml").write_text(
        "limits: { accelerators_per_resource: { default: 3 } }\n"
    )
    # The toy rule knows no numbers that are not known.
    recorded.kinds = [one for one in recorded.kinds if one.kind != "DaemonSet"]
    recorded.close = lambda: None
    monkeypatch.setattr(Client, "connect", lambda *_, **__: recorded)

    def run(*options: str) -> int:
        where = ("--cluster", "prod-eu", "--bundle", str(bundle))
        return cli.main(["scan", *where, "--log", str(tmp_path / "scan.db"), *options])

    return run


def test_it_reports_and_records(scan: Any, capsys: Any, tmp_path: Path) -> None:
    assert scan() == 0

    shown = capsys.readouterr()
    assert "refused  Deployment language-serving/llama-large  4 x " in shown.out
    assert shown.err == ""
    reader = DecisionReader(tmp_path / "scan.db")
    assert len(reader.find(Filter(binding=Binding.SCAN)).decisions) == 7


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("deny", 1), ("warn", 1)])
def test_a_pipeline_may_fail_for_what_is_found(scan: Any, fail_on: str, code: int) -> None:
    assert scan("--fail-on", fail_on) == code


def test_what_is_not_read_makes_it_incomplete(scan: Any, recorded: Any, capsys: Any) -> None:
    def fails(path: str, token: str) -> None:
        if path.endswith("/jobs"):
            raise ClusterUnavailable(f"jobs is forbidden{token}", answered=403)

    recorded.fails = fails
    assert scan("--format", "markdown", "--fail-on", "deny") == 2
    assert "| jobs.batch | jobs is forbidden |" in capsys.readouterr().out


def test_a_baseline_is_written_once_and_names_what_it_cannot_hold(
    scan: Any, capsys: Any, tmp_path: Path
) -> None:
    file, day = tmp_path / "baseline.yaml", datetime.now(UTC).date() + timedelta(days=90)

    assert scan("--unwatched", "--write-baseline", str(file)) == 0

    text = file.read_text()
    assert "  - subject: prod-eu/language-serving/Deployment/llama-large\n" in text
    assert f"until: {day}\n" in text
    assert "# Not accepted, because it is not known how much they take:\n" in text
    assert "#   HorizontalPodAutoscaler language-serving/llama-large\n" in text
    assert f"{file}: " in capsys.readouterr().err
    assert scan("--write-baseline", str(file)) == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_text() == text

    assert scan("--unwatched", "--baseline", str(file), "--format", "json") == 0
    survey = json.loads(capsys.readouterr().out)
    outcomes = {item["address"]: item["outcome"] for item in survey["objects"]}
    assert outcomes["Deployment language-serving/llama-large"] == "allow"


@pytest.mark.parametrize(
    ("day", "said"), [("soon", "`--until` is `soon`"), ("2020-01-01", "which is over")]
)
def test_a_baseline_ends_on_a_day_to_come(scan: Any, capsys: Any, day: str, said: str) -> None:
    assert scan("--until", day) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told_of(scan: Any, capsys: Any, tmp_path: Path) -> None:
    assert scan("--write-baseline", str(tmp_path / "none" / "baseline.yaml")) == 2
    assert "cannot be written: no such file" in capsys.readouterr().err


def test_who_is_interrupted_is_told_how_to_go_on(
    scan: Any, recorded: Any, capsys: Any, tmp_path: Path
) -> None:
    state = tmp_path / "state.jsonl"
    state.write_text("")

    def fails(path: str, token: str) -> None:
        raise ClusterUnavailable(f"no answer from {path}{token}", answered=401)

    recorded.fails = fails
    assert scan("--resume", str(state)) == 2
    assert f"run the same command again to go on with `{state}`" in capsys.readouterr().err


def test_records_may_go_to_a_file(scan: Any, tmp_path: Path) -> None:
    records, report = tmp_path / "records.jsonl", tmp_path / "report.txt"

    assert scan("--record", str(records), "--output", str(report)) == 0

    assert len(records.read_text().splitlines()) == 7
    assert report.read_text().startswith("prod-eu: 7 objects")
    assert not (tmp_path / "scan.db").exists()


def test_the_cluster_is_the_one_that_kubectl_would_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert _kubeconfig(None) == "/home/ada/.kube/config"
    monkeypatch.setenv("KUBECONFIG", "/a:/b")
    assert _kubeconfig(None) == "/a:/b"
    assert _kubeconfig("in-cluster") == "in-cluster"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_of_a_terminal_that_goes_away() -> None:
    stream = _Terminal()
    progress = Progress(stream)

    progress.read("pods", 500, 1200)
    progress.begin(10, 4)
    progress.decided(10)
    progress.say("done")

    shown = stream.getvalue()
    assert "\r\x1b[2Kreading pods: 500 of 1,200" in shown
    assert "portreeve: going on with a scan, decided before: 4\n" in shown
    assert f"deciding [{'#' * 24}] 10 of 10" in shown
    assert shown.endswith("\r\x1b[2Kportreeve: done\n")


def test_progress_says_nothing_but_what_stays_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    progress = Progress(stream)

    progress.read("pods", 500, None)
    progress.begin(10, 0)
    progress.decided(10)
    progress.written(3)
    progress.clear()

    assert stream.getvalue() == ""


def test_progress_is_not_shown_more_often_than_anybody_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([10.0, 10.01, 10.2])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    stream = _Terminal()
    progress = Progress(stream)

    for count in (1, 2, 3):
        progress.written(count)

    assert stream.getvalue() == "\r\x1b[2Kwriting reports: 1\r\x1b[2Kwriting reports: 3"
