"""Which mode the organisation gives a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.bundle.waivers import selects
from service.model.finding import Mode

if TYPE_CHECKING:
    from service.bundle.values import ModeRule
    from service.decide.about import Whereabouts

RANK = {Mode.OBSERVE: 0, Mode.WARN: 1, Mode.ENFORCE: 2}
"""Modes from the mildest to the strictest."""

PLACES = ("cluster", "namespace", "account", "project", "workspace")
SELECTORS = ("code", "domain", "team", "environment", "enforcement_point", *PLACES)


class Place(NamedTuple):
    """What mode rules select by; ``None`` where it is not known."""

    code: str
    domain: str
    enforcement_point: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    account: str | None = None
    project: str | None = None
    workspace: str | None = None
    team: str | None = None
    environment: str | None = None

    @classmethod
    def at(cls, code: str, domain: str, point: str | None, where: Whereabouts) -> Place:
        """The place of a finding with *code* at an enforcement *point*, *where* it is."""
        return cls(code, domain, point, *where)


def mildest(first: Mode, *others: Mode) -> Mode:
    """The mode that does least."""
    return min((first, *others), key=RANK.__getitem__)


def strictest(first: Mode, *others: Mode) -> Mode:
    """The mode that does most."""
    return max((first, *others), key=RANK.__getitem__)


def stated_in(rule: ModeRule) -> tuple[str, ...]:
    """The names of the selectors that *rule* states."""
    return tuple(name for name in SELECTORS if getattr(rule, name) is not None)


def specificity(rule: ModeRule) -> tuple[int, bool]:
    """How specific *rule* is: more selectors are more, then a code is more than a domain."""
    return len(stated_in(rule)), rule.code is not None


def holding_rule(rules: tuple[ModeRule, ...], place: Place) -> ModeRule | None:
    """The most specific of *rules* that selects *place*; ``None`` if none does.

    Of two rules that are equally specific the later one holds, so that an organisation may append
    what it changes.
    """
    best: tuple[int, bool] | None = None
    found: ModeRule | None = None
    for rule in rules:
        if not all(_holds(rule, name, getattr(place, name)) for name in stated_in(rule)):
            continue
        if best is None or specificity(rule) >= best:
            best, found = specificity(rule), rule
    return found


def stated_mode(rules: tuple[ModeRule, ...], place: Place) -> Mode | None:
    """The mode of the rule that holds at *place*; ``None`` if none does."""
    rule = holding_rule(rules, place)
    return None if rule is None else rule.mode


def _holds(rule: ModeRule, name: str, value: str | None) -> bool:
    stated: str = getattr(rule, name)
    return selects(stated, value) if name in PLACES else stated == value
