"""Opening break-glass and ending it: who may, what is refused, and the record that does it.

Nothing is open but by a record that is durable, and nobody opens it whom the organisation's bundle
does not name. Whoever may order the service may end it, because that only makes it stricter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, TypeVar

import structlog
from pydantic import Field, ValidationError

from service.bundle.values import Bundle
from service.decide.builtin import NOT_COVERED
from service.decide.digests import canonical, digest
from service.decide.ids import uuid7
from service.errors import NotAllowed, NotFound, RequestRefused
from service.log.entry import DecisionLog, Entry, recorded
from service.log.filters import Kind
from service.log.query import DecisionReader
from service.model.base import Binding, EnforcementPoint, Value
from service.model.break_glass import (
    LONGEST_MINUTES,
    BreakGlass,
    BreakGlassEvent,
    BreakGlassScope,
    Codes,
    Line,
)
from service.model.decision import Cause, Decision, Outcome
from service.model.request import Actor, Context
from service.model.sensitive import redact_text
from service.pipeline import VERSION, stamp, utc_now

CODE = "SYS-INPUT-BREAK-GLASS"
# Every request carries what is open in its places: a few are an emergency, many are a mistake.
MOST_OPEN = 64
_RECORD_SECONDS = 10.0
_NO_CONTEXT = digest(canonical(Context()))
_LOG = structlog.get_logger("portreeve")


class Wanted(Value):
    """What somebody wants open; without ``codes`` it is for every code of a rule."""

    match: BreakGlassScope
    codes: Codes | None = None
    reason: Line
    actor: Line
    minutes: Annotated[int, Field(strict=True, ge=1, le=LONGEST_MINUTES)]


class Closing(Value):
    """Who wants something ended."""

    actor: Line


_Form = TypeVar("_Form", Wanted, Closing)


class Opener(NamedTuple):
    """Who orders it, as far as that is proved: a caller's name and groups."""

    caller: str
    groups: tuple[str, ...] = ()


class _Order(NamedTuple):
    """An event, the id of its record, when it is, and who ordered it."""

    event: BreakGlassEvent
    id: str
    time: datetime
    caller: str
    actor: str


