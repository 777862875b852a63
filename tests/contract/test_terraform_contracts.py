"""Plans by the real terraform, and what they are normalised to.

``tests/terraform/rewrite.py`` writes both.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.terraform.normalise import normalise_plan
from service.model.base import Scope

CASES = sorted(path.parent for path in (Path(__file__).parent / "terraform").glob("*/plan.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_plan_is_normalised_as_written_down(case: Path) -> None:
    plan = json.loads((case / "plan.json").read_text())

    request = normalise_plan(plan, scope=Scope(workspace="prod"), caller="contract", key="contract")

    expected = json.loads((case / "normalised.json").read_text())
    assert expected == json.loads(request.model_dump_json(exclude_defaults=True))


def test_there_are_cases() -> None:
    assert len(CASES) >= 5


def test_nothing_sensitive_is_written_down() -> None:
    folder = Path(__file__).parent / "terraform" / "sensitive_values_are_dropped"

    assert "canary" in (folder / "plan.json").read_text()
    assert "canary" not in (folder / "normalised.json").read_text()
