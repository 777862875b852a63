"""Waivers as the organisation writes them: dated, owned, reasoned exceptions to one code."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from service.model.base import Scope, Text, Value

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class WaiverMatch(Scope):
    """Where a waiver holds: all stated selectors must be equal, and at least one is stated.

    Those of the place may end in ``*``. ``team`` and ``environment`` count only where the
    organisation's scopes state them: a label that a tenant wrote matches no waiver.
    """

    team: Text | None = None
    environment: Text | None = None

    @model_validator(mode="after")
    def _is_stated(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError("one selector at least is expected: a waiver holds somewhere")
        return self


class Waiver(Value):
    """An exception to one code that the organisation granted.

    ``owner`` answers for what it allows, ``approver`` is who agreed and is somebody else.
    ``expires`` is a day, whose last moment in UTC is the waiver's, or a time with its offset.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    code: Text
    match: WaiverMatch
    owner: Annotated[Text, Field(min_length=1)]
    reason: Annotated[Text, Field(min_length=1)]
    approver: Annotated[Text, Field(min_length=1)]
    expires: Text

    @field_validator("expires")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        ends_at(text)
        return text

    @model_validator(mode="after")
    def _is_approved(self) -> Self:
        if self.owner.casefold() == self.approver.casefold():
            raise ValueError("somebody other than the owner is expected as approver")
        return self

    def is_over(self, moment: datetime) -> bool:
        """Whether it no longer holds at *moment* (with a time zone)."""
        return moment >= ends_at(self.expires)


def ends_at(text: str) -> datetime:
    """The first moment at which a waiver that ``expires`` with *text* no longer holds.

    Raises:
        ValueError: *text* is neither a day nor a time with its offset.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
        stated = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        stated = None
    if stated is None or stated.tzinfo is None or "T" not in text:
        raise ValueError("a day such as 2026-12-31, or a time with its offset, is expected")
    return stated


def selects_place(match: Scope, place: Any) -> bool:
    """Whether every selector of a place that *match* states selects the one of *place*.

    *place* has the fields of ``Scope``; a place that is not known is selected by nothing.
    """
    return all(
        selects(stated, getattr(place, name))
        for name in Scope.model_fields
        if (stated := getattr(match, name)) is not None
    )


def selects(pattern: str, value: str | None) -> bool:
    """Whether *pattern*, which may end in ``*``, selects *value*; nothing selects no value."""
    if value is None:
        return False
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
