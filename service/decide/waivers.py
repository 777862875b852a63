"""Which waivers cover a finding at the moment of the decision."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from service.bundle.waivers import WaiverMatch, ends_at, selects
from service.decide.builtin import WAIVER_EXPIRED
from service.decide.modes import PLACES
from service.model.finding import Finding, WaiverTerms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.bundle.waivers import Waiver
    from service.decide.about import Whereabouts

_SELECTORS = tuple(WaiverMatch.model_fields)


class Waivers:
    """The organisation's waivers as they stand at one moment."""

    def __init__(self, waivers: Sequence[Waiver], now: str | None) -> None:
        """*now* is RFC 3339; without it no waiver holds."""
        self._waivers = waivers if now else ()
        self._now = now

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._waivers)

    def covering(self, code: str, where: Sequence[Whereabouts]) -> Waiver | None:
        """The waiver that covers *code* everywhere in *where*; of several, that which ends last."""
        valid = [item for item in self._matching(code, where) if not item.is_over(self._moment)]
        return max(valid, key=lambda item: (ends_at(item.expires), item.id), default=None)

    def lapsed(self, code: str, where: Sequence[Whereabouts]) -> list[Waiver]:
        """The waivers that would cover it, had they not expired."""
        return [item for item in self._matching(code, where) if item.is_over(self._moment)]

    @property
    def _moment(self) -> datetime:
        return datetime.fromisoformat(self._now or "")

    def _matching(self, code: str, where: Sequence[Whereabouts]) -> list[Waiver]:
        return [
            item
            for item in self._waivers
            if item.code == code and all(_matches(item.match, each) for each in where)
        ]


def terms(waiver: Waiver) -> WaiverTerms:
    """What a record says of *waiver*."""
    return WaiverTerms(
        owner=waiver.owner,
        approver=waiver.approver,
        reason=waiver.reason,
        expires=waiver.expires,
    )


def expiry(waiver: Waiver, finding: Finding) -> Finding:
    """What is reported of a *waiver* that no longer covers *finding*."""
    return Finding(
        code=WAIVER_EXPIRED,
        resource=finding.resource,
        facts={
            "waiver": waiver.id,
            "code": waiver.code,
            "expired": waiver.expires,
            "owner": waiver.owner,
            "approver": waiver.approver,
        },
    )


def _matches(match: WaiverMatch, where: Whereabouts) -> bool:
    for name in _SELECTORS:
        stated = getattr(match, name)
        if stated is None:
            continue
        value = getattr(where, name)
        if not (selects(stated, value) if name in PLACES else stated == value):
            return False
    return True
