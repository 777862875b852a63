"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _usual_events() -> Iterator[None]:
    """A command that a test runs in this process must not set the level for the tests after it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real plans and manifests, which are not part of the project."""
    named = os.environ.get("PORTREEVE_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; name its folder in PORTREEVE_TEST_DATA")
    return folder
