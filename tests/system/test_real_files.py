"""Every real plan and manifest is decided or refused in our words, and the page says how many."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage_table import TARGET, page

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def test_the_page_of_coverage_is_what_real_files_give(shared_data: Path) -> None:
    assert TARGET.read_text() == page(shared_data)
