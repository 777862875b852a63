"""The committed plans are what the real terraform writes for the configurations beside them."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.terraform


def _making() -> ModuleType:
    spec = importlib.util.spec_from_file_location("making", Path(__file__).with_name("making.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


making = _making()


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the path")
@pytest.mark.parametrize("source", making.sources(), ids=lambda source: source.name)
def test_the_committed_plan_is_what_terraform_writes(source: Path, tmp_path: Path) -> None:
    made = making.make_plan(source, tmp_path)

    assert made == json.loads((source / "plan.json").read_text())
