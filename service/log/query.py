"""Finds decisions in the log, while it is being written or after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)

from service.errors import LogUnavailable
from service.log.event_query import EventReader
from service.log.filters import Filter, Kind
from service.log.reading import before as before_cursor
from service.log.reading import check_limit, connected, cursor_at, damaged
from service.log.reading import equal as _equal
from service.log.rows import micros, restore
from service.model.base import Value
from service.model.break_glass import LONGEST_MINUTES, BreakGlass, BreakGlassEvent
from service.model.decision import Decision
from service.store.packing import unpack
from service.store.schema import bodies, decisions, findings, resources

__all__ = ["DecisionReader", "Filter", "Page", "StoredDecision"]


class Page(Value):
    """Some decisions, newest first; ``next_cursor`` is ``None`` on the last page."""

    decisions: tuple[Decision, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True)
class StoredDecision:
    """One record, whole.

    Attributes:
        seq: Its number in the log, without gaps from 1.
        decision: What was decided.
        request: The redacted, normalised request as canonical JSON; empty for a rejected input,
            and where it was erased.
        context: The context as canonical JSON; empty likewise.
        resolved_digest: Digest of the resolved request that the rules saw.
    """

    seq: int
    decision: Decision
    request: bytes
    context: bytes
    resolved_digest: str


class DecisionReader:
    """Reads the log at a path; each question opens the file anew and cannot write it.

    A question may be asked in any thread. Where there is no log yet, nothing is found.
    """

    def __init__(self, path: Path) -> None:
        """Read the log at *path*, which need not exist."""
        self._path = path
        self.events = EventReader(path)

    def find(self, wanted: Filter, *, cursor: str | None = None, limit: int = 100) -> Page:
        """At most *limit* decisions that meet *wanted*, newest first, from *cursor* on.

        Raises:
            RequestRefused: The cursor is none of ours, or the limit is not from 1 to 1000.
            LogUnavailable: The log cannot be read.
        """
        check_limit(limit)
        before = None if cursor is None else before_cursor(cursor)
        with connected(self._path) as connection:
            if connection is None:
                return Page()
            rows = connection.execute(_page(wanted, before, limit + 1)).all()
        shown = rows[:limit]
        return Page.model_construct(
            decisions=tuple(self._decision(row.seq, row.body) for row in shown),
            next_cursor=cursor_at(shown[-1].seq) if len(rows) > limit else None,
        )

    def get(self, decision_id: str) -> StoredDecision | None:
        """The record of the decision *decision_id*, or ``None`` where there is none.

        Raises:
            LogUnavailable: The log cannot be read.
        """
        query = (
            select(
                decisions.c.seq,
                decisions.c.decision_id,
                decisions.c.body,
                decisions.c.resolved_digest,
                bodies.c.body.label("request"),
                decisions.c.context,
            )
            .outerjoin(bodies, bodies.c.digest == decisions.c.request_body)
            .where(decisions.c.decision_id == decision_id)
        )
        with connected(self._path) as connection:
            row = None if connection is None else connection.execute(query).one_or_none()
        if row is None:
            return None
        return StoredDecision(
            seq=row.seq,
            decision=self._decision(row.seq, row.body),
            request=self._unpacked(row.seq, row.request),
            context=self._unpacked(row.seq, row.context),
            resolved_digest=row.resolved_digest,
        )

    def break_glass(self, moment: datetime) -> tuple[BreakGlass, ...]:
        """What is open at *moment* (with a time zone): opened before, not over, and not ended.

        Raises:
            LogUnavailable: The log cannot be read.
        """
        with connected(self._path) as connection:
            if connection is None:
                return ()
            since = {"since": micros(moment - timedelta(minutes=LONGEST_MINUTES))}
            rows = connection.execute(_BREAK_GLASS, since).all()
        opened: dict[str, BreakGlass] = {}
        ended = set()
        for row in rows:
            found = self._decision(row.seq, row.body)
            if found.break_glass is None:
                raise self._damaged(row.seq)
            if found.operation == BreakGlassEvent.OPENED:
                opened[found.break_glass.id] = found.break_glass
            else:
                ended.add(found.break_glass.id)
        return tuple(
            glass for id_, glass in opened.items() if id_ not in ended and glass.is_open(moment)
        )

    def _decision(self, seq: int, stored: bytes) -> Decision:
        try:
            return restore(stored)
        except ValueError as error:
            raise self._damaged(seq) from error

    def _unpacked(self, seq: int, stored: bytes | None) -> bytes:
        try:
            return b"" if stored is None else unpack(stored)
        except ValueError as error:
            raise self._damaged(seq) from error

    def _damaged(self, seq: int) -> LogUnavailable:
        return damaged(self._path, f"record {seq}")


# A record that ends something is never older than the one that opened it. The kind is written out,
# because only then is it certain that SQLite sees the index that holds nothing else.
_BREAK_GLASS = select(decisions.c.seq, decisions.c.body).where(
    decisions.c.kind == literal_column(f"'{Kind.BREAK_GLASS.value}'"),
    decisions.c.time >= bindparam("since", type_=BigInteger),
)


def _page(wanted: Filter, before: int | None, count: int) -> Select[Any]:
    """The query for *count* rows below the number *before*.

    The table whose condition is likely to be met least is walked from its newest row backwards,
    along an index; the others are looked up. So a page costs what it shows, not what is stored.
    """
    resource = _equal((resources.c.team, wanted.team), (resources.c.vendor, wanted.vendor))
    about = _about(wanted)
    finding = _equal((findings.c.code, wanted.code), (findings.c.waived_by, wanted.waived_by))
    if finding:
        number = findings.c.decision
        conditions = [*finding, *_looked_up(resources.c.decision, number, resource)]
        conditions += _looked_up(decisions.c.seq, number, about)
    elif resource:
        number = resources.c.decision
        conditions = [*resource, *_looked_up(decisions.c.seq, number, about)]
    else:
        number = decisions.c.seq
        conditions = about
    conditions += _within(number, wanted)
    if before is not None:
        conditions.append(number < before)
    found = select(number).where(*conditions).distinct().order_by(number.desc()).limit(count)
    return (
        select(decisions.c.seq, decisions.c.decision_id, decisions.c.body)
        .where(decisions.c.seq.in_(found))
        .order_by(decisions.c.seq.desc())
    )


def _about(wanted: Filter) -> list[ColumnElement[bool]]:
    return [
        *_equal(
            (decisions.c.outcome, wanted.outcome),
            (decisions.c.enforcement_point, wanted.enforcement_point),
            (decisions.c.binding, wanted.binding),
            (decisions.c.kind, wanted.kind),
        ),
        *_during(decisions.c.time, wanted),
    ]


def _during(time: Column[int], wanted: Filter) -> list[ColumnElement[bool]]:
    since = [] if wanted.since is None else [time >= micros(wanted.since)]
    return since if wanted.until is None else [*since, time < micros(wanted.until)]


def _within(number: Column[int], wanted: Filter) -> list[ColumnElement[bool]]:
    """Bounds that the wanted times set on numbers, so that newer records need no look.

    Numbers nearly follow the clock, but not quite: the times themselves are still compared.
    """
    row = decisions.alias()
    during = _during(row.c.time, wanted)
    if not during:
        return []
    # A sum, lest SQLite looks for the least number in the wide rows instead of the index on time.
    seq = row.c.seq + 0
    least = select(func.min(seq)).where(*during).scalar_subquery()
    most = select(func.max(seq)).where(*during).scalar_subquery()
    return [number >= least, number <= most]


def _looked_up(
    column: Column[int], number: Column[int], conditions: list[ColumnElement[bool]]
) -> list[ColumnElement[bool]]:
    return [exists().where(and_(column == number, *conditions))] if conditions else []
