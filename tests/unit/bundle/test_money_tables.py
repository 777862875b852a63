"""What the organisation states about money is read as it was meant, or the bundle is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.errors import BundleRefused

_USAGE = "{team: a, role: capacity, as_of: 2026-11-01}"
_PERIOD = "period: {start: 2026-10-01, end: 2026-12-31}"
_VENDOR = "is no vendor of the catalog or of a scope"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "usage: [{team: a, vendor: amazon, role: capacity, as_of: 2026-11-01}]",
            f"`amazon` at `/usage/0/vendor` {_VENDOR}",
        ),
        (f"usage: [{_USAGE}, {_USAGE}]", "`usage` has `a  capacity USD` twice"),
        (
            f"budgets: {{a: {{basis: capacity, {_PERIOD}, match: {{vendors: [amazon]}}}}}}",
            f"`amazon` at `/budgets/a/match/vendors` {_VENDOR}",
        ),
        (
            f"budgets: {{a: {{basis: capacity, {_PERIOD}, parent: b}}}}",
            "the budget `a` has the parent `b`, which is no budget",
        ),
        (
            "budgets: {a: {basis: capacity, period: {start: 2026-10-01, end: 2026-02-30}}}",
            "`2026-02-30` at `/budgets/a/period/end`",
        ),
        ("budget: {saving_percent: 0}", "`0` at `/budget/saving_percent`"),
        ("budget: {spot_forbidden_purposes: [serving]}", "/budget/spot_forbidden_purposes/0`"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(project: Path, text: str, said: str) -> None:
    (project / "org/money.yaml").write_text(text + "\n")

    with pytest.raises(BundleRefused) as caught:
        build(project)

    assert said in caught.value.message


def test_tables_are_kept_as_they_are_stated(project: Path) -> None:
    text = f"usage: [{_USAGE}]\nbudgets: {{a: {{basis: capacity, {_PERIOD}, limit: 7}}}}\n"
    (project / "org/money.yaml").write_text(text)

    org = build(project).org

    assert [row.team for row in org.usage] == ["a"]
    assert org.budgets["a"].limit == 7
