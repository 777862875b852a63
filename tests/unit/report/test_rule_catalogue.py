"""The committed catalogue is the generated one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from service.report import rules


def test_the_committed_catalogue_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["rules", "--check"])

    assert rules.main() == 0


def test_a_catalogue_that_differs_is_told_and_written_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = tmp_path / "policies"
    policies.symlink_to(tmp_path / "real")
    (tmp_path / "real").mkdir()
    for name in ("rules", "lib"):
        (tmp_path / "real" / name).symlink_to(rules.TARGET.parent / name)
    monkeypatch.setattr(rules, "TARGET", policies / "README.md")

    monkeypatch.setattr(sys, "argv", ["rules", "--check"])
    assert rules.main() == 1
    assert "out of date" in capsys.readouterr().out

    monkeypatch.setattr(sys, "argv", ["rules"])
    assert rules.main() == 0
    assert (policies / "README.md").read_text() == rules.catalogue()


def test_every_code_is_in_the_catalogue_with_its_words() -> None:
    page = rules.catalogue()

    for code in ("GPU-001", "GPU-002", "BUD-001", "BUD-002", "RES-001", "RES-002"):
        assert f"\n## {code} " in page
    assert "takes up to {asked} accelerators" in page
    assert "warn: not known: `/accelerators`" in page
