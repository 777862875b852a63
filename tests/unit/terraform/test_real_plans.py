"""Plans that other projects made with the real providers."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.terraform.normalise import normalise_plan
from adapters.terraform.types import COVERED
from service.errors import RequestRefused
from service.intake.documents import read_json
from service.model.base import Scope
from service.model.request import Request

LIMIT = 256 * 1024 * 1024


def normalise(plan: Any) -> Request:
    return normalise_plan(plan, scope=Scope(workspace="test"), caller="test", key="key")


@cache
def _plans(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "terraform").rglob("*.json"))
    }


@pytest.fixture(scope="session")
def plans(shared_data: Path) -> dict[str, bytes]:
    return _plans(shared_data)


def test_every_real_plan_is_normalised_or_refused_with_a_reason(plans: dict[str, bytes]) -> None:
    refused: dict[str, str] = {}
    covered = 0
    for name, raw in plans.items():
        try:
            covered += len(normalise(read_json(raw, limit=LIMIT, what="plan")).resources)
        except RequestRefused as error:
            refused[name] = error.message

    # Some were edited by hand, and then hold a key twice.
    reasons = {
        message for message in refused.values() if not message.startswith("plan has the key")
    }
    assert reasons <= {
        "the document is a Terraform state: expected a plan",
        "`resource_changes` is missing: expected a Terraform plan with changes",
    }
    assert len(plans) > 300
    assert len(refused) < 35
    assert covered > 25


def test_each_entry_of_a_real_plan_is_covered_irrelevant_or_reported(
    plans: dict[str, bytes],
) -> None:
    for raw in plans.values():
        plan = json.loads(raw) if raw[:1] == b"{" else {}
        if not plan.get("resource_changes"):
            continue
        request = normalise(plan)

        counted = len(request.resources) + len(request.not_covered) + request.irrelevant
        assert len(plan["resource_changes"]) == counted


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just("x" * 2000),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"a": [True]}),
)


def _spots(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    parts = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    found = [path] if path else []
    for key, part in parts:
        found += _spots(part, (*path, key))
    return found


@cache
def _covered_plans(folder: Path) -> list[tuple[bytes, list[tuple[str | int, ...]]]]:
    found = []
    for raw in _plans(folder).values():
        if raw[:1] != b"{":
            continue
        plan = json.loads(raw)
        changes = plan.get("resource_changes") or ()
        if any(change["type"] in COVERED for change in changes) and len(raw) < 100_000:
            for part in ("planned_values", "prior_state"):
                plan.pop(part, None)
            found.append((json.dumps(plan).encode(), _spots(plan)))
    return found


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_leaf_becomes_a_plan_is_normalised_or_refused(
    shared_data: Path, data: st.DataObject
) -> None:
    raw, spots = data.draw(st.sampled_from(_covered_plans(shared_data)))
    plan = json.loads(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, last = data.draw(st.sampled_from(spots))
        # An earlier change may have taken this branch away.
        with suppress(KeyError, IndexError, TypeError):
            holder: Any = plan
            for step in parents:
                holder = holder[step]
            holder[last] = data.draw(_LEAVES)

    try:
        request = normalise(plan)
    except RequestRefused as error:
        refusal = error.message
    else:
        refusal = ""
        assert request == Request.model_validate_json(request.model_dump_json())

    assert refusal[:1].islower() or refusal[:1] in ("", "`")
