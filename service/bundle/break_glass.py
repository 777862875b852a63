"""What the organisation says of break-glass: who may open it, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from service.model.base import Count, Text, Value
from service.model.break_glass import LONGEST_MINUTES


class BreakGlassParameters(Value):
    """Who may open break-glass; nobody unless stated, and then it is off.

    ``callers`` are names of the tokens file, and ``local:NAME`` a user of the machine who writes
    the log there with the command line. ``groups`` are groups of such callers: those that the
    tokens file states, and ``local:GROUP``. ``minutes`` is the longest that one may last. A record
    of somebody who is not named, or no longer, waives nothing.
    """

    callers: tuple[Text, ...] = ()
    groups: tuple[Text, ...] = ()
    minutes: Annotated[Count, Field(ge=1, le=LONGEST_MINUTES)] = LONGEST_MINUTES

    @property
    def is_on(self) -> bool:
        """Whether anybody may open it."""
        return bool(self.callers or self.groups)

    def permits(self, caller: str, groups: Iterable[str]) -> bool:
        """Whether *caller*, who is in *groups*, may open it."""
        return caller in self.callers or not set(self.groups).isdisjoint(groups)
