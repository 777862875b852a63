"""What both readers share."""

from __future__ import annotations

MAX_DEPTH = 100

_SHOWN = 64


def printable(text: str) -> str:
    """*text* for a message: without control characters, cut after 64 characters."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
