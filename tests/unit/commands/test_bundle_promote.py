"""`portreeve bundle promote` says what changes and appends the rule that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.cli import main
from service.model.finding import Mode

MODES = """\
# Modes are reviewed by the platform team.
modes:
  # Nobody is stopped while trying something.
  - domain: gpu
    environment: development
    mode: warn
  - code: GPU-901
    mode: warn # until March
# The end.
"""


@pytest.fixture
def modes(project: Path) -> Path:
    path = project / "org" / "rules.yaml"
    path.write_text(MODES)
    return path


def promote(project: Path, *options: str) -> int:
    return main(["bundle", "promote", "--bundle", str(project), *options])


def test_a_code_is_promoted_in_one_place(
    project: Path, modes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = promote(
        project, "gpu-901", "--to", "enforce", "--scope", "cluster=prod-*", "team=vision"
    )

    assert code == 0
    assert capsys.readouterr().out == (
        "GPU-901 in team `vision`, cluster `prod-*`: warn -> enforce\n"
        "  warn so far by the mode rule for code `GPU-901`\n"
        f"  added to {modes}; build the bundle and roll it out for it to hold\n"
    )
    assert modes.read_text() == MODES.replace(
        "# until March\n",
        "# until March\n"
        "  - code: GPU-901\n    team: vision\n    cluster: prod-*\n    mode: enforce\n".replace(
            "prod-*", '"prod-*"'
        ),
    )
    assert build(project).org.modes[-1].mode is Mode.ENFORCE


def test_more_specific_rules_are_said_to_stay(
    project: Path, modes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert modes.exists()
    assert promote(project, "GPU-901", "--to", "enforce") == 0

    assert (
        "  stays warn for domain `gpu`, environment `development`, which is more specific\n"
        in capsys.readouterr().out
    )


def test_nothing_is_written_where_nothing_changes(
    project: Path, modes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promote(project, "GPU-901", "--to", "warn") == 0
    assert promote(project, "GPU-901", "--to", "observe", "--dry-run") == 0

    said = capsys.readouterr().out
    assert "GPU-901 everywhere: warn -> warn\n" in said
    assert "  nothing to do\n" in said
    assert "GPU-901 everywhere: warn -> observe\n" in said
    assert "  nothing was written (--dry-run)\n" in said
    assert modes.read_text() == MODES


def test_a_rule_without_any_mode_rule_has_its_own(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promote(project, "COV-001", "--to", "enforce", "--scope", "workspace=a") == 0

    assert "  warn so far by the rule's own mode\n" in capsys.readouterr().out
    assert (project / "org" / "modes.yaml").read_text() == (
        "modes:\n  - code: COV-001\n    workspace: a\n    mode: enforce\n"
    )


def test_the_posture_caps_it_and_that_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "org" / "organisation.yaml").write_text("name: Toy\nposture: warn\n")

    assert promote(project, "GPU-901", "--to", "enforce") == 2
    assert (
        "the posture is `warn`, which caps every mode: `enforce` would change nothing"
        in capsys.readouterr().err
    )
    assert not (project / "org" / "modes.yaml").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("GPU-999", "--to", "warn"), "bundle `toy` has no code `GPU-999`"),
        (("SYS-LOG", "--to", "warn"), "`SYS-LOG` is an error of Portreeve's own"),
        (("GPU-901", "--to", "warn", "--scope", "label=a"), "--scope is `label=a`"),
        (("GPU-901", "--to", "warn", "--scope", "team"), "--scope is `team`"),
        (("GPU-901", "--to", "warn", "--scope", "team=a", "team=b"), "states `team` twice"),
        (
            ("GPU-901", "--to", "warn", "--scope", "enforcement_point=gate"),
            "`gate` is no enforcement point, expected one of `kubernetes`",
        ),
    ],
)
def test_what_cannot_be_promoted_is_refused(
    project: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promote(project, *options) == 2
    assert said in capsys.readouterr().err


def test_a_rule_elsewhere_is_not_said_to_stay(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "org" / "modes.yaml").write_text(
        "modes:\n"
        "  - {code: GPU-901, cluster: dev, team: vision, mode: observe}\n"
        "  - {code: GPU-901, cluster: prod-eu, team: vision, mode: observe}\n"
        "  - {domain: budget, cluster: prod-eu, team: vision, mode: observe}\n"
    )

    assert promote(project, "GPU-901", "--to", "warn", "--scope", "cluster=prod-*") == 0
    said = capsys.readouterr().out
    assert said.count("stays") == 1
    assert "cluster `prod-eu`" in said
