"""Break-glass for tests, as it stands in a log and in a context."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from records import NOON, entry

from service.log.entry import Entry
from service.model.break_glass import BreakGlass
from service.model.decision import Cause, Outcome


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def glass(id_: str = "B-1", *, at: float = 0, minutes: float = 60, **changes: Any) -> BreakGlass:
    """Opened *at* so many seconds after noon, by a caller that is named ``oncall``."""
    opened = NOON + timedelta(seconds=at)
    values: dict[str, Any] = {
        "id": id_,
        "caller": "oncall",
        "actor": "ada",
        "match": {"cluster": "prod-eu"},
        "reason": "the region is down",
        "opened_at": stamp(opened),
        "ends_at": stamp(opened + timedelta(minutes=minutes)),
    }
    return BreakGlass.model_validate({**values, **changes})


def event(item: BreakGlass, operation: str = "open", *, at: float = 0, **changes: Any) -> Entry:
    """The record that opens *item*, or ends it so many seconds after noon."""
    opening = operation == "open"
    made = entry(
        item.id,
        kind="break_glass",
        decision_id=item.id if opening else f"{item.id}-end",
        time=item.opened_at if opening else stamp(NOON + timedelta(seconds=at)),
        outcome=Outcome.ALLOW,
        cause=Cause.NONE,
        operation=operation,
        findings=(),
        resources=(),
        break_glass=item,
        **changes,
    )
    return Entry(made.decision)
