"""Subject events as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from service.model.subject_event import Happened, Observed, SubjectEvent
from service.report.text import columns, paint, plain

_COLOURS = {Happened.APPLIED: "green", Happened.ENDED: "dim", Happened.FAILED: "red"}


def as_page(events: Sequence[SubjectEvent]) -> str:
    """Events, one line each."""
    if not events:
        return "no events\n"
    head = ("TIME", "EVENT", "CLUSTER", "WHAT", "WHY", "NOTICED", "UID")
    return columns([head, *(_line(event) for event in events)])


def as_sequel(events: Sequence[SubjectEvent], *, colour: bool = False) -> str:
    """What became of a decision's subjects, to stand below it; nothing without events."""
    if not events:
        return ""
    lines = ["  afterwards:"]
    for event in events:
        word = paint(event.event.value, _COLOURS[event.event], on=colour)
        why = f" ({_why(event)})" if event.reason else ""
        lines.append(f"    {plain(_when(event))}  {word}  {plain(event.address)}{why}")
    return "".join(f"{line}\n" for line in lines)


def _line(event: SubjectEvent) -> tuple[str, ...]:
    cells = (
        event.time,
        event.event.value,
        event.cluster or "-",
        event.address,
        _why(event) or "-",
        event.observed.value,
        event.uid,
    )
    return tuple(plain(cell) for cell in cells)


def _when(event: SubjectEvent) -> str:
    """When it happened, as well as that is known."""
    if event.observed is Observed.LIST and event.happened_at is None:
        return f"before {event.time}" if event.event is not Happened.APPLIED else event.time
    return event.happened_at or event.time


def _why(event: SubjectEvent) -> str:
    return plain(event.reason or "")
