"""The page about engines says what the engines make of OPA's conformance cases today."""

from __future__ import annotations

import sys
from pathlib import Path

import engines_page
import pytest
from running import tool

pytestmark = pytest.mark.system


def test_the_page_is_what_the_engines_do(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if tool("opa") is None or not (shared_data / engines_page.ARCHIVE).exists():
        pytest.skip("needs opa (make tools) and the conformance cases")
    monkeypatch.setattr(sys, "argv", ["engines_page", "--check"])

    assert engines_page.main() == 0, capsys.readouterr().out


def test_without_the_cases_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTREEVE_TEST_DATA", str(tmp_path))

    assert engines_page.main() == 0
    assert capsys.readouterr().out.startswith("skipped: docs/engines.md needs ")
