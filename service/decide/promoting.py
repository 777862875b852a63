"""Making a code stricter, or milder, in one place: what would change, and writing it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.bundle.build import build
from service.bundle.editing import add_entry
from service.bundle.values import ModeRule
from service.bundle.waivers import selects
from service.decide.builtin import BASELINE_ENDED, BUILTIN, NOT_COVERED, WAIVER_EXPIRED
from service.decide.modes import (
    PLACES,
    RANK,
    SELECTORS,
    Place,
    holding_rule,
    mildest,
    specificity,
    stated_in,
)
from service.errors import BundleRefused
from service.model.base import EnforcementPoint
from service.model.finding import Mode

if TYPE_CHECKING:
    from service.bundle.values import Bundle, Org, Rule

WHERE = tuple(name for name in SELECTORS if name not in ("code", "domain"))
"""What a promotion may select by."""


@dataclass(frozen=True)
class Promotion:
    """What a promotion would change.

    Attributes:
        rule: The mode rule that is added.
        before: The mode that the code has there now.
        held_by: The mode rule that gives it; ``None`` if it is the rule's own mode.
        exceptions: More specific mode rules within, which keep their own mode.
        inherited: The organisation's mode rules as they stand.
    """

    rule: ModeRule
    before: Mode
    held_by: ModeRule | None
    exceptions: tuple[ModeRule, ...]
    inherited: tuple[ModeRule, ...]


def plan(folder: Path, code: str, where: Mapping[str, str], to: Mode) -> Promotion:
    """What giving *code* the mode *to* would change in the bundle *folder*.

    *where* has names of ``WHERE``; none of them means everywhere.

    Raises:
        BundleRefused: The folder is no bundle, the code is none of it, or the posture is milder
            than *to*, so that nothing would change.
    """
    bundle = build(folder)
    known = _rule(bundle, code)
    point = where.get("enforcement_point")
    if point is not None and point not in tuple(EnforcementPoint):
        expected = ", ".join(f"`{item.value}`" for item in EnforcementPoint)
        raise BundleRefused(f"`{point}` is no enforcement point, expected one of {expected}")
    org = bundle.org
    _check_posture(org, to)
    rule = ModeRule(code=code, mode=to, **where)
    place = Place(code=code, domain=known.domain, **where)
    held_by = holding_rule(org.modes, place)
    stated = known.mode if held_by is None else held_by.mode
    return Promotion(
        rule=rule,
        before=mildest(stated, org.posture),
        held_by=held_by,
        exceptions=tuple(
            other
            for other in org.modes
            if other.mode is not to
            and specificity(other) > specificity(rule)
            and _overlaps(other, place)
        ),
        inherited=org.modes,
    )


def write(folder: Path, promotion: Promotion) -> Path:
    """Append the mode rule to the organisation's file; returns the file.

    Raises:
        BundleRefused: The file cannot be added to.
    """
    inherited = [entry_of(rule) for rule in promotion.inherited]
    return add_entry(folder, "modes", entry_of(promotion.rule), inherited)


def entry_of(rule: ModeRule) -> dict[str, Any]:
    """*rule* as an entry of the file."""
    return rule.model_dump(mode="json", exclude_none=True)


def _rule(bundle: Bundle, code: str) -> Rule:
    own = {name: BUILTIN[name] for name in (NOT_COVERED, WAIVER_EXPIRED, BASELINE_ENDED)}
    known = {**bundle.rulebook, **own}
    if code in known:
        return known[code]
    if code in BUILTIN or code.startswith("SYS-"):
        raise BundleRefused(
            f"`{code}` is an error of Portreeve's own: it refuses, whatever the organisation says"
        )
    raise BundleRefused(
        f"bundle `{bundle.ref.name}` has no code `{code}`",
        hint=f"Its codes are {', '.join(sorted(known))}; a rule that is off is added by `enable` "
        "in bundle.yaml.",
    )


def _check_posture(org: Org, to: Mode) -> None:
    if RANK[to] > RANK[org.posture]:
        raise BundleRefused(
            f"the posture is `{org.posture.value}`, which caps every mode: `{to.value}` would "
            "change nothing",
            hint=f"Set `posture: {to.value}` in the organisation's part first; before you do, give "
            "the codes that are to stay milder a mode of their own.",
        )


def _overlaps(rule: ModeRule, place: Place) -> bool:
    """Whether *rule* may select something that is within *place*."""
    for name in stated_in(rule):
        stated, value = getattr(rule, name), getattr(place, name)
        if value is None or stated == value:
            continue
        if name not in PLACES or not (selects(stated, value) or selects(value, stated)):
            return False
    return True
