"""Which break-glass covers a finding at the moment of the decision.

The context says what the log had open. Whether whoever opened it may do so, and for how long, is
for the organisation's bundle to say, at every decision: what the bundle no longer permits waives
nothing any more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from service.bundle.waivers import selects_place
from service.model.finding import WaiverTerms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.bundle.break_glass import BreakGlassParameters
    from service.decide.about import Whereabouts
    from service.model.break_glass import BreakGlass
    from service.model.request import Context


class Opened(NamedTuple):
    """Break-glass that holds: until when, and what was opened."""

    ends: datetime
    glass: BreakGlass

    @property
    def id(self) -> str:
        """The id of the record that opened it."""
        return self.glass.id

    def terms(self) -> WaiverTerms:
        """What a record says of it."""
        ends = self.ends.astimezone(UTC).isoformat(timespec="milliseconds")
        return WaiverTerms(
            owner=self.glass.actor,
            reason=self.glass.reason,
            expires=ends.replace("+00:00", "Z"),
        )


class OpenGlass:
    """The break-glass of a request's context that holds."""

    def __init__(self, permitted: BreakGlassParameters, context: Context) -> None:
        """*permitted* is what the organisation says; without the context's time nothing holds."""
        self._opened: tuple[Opened, ...] = ()
        if context.waivers and context.now:
            moment = datetime.fromisoformat(context.now)
            self._opened = tuple(
                Opened(item.ends(permitted.minutes), item)
                for item in context.waivers
                if item.is_open(moment, permitted.minutes)
                and permitted.permits(item.caller, item.groups)
            )

    def covering(self, code: str, where: Sequence[Whereabouts]) -> Opened | None:
        """What covers *code* everywhere in *where*; of several, that which ends last."""
        found = [
            item
            for item in self._opened
            if item.glass.covers(code)
            and all(selects_place(item.glass.match, each) for each in where)
        ]
        return max(found, key=lambda item: (item.ends, item.id), default=None)
