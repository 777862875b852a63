"""What the pipeline hands to the decision log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from service.errors import LogUnavailable
from service.model.decision import Decision
from service.model.subject_event import SubjectEvent


@dataclass(frozen=True)
class Entry:
    """A decision with what it was made from.

    Attributes:
        decision: What was decided.
        request: The redacted, normalised request as canonical JSON; empty for a rejected input.
        context: The context as canonical JSON; empty for a rejected input.
        resolved_digest: Digest of the resolved request that the rules saw.
        unique: Whether the decision's enforcement point and key identify a repetition: the first
            one recorded then stays, and is what ``record`` returns. Whether it is about the same
            request is for the caller to see, by the digest of the request.
    """

    decision: Decision
    request: bytes = b""
    context: bytes = b""
    resolved_digest: str = ""
    unique: bool = False


class DecisionLog(Protocol):
    """Keeps decisions for good."""

    async def record(self, entry: Entry) -> Decision:
        """Make *entry* durable, then return the decision that stands for it.

        Raises:
            LogUnavailable: It cannot be made durable; no answer may leave.
        """
        ...

    async def ready(self) -> bool:
        """Whether a record could be made now."""
        ...

    async def close(self) -> None:
        """Write what is waiting and release the log."""
        ...


class EventLog(Protocol):
    """Keeps subject events for good."""

    async def record_events(self, events: Sequence[SubjectEvent]) -> None:
        """Make *events* durable, all or none; those that are recorded already add nothing.

        Raises:
            LogUnavailable: It is not known whether they are durable; they may be recorded again.
        """
        ...


async def recorded(log: DecisionLog, entry: Entry, *, seconds: float, hint: str) -> Decision:
    """What ``record`` returns, within *seconds*; *hint* says what to do where it takes longer.

    Raises:
        LogUnavailable: It was not made durable, or not in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return await log.record(entry)
    except TimeoutError as error:
        raise LogUnavailable(
            "the decision log did not confirm the record in time",
            hint=hint,
            code="SYS-LOG-TIMEOUT",
        ) from error
