"""Text for terminals: colour where it is wanted, and nothing in it that steers the terminal."""

from __future__ import annotations

import os
import unicodedata
from typing import TextIO

_CODES = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


def wants_colour(stream: TextIO) -> bool:
    """Whether *stream* is a terminal whose user has not asked for plain text (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, on: bool) -> str:
    """*text* in *colour*, or as it is."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if on else text


def plain(text: str) -> str:
    """*text* without control and format characters, which could rewrite what a terminal shows."""
    if text.isprintable():
        return text
    return "".join(
        " " if char in "\n\t" else char
        for char in text
        if char in "\n\t" or not unicodedata.category(char).startswith("C")
    )


def columns(rows: list[tuple[str, ...]], *, gap: int = 2) -> str:
    """*rows* as left-aligned columns, one line each."""
    if not rows:
        return ""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = (
        (" " * gap).join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)
