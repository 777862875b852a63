"""Break-glass: an exception for a few hours that a record in the log opens, and not a bundle."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from service.model.base import Scope, Text, Value

LONGEST_MINUTES = 240
"""What no organisation can extend."""
OURS = ("SYS-", "WVR-")
"""How codes begin that nothing waives: errors of ours, and what is said of waivers themselves."""

LOCAL = "local:"
"""How callers and groups begin that the machine of the log knows, and no token."""

Line = Annotated[Text, Field(min_length=1, pattern=r"\S")]
Codes = Annotated[tuple[Text, ...], Field(min_length=1)]


class BreakGlassEvent(StrEnum):
    """What a record of the kind ``break_glass`` tells; its ``operation``."""

    OPENED = "open"
    ENDED = "end"


class BreakGlassScope(Scope):
    """Where break-glass holds: all stated selectors must be equal, and at least one is stated.

    A selector may end in ``*`` and is never ``*`` alone, which would be every place.
    """

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        stated = [value for _, value in self if value is not None]
        if not stated:
            raise ValueError("one selector at least is expected: break-glass holds somewhere")
        if not all(value.rstrip("*") for value in stated):
            raise ValueError("a selector that selects every place is none")
        return self


class BreakGlass(Value):
    """What somebody let pass, in one place and for a few hours, whatever rules find there.

    ``id`` is that of the record which opened it. ``caller`` proved who it is and has ``groups``,
    ``actor`` is the person whom the caller named. ``codes`` are what it covers, ``None`` every
    code of a rule. Times are RFC 3339; it holds from ``opened_at`` until before ``ends_at``.
    """

    id: Annotated[Text, Field(min_length=1)]
    caller: Line
    groups: tuple[Text, ...] = ()
    actor: Line
    codes: Codes | None = None
    match: BreakGlassScope
    reason: Line
    opened_at: Text
    ends_at: Text

    @field_validator("codes")
    @classmethod
    def _are_of_rules(cls, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if found := [code for code in codes or () if code.startswith(OURS)]:
            raise ValueError(f"{found[0]} cannot be waived")
        return codes

    @model_validator(mode="after")
    def _is_short(self) -> Self:
        opened, ends = (datetime.fromisoformat(text) for text in (self.opened_at, self.ends_at))
        if opened.tzinfo is None or ends.tzinfo is None:
            raise ValueError("times with their offsets are expected")
        if not timedelta() < ends - opened <= timedelta(minutes=LONGEST_MINUTES):
            raise ValueError(f"an end within {LONGEST_MINUTES} minutes is expected")
        return self

    def covers(self, code: str) -> bool:
        """Whether it is about findings with *code*."""
        return not code.startswith(OURS) and (self.codes is None or code in self.codes)

    def ends(self, minutes: int = LONGEST_MINUTES) -> datetime:
        """When it no longer holds where break-glass is for so many *minutes* at most."""
        last = datetime.fromisoformat(self.opened_at) + timedelta(minutes=minutes)
        return min(datetime.fromisoformat(self.ends_at), last)

    def is_open(self, moment: datetime, minutes: int = LONGEST_MINUTES) -> bool:
        """Whether it holds at *moment* (with a time zone)."""
        return datetime.fromisoformat(self.opened_at) <= moment < self.ends(minutes)
