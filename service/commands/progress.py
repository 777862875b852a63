"""How far a command has come, on one line of a terminal, and nothing where there is none."""

from __future__ import annotations

import time
from typing import TextIO

_EVERY_SECONDS = 0.1
_BAR = 24


class Progress:
    """Tells of reading, deciding and writing on a stream, if that is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._on = stream.isatty()
        self._last = 0.0
        self._total = 0
        self._shown = False

    def read(self, kind: str, count: int, total: int | None) -> None:
        """So many objects of *kind* are read, of *total* where that is known."""
        of = f" of {total:,}" if total is not None and total > count else ""
        self._show(f"reading {kind}: {count:,}{of}", is_last=False)

    def begin(self, total: int, known: int) -> None:
        """So many objects are to be decided, of which *known* may have been before."""
        self._total = total
        if known:
            self.say(f"going on with a scan, decided before: {known:,}")

    def decided(self, count: int) -> None:
        """So many objects are decided."""
        filled = _BAR * count // max(1, self._total)
        bar = "#" * filled + "." * (_BAR - filled)
        self._show(f"deciding [{bar}] {count:,} of {self._total:,}", is_last=count == self._total)

    def written(self, count: int) -> None:
        """So many reports are written."""
        self._show(f"writing reports: {count:,}", is_last=False)

    def say(self, text: str) -> None:
        """A line that stays, on whatever the stream is."""
        self.clear()
        self._stream.write(f"portreeve: {text}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Leave nothing behind."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False

    def _show(self, text: str, *, is_last: bool) -> None:
        now = time.monotonic()
        if not self._on or (now - self._last < _EVERY_SECONDS and not is_last):
            return
        self._last = now
        self._shown = True
        self._stream.write(f"\r\x1b[2K{text}")
        self._stream.flush()
