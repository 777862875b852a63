"""Finds subject events in the log, while it is being written or after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from service.log.event_rows import restore_event
from service.log.filters import EventFilter
from service.log.reading import before, check_limit, connected, cursor_at, damaged, equal
from service.log.rows import micros
from service.model.base import Value
from service.model.subject_event import Happened, SubjectEvent
from service.store.schema import subject_events

_MOST_NAMES = 500
"""Names in one question: SQLite takes 32,766 parameters, older ones 999."""


class EventPage(Value):
    """Some events, newest first; ``next_cursor`` is ``None`` on the last page."""

    events: tuple[SubjectEvent, ...] = ()
    next_cursor: str | None = None


class EventReader:
    """Reads the subject events of the log at a path, as ``DecisionReader`` reads decisions."""

    def __init__(self, path: Path) -> None:
        """Read the log at *path*, which need not exist."""
        self._path = path

    def find(
        self, wanted: EventFilter, *, cursor: str | None = None, limit: int = 100
    ) -> EventPage:
        """At most *limit* events that meet *wanted*, newest first, from *cursor* on.

        Raises:
            RequestRefused: The cursor is none of ours, or the limit is not from 1 to 1000.
            LogUnavailable: The log cannot be read.
        """
        check_limit(limit)
        conditions = _conditions(wanted)
        if cursor is not None:
            conditions.append(subject_events.c.seq < before(cursor))
        found = self._events(_newest_first(conditions, limit + 1))
        shown = found[:limit]
        return EventPage.model_construct(
            events=tuple(event for _, event in shown),
            next_cursor=cursor_at(shown[-1][0]) if len(found) > limit else None,
        )

    def about(
        self, subjects: Sequence[str], *, since: datetime, limit: int = 100
    ) -> tuple[SubjectEvent, ...]:
        """The first *limit* events of *subjects* from *since* (with a time zone) on, oldest first.

        Raises:
            LogUnavailable: The log cannot be read.
        """
        names = list(dict.fromkeys(subjects))[:_MOST_NAMES]
        query = (
            select(subject_events.c.seq, subject_events.c.body)
            .where(subject_events.c.subject.in_(names), subject_events.c.time >= micros(since))
            .order_by(subject_events.c.seq)
            .limit(limit)
        )
        return tuple(event for _, event in self._events(query))

    def living(self, cluster: str | None) -> tuple[SubjectEvent, ...]:
        """Of each object in *cluster* that was applied and not ended since: the last event.

        Raises:
            LogUnavailable: The log cannot be read.
        """
        last = (
            select(func.max(subject_events.c.seq))
            .where(subject_events.c.cluster == (cluster or ""))
            .group_by(subject_events.c.uid)
        )
        query = select(subject_events.c.seq, subject_events.c.body).where(
            subject_events.c.seq.in_(last), subject_events.c.event == Happened.APPLIED.value
        )
        return tuple(event for _, event in self._events(query))

    def last(self, cluster: str | None, uids: Sequence[str]) -> tuple[SubjectEvent, ...]:
        """The last event of each of at most 500 objects in *cluster* of which there is any.

        Raises:
            LogUnavailable: The log cannot be read.
        """
        last = (
            select(func.max(subject_events.c.seq))
            .where(subject_events.c.uid.in_(uids[:_MOST_NAMES]))
            .where(subject_events.c.cluster == (cluster or ""))
            .group_by(subject_events.c.uid)
        )
        query = select(subject_events.c.seq, subject_events.c.body)
        return tuple(
            event for _, event in self._events(query.where(subject_events.c.seq.in_(last)))
        )

    def _events(self, query: Select[Any]) -> list[tuple[int, SubjectEvent]]:
        with connected(self._path) as connection:
            rows = () if connection is None else connection.execute(query).all()
        return [(row.seq, self._event(row.seq, row.body)) for row in rows]

    def _event(self, seq: int, stored: bytes) -> SubjectEvent:
        try:
            return restore_event(stored)
        except ValueError as error:
            raise damaged(self._path, f"subject event {seq}") from error


def _newest_first(conditions: Sequence[ColumnElement[bool]], count: int) -> Select[Any]:
    return (
        select(subject_events.c.seq, subject_events.c.body)
        .where(*conditions)
        .order_by(subject_events.c.seq.desc())
        .limit(count)
    )


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    columns = subject_events.c
    found = equal(
        (columns.event, wanted.event),
        (columns.cluster, wanted.cluster),
        (columns.namespace, wanted.namespace),
        (columns.kind, wanted.kind),
        (columns.subject, wanted.subject),
        (columns.uid, wanted.uid),
    )
    if wanted.since is not None:
        found.append(columns.time >= micros(wanted.since))
    if wanted.until is not None:
        found.append(columns.time < micros(wanted.until))
    return found
