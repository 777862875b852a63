"""The committed catalogue is the generated one, and each page says what a person looks for."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from service.bundle.shipped import shipped_root
from service.report import rules

PAGES = rules.catalogue()
each_page = pytest.mark.parametrize(
    "page",
    [page for path, page in PAGES.items() if path != rules.INDEX],
    ids=lambda page: page[2:9],
)


def _run(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["rules", *options])
    return rules.main()


def test_the_committed_catalogue_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, "--check") == 0


def test_a_page_that_differs_is_named_and_written_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(shipped_root() / "docs/rules", tmp_path / "docs/rules")
    (tmp_path / "policies").mkdir()
    monkeypatch.setattr(rules, "catalogue", lambda: PAGES)
    monkeypatch.setattr(rules, "shipped_root", lambda: tmp_path)
    changed, gone = tmp_path / "docs/rules/GPU-001.md", tmp_path / "docs/rules/GPU-999.md"
    changed.write_text("other words")
    gone.write_text("a rule that nobody has")

    assert _run(monkeypatch, "--check") == 1
    told = capsys.readouterr().out
    assert "policies/README.md, docs/rules/GPU-001.md, GPU-999.md" in told

    assert _run(monkeypatch) == 0
    assert changed.read_text() == PAGES[Path("docs/rules/GPU-001.md")]
    assert not gone.exists()
    assert _run(monkeypatch, "--check") == 0


def test_the_index_leads_to_every_page() -> None:
    linked = re.findall(r"\]\(\.\./(docs/rules/[^)]+)\)", PAGES[rules.INDEX])

    assert sorted(map(Path, linked)) == sorted(path for path in PAGES if path != rules.INDEX)


@each_page
def test_a_page_shows_what_is_found_what_passes_and_what_to_do(page: str) -> None:
    for heading in ("## What it judges", "## What it finds", "## What passes", "- Remedy: "):
        assert f"\n{heading}" in page


@each_page
def test_the_inputs_on_a_page_are_whole(page: str) -> None:
    for text in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL):
        shown = yaml.safe_load(text)
        assert set(shown) - {"before", "cluster"} in (
            {"scope", "kubernetes"},
            {"scope", "terraform"},
        )
