from __future__ import annotations

from pathlib import Path

import pytest

from service.report.kinds import PAGE, main, page

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_kinds_is_up_to_date() -> None:
    assert (ROOT / PAGE).read_text() == page(), "python -m service.report.kinds"


def test_the_page_is_written_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr("sys.argv", ["kinds", str(tmp_path)])

    main()

    assert (tmp_path / PAGE).read_text() == page()
