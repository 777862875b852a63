"""Identifiers that sort by time: UUID version 7."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_COUNTER_BITS = 42
_TAIL_BITS = 32
_VERSION = 7 << 76
_VARIANT = 0b10 << 62


class _Clock:
    """Milliseconds and a counter within them, which together never go back in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moment = 0
        self._counter = 0

    def next(self, moment: int, seed: int) -> tuple[int, int]:
        with self._lock:
            if moment > self._moment:
                # The highest bit stays clear, so that a millisecond never runs out of numbers.
                self._moment, self._counter = moment, seed >> 1
            else:
                self._counter += 1
                if self._counter >> _COUNTER_BITS:
                    self._moment, self._counter = self._moment + 1, seed >> 1
            return self._moment, self._counter


_clock = _Clock()


def uuid7() -> str:
    """A new UUID of version 7 (RFC 9562), greater than every earlier one of this process.

    After 48 bits of milliseconds come a counter of 42 bits (method 1 of section 6.2, seeded at
    random in each millisecond) and 32 random bits. Safe to call from several threads.
    """
    noise = int.from_bytes(os.urandom(10))
    seed, tail = noise >> 38, noise & ((1 << _TAIL_BITS) - 1)
    moment, counter = _clock.next(time.time_ns() // 1_000_000, seed)
    upper, lower = counter >> 30, counter & ((1 << 30) - 1)
    value = moment << 80 | _VERSION | upper << 64 | _VARIANT | lower << _TAIL_BITS | tail
    return str(UUID(int=value))
