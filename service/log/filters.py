"""What may be asked of the log: typed conditions, never a text that becomes a statement."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, ValidationError

from service.errors import RequestRefused
from service.model.base import Binding, EnforcementPoint, Text, Value
from service.model.decision import Outcome
from service.model.subject_event import Happened

AGE = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Kind(StrEnum):
    """What a record is about: a decided request, an unreadable input, or break-glass."""

    DECISION = "decision"
    REJECTED = "rejected"
    BREAK_GLASS = "break_glass"


class _Conditions(Value):
    """What every filter has: when it was. ``since`` is inclusive, ``until`` exclusive."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @classmethod
    def of(
        cls, *, since: str | None = None, until: str | None = None, **conditions: str | None
    ) -> Self:
        """The filter that these words mean; a time is RFC 3339, or an age such as ``24h``.

        Raises:
            RequestRefused: One of them is malformed; says which and what is expected.
        """
        times = {"since": moment(since, "since"), "until": moment(until, "until")}
        try:
            return cls.model_validate({**conditions, **times})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "filter"
            raise RequestRefused(
                f"`{name}` is `{str(first['input'])[:64]}`: {first['msg'].lower()}",
                code="SYS-INPUT-PARAMETER",
            ) from error


class Filter(_Conditions):
    """Conditions that a decision must meet all; ``None`` asks nothing.

    ``team`` and ``vendor`` are those of one and the same resource, ``code`` and ``waived_by`` those
    of one and the same finding.
    """

    outcome: Outcome | None = None
    code: Text | None = None
    waived_by: Text | None = None
    team: Text | None = None
    vendor: Text | None = None
    enforcement_point: EnforcementPoint | None = None
    binding: Binding | None = None
    kind: Kind | None = None


class EventFilter(_Conditions):
    """Conditions that a subject event must meet all; ``None`` asks nothing.

    ``since`` and ``until`` are about when it was noticed.
    """

    event: Happened | None = None
    cluster: Text | None = None
    namespace: Text | None = None
    kind: Text | None = None
    subject: Text | None = None
    uid: Text | None = None


def moment(text: str | None, name: str) -> datetime | None:
    """The time that *text* states, or that lies so long ago.

    Raises:
        RequestRefused: It is neither; *name* is what it was given as.
    """
    if text is None:
        return None
    try:
        if age := AGE.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{UNITS[age["unit"]]: int(age["count"])})
        stated = datetime.fromisoformat(text.upper())
        if "T" in text.upper() and stated.tzinfo is not None:
            return stated
    except (ValueError, OverflowError):
        pass
    raise RequestRefused(
        f"`{name}` is `{text[:64]}`: a time in RFC 3339 with its offset is expected",
        hint="Write 2026-01-31T09:00:00Z, or an age such as 90m, 24h or 7d.",
        code="SYS-INPUT-PARAMETER",
    )
