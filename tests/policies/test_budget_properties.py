"""More usage and larger amounts never turn a refusal into an allow."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import regorus
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import POLICIES

Finding = dict[str, Any]

_PARTS = ("lib/limits", "lib/money", "lib/owners", "lib/whole")
_TOPICS = {
    "BUD-003": "rules/budget/team_rate/team_rate",
    "BUD-010": "rules/budget/headroom/headroom",
}
_LIMIT = 730_000_000
_ORG = {
    "limits": {"currency": "USD"},
    "budget": {"monthly_micros": {"default": _LIMIT, "teams": {}}},
}
# Around the limit, which is a million an hour, and far above it.
_AMOUNTS = st.one_of(st.integers(0, 3_000_000), st.integers(0, 2**52))
_SIGNED = st.one_of(st.integers(-2_000_000, 3_000_000), st.integers(-(2**52), 2**52))


@cache
def _engine(code: str) -> regorus.Engine:
    engine = regorus.Engine()
    for part in (*_PARTS, _TOPICS[code]):
        engine.add_policy(part, (POLICIES / f"{part}.rego").read_text(encoding="utf-8"))
    engine.add_data_json(json.dumps({"org": _ORG, "catalog": {}, "index": {}}))
    return engine


def _found(code: str, **context: Any) -> list[Finding]:
    engine = _engine(code)
    engine.set_input_json(json.dumps({"context": context, "resources": []}))
    package = _TOPICS[code].rpartition("/")[0].replace("/", ".")
    found: list[Finding] = json.loads(engine.eval_rule_as_json(f"data.policies.{package}.deny"))
    return found


def _level(code: str, found: list[Finding]) -> int:
    """2 for a refusal, 1 for one that cannot be told, 0 for none."""
    own = [finding for finding in found if finding["code"] == code]
    return max((1 if "undetermined" in finding else 2 for finding in own), default=0)


def _usage(amount: int | None, currency: str = "USD", team: str = "vision") -> dict[str, Any]:
    return {
        "team": team,
        "vendor": None,
        "role": "capacity",
        "accelerators": None,
        "micros_per_hour": amount,
        "currency": currency,
        "as_of": "2026-11-01",
    }


def _total(firm: int, estimated: int = 0, *unpriced: str) -> dict[str, Any]:
    return {
        "team": "vision",
        "role": "capacity",
        "currency": "USD",
        "firm_micros_per_hour": firm,
        "estimated_micros_per_hour": estimated,
        "accelerators": 0,
        "unpriced": list(unpriced),
    }


_ROWS = st.lists(
    st.builds(
        _usage,
        st.one_of(st.none(), _AMOUNTS),
        st.sampled_from(["USD", "EUR"]),
        st.sampled_from(["vision", "speech"]),
    ),
    max_size=4,
)
_TOTALS = st.builds(_total, _SIGNED, _SIGNED)


@settings(max_examples=200, deadline=None)
@given(total=_TOTALS, rows=_ROWS, more=_ROWS)
def test_more_usage_never_turns_a_refusal_into_an_allow(
    total: dict[str, Any], rows: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    before = _level("BUD-003", _found("BUD-003", totals=[total], usage=rows))
    after = _level("BUD-003", _found("BUD-003", totals=[total], usage=rows + more))

    assert after == 2 or before < 2


@settings(max_examples=200, deadline=None)
@given(firm=_SIGNED, estimated=_SIGNED, more=_AMOUNTS, rows=_ROWS)
def test_a_larger_amount_is_never_judged_more_mildly_than_a_smaller_one(
    firm: int, estimated: int, more: int, rows: list[dict[str, Any]]
) -> None:
    def level(amount: int) -> int:
        return _level("BUD-003", _found("BUD-003", totals=[_total(amount, estimated)], usage=rows))

    assert level(firm + more) >= level(firm)


_THRESHOLDS = st.one_of(st.none(), _AMOUNTS)


def _budget(path: str, *above: str, **fields: Any) -> dict[str, Any]:
    asked = {"firm": 0, "estimated": 0, "uncounted": [], **fields.pop("asked", {})}
    return {
        "path": path,
        "ancestors": list(above),
        "basis": "capacity",
        "unit": "micros",
        "currency": "USD",
        "period_start": "2026-10-01",
        "period_end": "2026-12-31",
        "minutes_left": 60,
        "limit": None,
        "approval": None,
        "approvers": ["finance"],
        "soft": None,
        "spent": 0,
        "held": 0,
        "as_of": None,
        "version": 0,
        "asked": asked,
        **fields,
    }


@st.composite
def _trees(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A root and one budget below it that one request meets."""
    uncounted = ["aws_instance.gpu"] if draw(st.booleans()) else []
    asked = {"firm": draw(_SIGNED), "estimated": draw(_SIGNED), "uncounted": uncounted}
    amounts = {"spent": _AMOUNTS, "held": _AMOUNTS, "limit": _THRESHOLDS, "soft": _THRESHOLDS}
    return [
        _budget(*path, asked=dict(asked), **{name: draw(each) for name, each in amounts.items()})
        for path in (("acme",), ("acme/vision", "acme"))
    ]


@settings(max_examples=200, deadline=None)
@given(
    budgets=_trees(),
    field=st.sampled_from(["firm", "estimated", "spent", "held"]),
    more=_AMOUNTS,
)
def test_a_budget_with_less_room_is_never_judged_more_mildly(
    budgets: list[dict[str, Any]], field: str, more: int
) -> None:
    def larger(budget: dict[str, Any]) -> dict[str, Any]:
        if field in budget["asked"]:
            asked = {**budget["asked"], field: budget["asked"][field] + more}
            return {**budget, "asked": asked}
        return {**budget, field: budget[field] + more}

    before = _level("BUD-010", _found("BUD-010", budgets=budgets))
    after = _level("BUD-010", _found("BUD-010", budgets=[larger(each) for each in budgets]))

    assert after >= before


@settings(max_examples=200, deadline=None)
@given(budgets=_trees())
def test_one_tree_refuses_once_at_its_first_budget_without_room(
    budgets: list[dict[str, Any]],
) -> None:
    refused = [
        finding["facts"]["budget"]
        for finding in _found("BUD-010", budgets=budgets)
        if finding["code"] == "BUD-010" and "facts" in finding
    ]

    def lacks_room(budget: dict[str, Any]) -> bool:
        asked, limit = budget["asked"], budget["limit"]
        room = max(limit - budget["spent"] - budget["held"], 0) if limit is not None else None
        adds = asked["firm"] + asked["estimated"] > 0
        return adds and room is not None and asked["firm"] > room

    assert refused == [each["path"] for each in budgets if lacks_room(each)][:1]
