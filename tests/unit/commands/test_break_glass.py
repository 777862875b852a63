"""`portreeve waiver break-glass` opens, shows and ends through the local log."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

import pytest

from service import events
from service.cli import main
from service.commands import break_glass

USER = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later tests need a service log that is not this test's output."""
    monkeypatch.setattr(events, "configure", lambda _: None)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "state" / "decisions.db"


def _named(project: Path, who: str) -> None:
    (project / "org" / "break_glass.yaml").write_text(f"break_glass:\n  {who}\n  minutes: 60\n")


def _run(project: Path, log: Path, *options: str) -> int:
    return main(["waiver", "break-glass", "--bundle", str(project), "--log", str(log), *options])


def _open(project: Path, log: Path, *options: str) -> int:
    stated = ("--match", "cluster=prod-eu", "--reason", "an outage", "--minutes", "30")
    return _run(project, log, *stated, *options)


def _id(said: str) -> str:
    found = re.search(r"break-glass (\S+) for", said)
    assert found, said
    return found[1]


def test_opened_shown_and_ended(
    project: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _named(project, f'callers: ["local:{USER}"]')
    assert _open(project, log, "--code", "gpu-901", "--actor", "ada") == 0
    said = capsys.readouterr().out
    id_ = _id(said)
    assert f"for GPU-901 in cluster prod-eu opened by ada (local:{USER}) until " in said
    assert f"recorded in {log}" in said

    assert _run(project, log, "--list") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "WHERE", "CODES", "UNTIL", "ACTOR", "CALLER", "REASON"]
    assert row.startswith(id_)
    assert row.endswith("an outage")

    assert main(["audit", "show", id_, "--log", str(log)]) == 0
    shown = capsys.readouterr().out
    assert "reason: an outage" in shown
    assert f"decision {id_}" in shown
    assert main(["audit", "query", "--kind", "break_glass", "--log", str(log)]) == 0
    assert "break-glass open: cluster prod-eu  GPU-901" in capsys.readouterr().out

    assert _run(project, log, "--end", id_) == 0
    assert f"ended by {USER} (local:{USER})" in capsys.readouterr().out
    assert _run(project, log, "--list") == 0
    assert capsys.readouterr().out == "nothing is open\n"
    assert _run(project, log, "--end", id_) == 2


def test_a_group_of_the_system_is_enough(
    project: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group = break_glass._user().groups[0]
    assert group.startswith("local:")
    _named(project, f'groups: ["{group}"]')

    assert _open(project, log) == 0
    assert "for all codes in cluster prod-eu" in capsys.readouterr().out


def test_the_environment_says_nothing_about_the_user(
    project: Path,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "oncall")
    _named(project, 'callers: ["local:oncall", "oncall"]')

    assert _open(project, log) == 2
    assert f"SYS-AUTH-BREAK-GLASS: `local:{USER}` may not" in capsys.readouterr().err


def test_a_user_and_groups_without_names_go_by_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr("grp.getgrgid", nobody)

    user = break_glass._user()
    assert user.caller == f"local:{os.getuid()}"
    assert f"local:{os.getgid()}" in user.groups


def test_it_is_off_by_default(project: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _open(project, log) == 2
    assert "break-glass is off" in capsys.readouterr().err
    assert _run(project, log, "--list") == 0
    assert "nothing is open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "one of opening, --end and --list is expected"),
        (("--list", "--end", "x"), "one of opening, --end and --list is expected"),
        (("--end", "x", "--minutes", "5"), "one of opening, --end and --list is expected"),
        (("--match", "cluster=a", "--minutes", "5"), "--reason is missing"),
        (("--match", "cluster=a", "--reason", "x"), "--minutes is missing"),
        (("--reason", "x", "--minutes", "5"), "--match is missing"),
        (("--match", "team=a", "--reason", "x", "--minutes", "5"), "--match is `team=a`"),
        (("--match", "cluster=*", "--reason", "x", "--minutes", "5"), "selects every place"),
        (("--match", "cluster=a", "--reason", "x", "--minutes", "500"), "`/minutes`"),
    ],
)
def test_what_is_not_whole_is_refused_and_leaves_no_log(
    project: Path,
    log: Path,
    options: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _named(project, f'callers: ["local:{USER}"]')

    assert _run(project, log, *options) == 2
    assert said in capsys.readouterr().err
    assert not log.exists()
