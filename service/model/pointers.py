"""JSON Pointers (RFC 6901) from a resource to what is not known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.model.base import Reason


def reason_of(unknown: Mapping[str, Reason], pointer: str) -> Reason | None:
    """Why the value at *pointer* is not known: its own entry, or the nearest that covers it."""
    if not unknown:
        return None
    while pointer not in unknown:
        if not pointer:
            return None
        pointer = pointer.rpartition("/")[0]
    return unknown[pointer]
