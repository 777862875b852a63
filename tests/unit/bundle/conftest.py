"""A project of one rule, small enough to be broken in one place by each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_project import LIB_PATH, LIBRARY, MODULES, RULE, RULE_PATH, write_project

from service.bundle.assemble import Parts, assemble
from service.bundle.compiling import CompileLimits
from service.bundle.values import Bundle, Org

Assembled = Callable[..., Bundle]


@pytest.fixture
def sources() -> dict[str, str]:
    return {RULE_PATH: RULE, LIB_PATH: LIBRARY}


@pytest.fixture
def assembled() -> Assembled:
    """A bundle of the given sources over nearly no data."""

    def make(
        sources: dict[str, str],
        *,
        select: Callable[[Any], frozenset[str]] = frozenset,
        limits: CompileLimits | None = None,
        **tables: Any,
    ) -> Bundle:
        org = Org(name="Test")
        data = {"catalog": {}, "index": {}, "org": org.model_dump(mode="json"), **tables}
        return assemble(Parts("toy", "1", sources, data, org), select, limits=limits)

    return make


@pytest.fixture
def project(tmp_path: Path, sources: dict[str, str]) -> Path:
    """The folder of the bundle ``toy`` in a project of its own."""
    sources.update(MODULES)
    return write_project(tmp_path)
