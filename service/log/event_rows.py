"""Subject events as the rows that will stand for them, made before they wait for the writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from service.errors import LogUnavailable
from service.log.rows import micros
from service.model.subject_event import SubjectEvent
from service.store.packing import pack, unpack
from service.store.statements import Row


class PreparedEvents(NamedTuple):
    """Some events, ready to be inserted, all or none; plain values only, as in ``Prepared``.

    Attributes:
        rows: Rows of ``subject_events`` without ``seq``.
        size: About how many bytes wait in memory.
    """

    rows: tuple[Row, ...]
    size: int


def prepare_events(events: Sequence[SubjectEvent]) -> PreparedEvents:
    """The rows of *events*.

    Raises:
        LogUnavailable: The time of one cannot be read, or its text cannot be encoded.
    """
    rows = tuple(_row(event) for event in events)
    return PreparedEvents(rows, sum(len(row[-1]) for row in rows))


def restore_event(body: bytes) -> SubjectEvent:
    """The event whose stored form is *body*.

    Raises:
        ValueError: The body is damaged, or was written by a release that knows more fields.
    """
    return SubjectEvent.model_validate_json(unpack(body))


def _row(event: SubjectEvent) -> Row:
    try:
        time = micros(datetime.fromisoformat(event.time))
        body = pack(event.model_dump_json().encode())
    except (ValueError, TypeError) as error:
        raise LogUnavailable(f"the event `{event.event_id}` cannot be recorded: {error}") from error
    return (
        event.event_id,
        time,
        event.event.value,
        event.cluster or "",
        event.namespace,
        event.kind,
        event.subject,
        event.uid,
        body,
    )
