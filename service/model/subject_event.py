"""What became of a subject after it was admitted, as the place where it runs shows it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from service.model.base import Count, Text, Value
from service.model.request import SCHEMA_VERSION

_Stated = Annotated[Text, Field(min_length=1)]


class Happened(StrEnum):
    """What an event tells.

    ``applied``: it is there, or asks for something else than before. ``ended``: it was deleted, or
    has done what it was for. ``failed``: it gave up. Whatever ended or failed takes nothing any
    more, unless it is applied again.
    """

    APPLIED = "applied"
    ENDED = "ended"
    FAILED = "failed"


class Observed(StrEnum):
    """How an event was noticed: as it happened, or later, when everything was listed."""

    WATCH = "watch"
    LIST = "list"


class SubjectEvent(Value):
    """One event in the life of one object.

    Attributes:
        schema_version: Of the model, as in decisions.
        event_id: The same whoever notices the event, and however often.
        time: When it was noticed; RFC 3339 in UTC.
        happened_at: When it happened, as the object itself states; ``None`` where it does not.
        event: What happened.
        observed: How it was noticed.
        reason: Of an end or a failure: ``Deleted``, ``Absent`` where it was missing when all
            objects were listed, or what the object's status gives.
        cluster: Where the object is; ``None`` where that has no name.
        namespace: The same within the cluster; ``None`` for objects of the cluster.
        subject: The subject of decisions about the object.
        address: What its user calls it.
        group: API group of its kind; empty for the core group.
        kind: Kind, without its group.
        uid: Tells it from others that had, or will have, the same name.
        resource_version: Its version when this was noticed.
        previous: The event of the same object before this one; ``None`` for the first.
        generation: The number of its specification, where its kind counts them.
        state_digest: Digest of what it asks for, as a decision about it would see that.
    """

    schema_version: int = SCHEMA_VERSION
    event_id: _Stated
    time: _Stated
    happened_at: Text | None = None
    event: Happened
    observed: Observed
    reason: Text | None = None
    cluster: Text | None = None
    namespace: Text | None = None
    subject: _Stated
    address: _Stated
    group: Text = ""
    kind: _Stated
    uid: _Stated
    resource_version: Text
    previous: Text | None = None
    generation: Count | None = None
    state_digest: Text
