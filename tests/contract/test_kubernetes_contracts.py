"""Admission reviews by a real API server, and what they are normalised to.

``tests/contract/rewrite_kubernetes.py`` writes both.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.kubernetes.normalise import normalise_manifests, normalise_review
from service.intake.documents import read_yaml_documents
from service.model.base import Scope

FOLDER = Path(__file__).parent / "kubernetes"
CASES = sorted(path.parent for path in FOLDER.glob("*/case.yaml"))
SETS = sorted(path.parent for path in FOLDER.glob("*/manifests.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_review_is_normalised_as_written_down(case: Path) -> None:
    review = json.loads((case / "request.json").read_text())

    request = normalise_review(review, cluster="prod-eu", caller="contract")

    expected = json.loads((case / "normalised.json").read_text())
    assert expected == json.loads(request.model_dump_json(exclude_defaults=True))


@pytest.mark.parametrize("case", SETS, ids=lambda case: case.name)
def test_manifests_are_normalised_as_written_down(case: Path) -> None:
    raw = (case / "manifests.yaml").read_bytes()
    documents = read_yaml_documents(raw, limit=1 << 20, what="the case")

    request = normalise_manifests(
        documents, scope=Scope(cluster="prod-eu"), caller="contract", key=case.name
    )

    expected = json.loads((case / "normalised.json").read_text())
    assert expected == json.loads(request.model_dump_json(exclude_defaults=True))


def test_there_are_cases() -> None:
    assert len(CASES) >= 20
    assert len(SETS) >= 5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_secret_is_written_down(case: Path) -> None:
    assert "canary" not in (case / "normalised.json").read_text()
