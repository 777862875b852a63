"""Requests that were sent to one evaluator and that it has not answered yet, in their order.

A few wait in its socket while it works, so that neither it nor we sleep between two requests.
That must not tie a request to an evaluator that is stuck: what waits behind a slow one is sent to
another evaluator too, and the first one's answer to it, if there ever is one, is ignored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from service.errors import EvaluationFailed

DEPTH = 4
LARGEST_BYTES = 64 * 1024
SLOW_SECONDS = 0.05


@dataclass(eq=False, slots=True)
class Job:
    """A request on its way: waiting, or with an evaluator.

    Attributes:
        body: The request as JSON.
        seconds: What it may take in all.
        answer: The findings as JSON; done before the evaluator is, if the client is gone.
        timer: Stops it at its deadline.
        line: Where it was sent.
        overdue: Whether its deadline has passed.
    """

    body: bytes
    seconds: float
    answer: asyncio.Future[bytes]
    timer: asyncio.TimerHandle | None = None
    line: Line | None = None
    overdue: bool = False

    def fail(self, error: EvaluationFailed) -> None:
        """Give *error* to whoever still waits."""
        if self.timer is not None:
            self.timer.cancel()
        if not self.answer.done():
            self.answer.set_exception(error)


class _Sent(NamedTuple):
    """A number, and the job that it stands for unless that was moved elsewhere."""

    number: int
    job: Job | None


@dataclass(eq=False, slots=True)
class Line:
    """What one evaluator is asked; ``since`` is when it began with the first of it."""

    since: float = 0.0
    _sent: deque[_Sent] = field(default_factory=deque)
    _bytes: int = 0
    _next: int = 0

    def __len__(self) -> int:
        return len(self._sent)

    def has_room(self, job: Job, now: float) -> bool:
        """Whether *job* may be sent now: at once to an idle evaluator, else behind quick ones."""
        if not self._sent:
            return True
        return (
            len(self._sent) < DEPTH
            and self._bytes + len(job.body) <= LARGEST_BYTES
            and now - self.since < SLOW_SECONDS
        )

    def add(self, job: Job, now: float) -> int:
        """Put *job* last; the number it is to be sent under."""
        if not self._sent:
            self.since = now
        number = self._next
        self._next = (number + 1) % 2**32
        self._sent.append(_Sent(number, job))
        self._bytes += len(job.body)
        job.line = self
        return number

    @property
    def first(self) -> Job | None:
        """What the evaluator works on; ``None`` if that is nothing, or was moved elsewhere."""
        return self._sent[0].job if self._sent else None

    def take(self, number: int, now: float) -> Job | None:
        """The job that answer *number* is for; ``None`` if it was moved elsewhere.

        Raises:
            LookupError: The answer is not for what the evaluator was asked first.
        """
        if not self._sent or self._sent[0].number != number:
            raise LookupError(number)
        job = self._sent.popleft().job
        self.since = now
        if job is not None:
            self._bytes -= len(job.body)
        return job

    def is_slow(self, now: float) -> bool:
        """Whether the evaluator has worked long on one request."""
        return bool(self._sent) and now - self.since >= SLOW_SECONDS

    @property
    def is_abandoned(self) -> bool:
        """Whether nothing will stop what the evaluator works on, should it never end."""
        return bool(self._sent) and (self.first is None or self.first.overdue)

    def withdraw(self) -> list[Job]:
        """The jobs behind the first one, which are no longer expected from here."""
        if not self._sent:
            return []
        first, *behind = self._sent
        self._sent = deque((first, *(_Sent(entry.number, None) for entry in behind)))
        self._bytes = len(first.job.body) if first.job is not None else 0
        return _freed(behind)

    def clear(self) -> list[Job]:
        """All jobs that were expected from here, the first one first."""
        sent = list(self._sent)
        self._sent.clear()
        self._bytes = 0
        return _freed(sent)


def _freed(sent: list[_Sent]) -> list[Job]:
    jobs = [entry.job for entry in sent if entry.job is not None]
    for job in jobs:
        job.line = None
    return jobs
