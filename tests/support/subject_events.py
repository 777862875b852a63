"""Subject events for tests of the log, as a watched Deployment leaves them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from records import NOON

from service.model.subject_event import Happened, Observed, SubjectEvent


def applied(name: str = "llama-0", *, at: int = 0, **changes: Any) -> SubjectEvent:
    """An event *at* so many seconds after noon, of an object of its own unless told otherwise."""
    values: dict[str, Any] = {
        "event_id": secrets.token_hex(16),
        "time": (NOON + timedelta(seconds=at)).isoformat().replace("+00:00", "Z"),
        "event": Happened.APPLIED,
        "observed": Observed.WATCH,
        "cluster": "prod-eu",
        "namespace": "prod",
        "subject": f"prod-eu/prod/Deployment/{name}",
        "address": f"Deployment prod/{name}",
        "group": "apps",
        "kind": "Deployment",
        "uid": secrets.token_hex(8),
        "resource_version": "7",
        "generation": 1,
        "state_digest": "sha256:00",
    }
    return SubjectEvent(**(values | changes))


def ended(name: str = "llama-0", *, at: int = 0, **changes: Any) -> SubjectEvent:
    """The end of such an object."""
    given = {"event": Happened.ENDED, "reason": "Deleted"} | changes
    return applied(name, at=at, **given)
