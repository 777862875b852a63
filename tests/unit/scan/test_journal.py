"""A scan that was interrupted goes on where it was, and only there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.errors import SettingsRefused
from service.model.decision import Cause, Outcome
from service.report.scan import Scanned
from service.scan.journal import Header, Journal, digest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def header(**fields: Any) -> Header:
    stated = {
        "cluster": "prod-eu",
        "bundle": "sha256:00",
        "is_watched": True,
        "until": "2026-12-31",
        "begun": NOW,
    }
    return Header.model_validate({**stated, **fields})


def scanned(name: str = "a") -> Scanned:
    return Scanned(
        api_version="apps/v1",
        kind="Deployment",
        namespace="n",
        name=name,
        uid="u",
        address=f"Deployment n/{name}",
        decision_id="1",
        outcome=Outcome.ALLOW,
        cause=Cause.NONE,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.jsonl"


def test_what_was_decided_is_known_when_it_goes_on(path: Path) -> None:
    journal = Journal.open(path, header())
    journal.add("1", scanned())
    # Killed here: nothing is closed. And what was being written is cut off.
    with path.open("a") as file:
        file.write('{"digest": "2", "sca')

    again = Journal.open(path, header(until="2027-01-31", begun=NOW + timedelta(hours=1)))
    again.add("3", scanned("b"))
    last = Journal.open(path, header())
    for each in (journal, again, last):
        each.close(is_done=False)

    assert len(journal) == 0
    assert (len(again), again.find("1"), again.find("2")) == (1, scanned(), None)
    assert again.until == "2026-12-31"
    assert last.find("3") == scanned("b")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_scan_that_is_done_leaves_nothing(path: Path) -> None:
    journal = Journal.open(path, header())
    journal.close(is_done=False)
    assert path.exists()

    Journal.open(path, header()).close(is_done=True)
    assert not path.exists()


def test_a_scan_of_the_day_before_yesterday_is_begun_anew(path: Path) -> None:
    old = Journal.open(path, header(begun=NOW - timedelta(days=2)))
    old.add("1", scanned())
    old.close(is_done=False)

    journal = Journal.open(path, header())
    journal.close(is_done=False)

    assert len(journal) == 0
    assert len(path.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cluster": "dev"}, "another cluster"),
        ({"bundle": "sha256:01"}, "another bundle or baseline"),
        ({"is_watched": False}, "another use of --unwatched"),
    ],
)
def test_another_scan_is_not_gone_on_with(path: Path, fields: dict[str, Any], said: str) -> None:
    Journal.open(path, header()).close(is_done=False)

    with pytest.raises(SettingsRefused, match=said):
        Journal.open(path, header(**fields))


def test_what_is_no_journal_is_left_alone(path: Path, tmp_path: Path) -> None:
    path.write_text("precious\n")

    with pytest.raises(SettingsRefused, match="no file that a scan wrote"):
        Journal.open(path, header())
    with pytest.raises(SettingsRefused, match="cannot be used"):
        Journal.open(tmp_path, header())

    assert path.read_text() == "precious\n"


def test_without_a_file_nothing_is_kept() -> None:
    journal = Journal.open(None, header())
    journal.add("1", scanned())
    journal.close(is_done=True)

    assert journal.find("1") is None


def test_an_object_is_known_by_what_it_asks_for_and_not_by_its_version() -> None:
    assert digest(b'1 {"spec":1}', "u") == digest(b'2 {"spec":1}', "u")
    assert digest(b'1 {"spec":1}', "u") != digest(b'1 {"spec":2}', "u")
    assert digest(b'1 {"spec":1}', "u") != digest(b'1 {"spec":1}', "v")