class BreakGlassDesk:
    """Takes orders to open break-glass and to end it."""

    def __init__(
        self,
        bundle: Bundle,
        log: DecisionLog,
        reader: DecisionReader,
        *,
        clock: Callable[[], datetime] = utc_now,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """*reader* reads what *log* records; *changed* is called after each record."""
        self._bundle = bundle
        self._log = log
        self._reader = reader
        self._clock = clock
        self._changed = changed

    def check(self, opener: Opener) -> None:
        """Refuse whoever may not open it.

        Raises:
            NotAllowed: The organisation does not name *opener*.
        """
        permitted = self._bundle.org.break_glass
        if not permitted.is_on:
            raise NotAllowed(
                f"break-glass is off: `{self._bundle.org.name}` names nobody who may open it",
                hint="Have `break_glass` of the organisation's bundle name callers or groups.",
                code="SYS-AUTH-BREAK-GLASS",
            )
        if not permitted.permits(*opener):
            raise NotAllowed(
                f"`{opener.caller}` may not open break-glass",
                hint="Ask one of those whom `break_glass` of the organisation's bundle names.",
                code="SYS-AUTH-BREAK-GLASS",
            )

    async def open(self, wanted: Wanted, opener: Opener) -> Decision:
        """Open what is *wanted*; returns the record, whose id names it from now on.

        Raises:
            NotAllowed: The organisation does not name *opener*.
            RequestRefused: It would last too long or cover a code that no rule has, or too many
                are open.
            LogUnavailable: It could not be made durable, so it is not open.
        """
        self.check(opener)
        self._check(wanted)
        now = self._clock()
        if len(await self.opened()) >= MOST_OPEN:
            raise RequestRefused(
                f"{MOST_OPEN} are open already, which is the most", hint="End some.", code=CODE
            )
        glass = BreakGlass(
            id=uuid7(),
            caller=opener.caller,
            groups=opener.groups,
            actor=wanted.actor,
            codes=wanted.codes and tuple(dict.fromkeys(wanted.codes)),
            match=wanted.match,
            reason=redact_text(wanted.reason),
            opened_at=stamp(now),
            ends_at=stamp(now + timedelta(minutes=wanted.minutes)),
        )
        order = _Order(BreakGlassEvent.OPENED, glass.id, now, glass.caller, glass.actor)
        return await self._record(self._entry(glass, order))

    async def end(self, id_: str, opener: Opener, *, actor: str) -> Decision:
        """End what the record *id_* opened, at the order of *actor*; returns the record of that.

        Raises:
            NotFound: Nothing is open that has this id.
            LogUnavailable: It could not be made durable.
        """
        glass = next((item for item in await self.opened() if item.id == id_), None)
        if glass is None:
            raise NotFound(
                f"no break-glass `{id_[:64]}` is open",
                hint="It may have ended; `portreeve waiver break-glass --list` shows what is open.",
            )
        # Even where the clock was set back: an end that seems older might not be found any more.
        time = max(datetime.fromisoformat(glass.opened_at), self._clock())
        order = _Order(BreakGlassEvent.ENDED, uuid7(), time, opener.caller, actor)
        return await self._record(self._entry(glass, order))

    async def opened(self) -> tuple[BreakGlass, ...]:
        """What is open now, as the log says.

        Raises:
            LogUnavailable: The log cannot be read.
        """
        return await asyncio.to_thread(self._reader.break_glass, self._clock())

    def _check(self, wanted: Wanted) -> None:
        longest = self._bundle.org.break_glass.minutes
        if wanted.minutes > longest:
            raise RequestRefused(
                f"break-glass is wanted for {wanted.minutes} minutes; the most is {longest}",
                hint="Open it for less, or add a waiver to the bundle.",
                code=CODE,
            )
        for code in wanted.codes or ():
            if code not in self._bundle.rulebook and code != NOT_COVERED:
                raise RequestRefused(
                    f"`{code[:64]}` is no code of the bundle `{self._bundle.ref.name}`",
                    hint="`portreeve explain` knows the codes; without any it is for all of them.",
                    code=CODE,
                )

    def _entry(self, glass: BreakGlass, order: _Order) -> Entry:
        decision = Decision(
            decision_id=order.id,
            kind=Kind.BREAK_GLASS.value,
            time=stamp(order.time),
            outcome=Outcome.ALLOW,
            cause=Cause.NONE,
            enforcement_point=EnforcementPoint.API,
            operation=order.event.value,
            binding=Binding.BINDING,
            caller=order.caller,
            actor=Actor(name=order.actor),
            scope=glass.match,
            key=glass.id,
            request_digest=digest(canonical(glass)),
            context_digest=_NO_CONTEXT,
            bundle=self._bundle.ref,
            engine="none",
            portreeve_version=VERSION,
            duration_ms=0,
            break_glass=glass,
        )
        return Entry(decision=decision)

    async def _record(self, entry: Entry) -> Decision:
        hint = "`portreeve waiver break-glass --list` shows what is open."
        kept = await recorded(self._log, entry, seconds=_RECORD_SECONDS, hint=hint)
        self._changed()
        _LOG.warning(
            "break_glass",
            operation=kept.operation,
            id=kept.key,
            caller=kept.caller,
            actor=kept.actor.name,
            match=kept.scope.model_dump(exclude_none=True),
        )
        return kept


def read_as(form: type[_Form], payload: object) -> _Form:
    """What *payload* orders, in the *form* of ``Wanted`` or ``Closing``.

    Raises:
        RequestRefused: It has another form; says where and what is expected.
    """
    try:
        return form.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        raise RequestRefused(
            f"`/{where}` is not what is expected: {words[:1].lower()}{words[1:]}",
            hint=f"It may state {', '.join(f'`{name}`' for name in form.model_fields)}.",
            code=CODE,
        ) from error
