from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle.values import Rule
from service.decide.builtin import BUILTIN, system_rule
from service.decide.rulebook import render, shown
from service.model.base import Reason
from service.model.finding import Finding, Severity


def _rule(**fields: Any) -> Rule:
    defaults: dict[str, Any] = {
        "code": "GPU-001",
        "title": "Title",
        "severity": Severity.HIGH,
        "message": "`{resource}` has {count}",
        "remedy": "Take {count} away.",
        "package": "p",
        "domain": "gpu",
    }
    return Rule(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (None, "none"),
        (["a", "b"], "a, b"),
        ("x`y`", "xy"),
        ("a\x1b[31mb\u202ec\u200bd", "a[31mbcd"),
        ("one\ntwo\u2028three", "one two three"),
        ("ü 漢", "ü 漢"),
    ],
)
def test_a_fact_is_shown_on_one_line_without_what_cannot_be_seen(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_long_fact_is_cut() -> None:
    assert len(shown("x" * 5_000)) == 256
    assert shown("x" * 5_000).endswith("…")
    assert len(shown("\x00" + "x" * 5_000)) == 256


def test_placeholders_are_filled_once_and_from_facts_only() -> None:
    finding = Finding(code="GPU-001", resource="{count}", facts={"count": "{resource}"})

    words = render(_rule(), finding)

    assert words.message == "`{count}` has {resource}"
    assert words.remedy == "Take {resource} away."


def test_a_placeholder_without_a_fact_is_a_question_mark() -> None:
    assert render(_rule(), Finding(code="GPU-001")).message == "`the request` has ?"


def test_what_is_missing_is_named_with_its_reason_and_its_own_remedy() -> None:
    finding = Finding(code="GPU-001", resource="a", undetermined=("/region", "/x"))
    reasons = {"/region": (Reason.AFTER_APPLY,)}

    words = render(_rule(undetermined="`{resource}`: {missing}"), finding, reasons)

    assert words.message == "`a`: `/region` (known only after apply), `/x`"
    assert words.remedy == (
        "Set the value in the configuration, so that it is known before the apply."
    )


def test_a_rule_without_words_for_the_unknown_has_general_ones() -> None:
    finding = Finding(code="GPU-001", resource="a", undetermined=("/region",))

    words = render(_rule(remedy="Plain."), finding)

    assert words.message == "it is not known whether `a` keeps the rule: `/region` is not known"
    assert words.remedy == "Plain."


@given(
    template=st.text(st.sampled_from("{}ab_ `"), max_size=12),
    facts=st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=3),
)
def test_rendering_never_fails(template: str, facts: dict[str, str]) -> None:
    render(_rule(message=template, remedy=template), Finding(code="GPU-001", facts=facts))


def test_built_in_words_can_be_filled() -> None:
    for code, rule in BUILTIN.items():
        assert code == rule.code
        names = ("kind", "waiver", "code", "expired", "owner", "approver", "of", "why", "account")
        words = render(rule, Finding(code=code, resource="a", facts=dict.fromkeys(names, "b")))
        assert "?" not in "".join(words)


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("SYS-INPUT-TOO-LARGE", "SYS-INPUT"),
        ("SYS-LOG", "SYS-LOG"),
        ("SYS-NEW", "SYS-ERROR"),
        ("", "SYS-ERROR"),
    ],
)
def test_a_code_of_ours_has_the_words_of_what_it_begins_with(code: str, known: str) -> None:
    assert system_rule(code).code == known
