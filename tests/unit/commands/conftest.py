from __future__ import annotations

from pathlib import Path

import pytest
from toy_project import write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of the bundle ``toy`` in a project of its own."""
    return write_project(tmp_path)
