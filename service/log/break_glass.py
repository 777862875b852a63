"""What the log has open as break-glass, known to a process that decides without asking each time.

The log is read in a thread, at most once a second and only while there are requests. A request
meanwhile goes by what was read before, for two seconds; only where that is older does it wait, and
then for a moment. What cannot be read in that time waives nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from service.errors import LogUnavailable
from service.model.break_glass import BreakGlass

AGAIN_S = 1.0
USABLE_S = 2.0
MOMENT_S = 0.2

_LOG = structlog.get_logger("portreeve")
_NEVER = float("-inf")


class OpenBreakGlass:
    """What is open, as of a second or two ago; belongs to one event loop."""

    def __init__(
        self,
        read: Callable[[], tuple[BreakGlass, ...]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*read* asks the log, in a thread; *clock* gives seconds."""
        self._read = read
        self._clock = clock
        # A thread of its own: those that read large plans may all be busy.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="portreeve-break-glass")
        self._reading: asyncio.Task[None] | None = None
        self._begun = self._as_of = _NEVER
        self._known: tuple[BreakGlass, ...] = ()
        self._readable = True

    async def __call__(self) -> tuple[BreakGlass, ...]:
        """What is open; nothing where that could not be found out."""
        now = self._clock()
        if now - self._begun >= AGAIN_S and (self._reading is None or self._reading.done()):
            self._begun = now
            self._reading = asyncio.create_task(self._look(now))
        if now - self._as_of >= USABLE_S and self._reading is not None:
            await asyncio.wait({self._reading}, timeout=max(0.0, self._begun + MOMENT_S - now))
        return self._known if self._clock() - self._as_of < USABLE_S else ()

    def forget(self) -> None:
        """Read again before the next request, because the log says something else now."""
        self._reading = None
        self._begun = self._as_of = _NEVER

    async def close(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _look(self, begun: float) -> None:
        known: tuple[BreakGlass, ...] = ()
        try:
            loop = asyncio.get_running_loop()
            known = await loop.run_in_executor(self._thread, self._read)
        except LogUnavailable as error:
            self._say_unreadable(error.message)
        except Exception as error:  # noqa: BLE001 - the thread's edge: without it nothing is waived
            self._say_unreadable(type(error).__name__)
        else:
            self._readable = True
        if self._reading is asyncio.current_task():
            self._known, self._as_of = known, begun

    def _say_unreadable(self, reason: str) -> None:
        if self._readable:
            _LOG.error("break_glass_unreadable", reason=reason)
        self._readable = False
