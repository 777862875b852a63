"""Break-glass as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from service.model.break_glass import BreakGlass, BreakGlassEvent
from service.model.decision import Decision
from service.report.text import columns, plain


def in_words(decision: Decision) -> str:
    """One line about a record that opens break-glass or ends it."""
    glass = decision.break_glass
    if glass is None:
        return decision.kind
    what = f"break-glass {glass.id} for {_codes(glass)} in {where(glass)}"
    by = f"{decision.actor.name} ({decision.caller})"
    if decision.operation == BreakGlassEvent.OPENED:
        return plain(f"{what} opened by {by} until {glass.ends_at}")
    return plain(f"{what} ended by {by}")


def as_lines(decision: Decision, glass: BreakGlass) -> list[str]:
    """What a record of *glass* says, below its headline."""
    times = f"from {glass.opened_at} to {glass.ends_at}"
    record = f"decision {decision.decision_id} at {decision.time}, bundle {decision.bundle.name}"
    lines = (f"reason: {glass.reason}", f"by {glass.actor} ({glass.caller}) {times}", record)
    return [f"  {plain(line)}" for line in lines]


def as_rows(opened: Sequence[BreakGlass]) -> str:
    """What is open, one line each."""
    if not opened:
        return "nothing is open\n"
    head = ("ID", "WHERE", "CODES", "UNTIL", "ACTOR", "CALLER", "REASON")
    return columns([head, *(_row(glass) for glass in opened)])


def where(glass: BreakGlass) -> str:
    """The selectors of *glass*."""
    return ", ".join(f"{name} {value}" for name, value in glass.match if value is not None)


def _row(glass: BreakGlass) -> tuple[str, ...]:
    cells = (glass.id, where(glass), _codes(glass), glass.ends_at)
    return tuple(plain(cell) for cell in (*cells, glass.actor, glass.caller, glass.reason))


def _codes(glass: BreakGlass) -> str:
    return "all codes" if glass.codes is None else ",".join(glass.codes)
