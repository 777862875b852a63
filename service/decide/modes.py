"""Which mode the organisation gives a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.model.finding import Mode

if TYPE_CHECKING:
    from service.bundle.values import ModeRule

RANK = {Mode.OBSERVE: 0, Mode.WARN: 1, Mode.ENFORCE: 2}
"""Modes from the mildest to the strictest."""

_SELECTORS = ("code", "domain", "team", "environment", "enforcement_point")


class Place(NamedTuple):
    """What mode rules select by."""

    code: str
    domain: str
    team: str | None
    environment: str | None
    enforcement_point: str


def mildest(first: Mode, *others: Mode) -> Mode:
    """The mode that does least."""
    return min((first, *others), key=RANK.__getitem__)


def stated_mode(rules: tuple[ModeRule, ...], place: Place) -> Mode | None:
    """The mode of the most specific rule that selects *place*; ``None`` if none does.

    More selectors are more specific, then a code more than a domain; of two rules that are equally
    specific the later one holds, so that an organisation may append what it changes.
    """
    best: tuple[int, bool] | None = None
    found: Mode | None = None
    for rule in rules:
        stated = [name for name in _SELECTORS if getattr(rule, name) is not None]
        if any(getattr(rule, name) != getattr(place, name) for name in stated):
            continue
        specificity = (len(stated), rule.code is not None)
        if best is None or specificity >= best:
            best, found = specificity, rule.mode
    return found
