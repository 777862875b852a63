"""Pydantic's report of a value that does not fit, as half a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_LONGEST = 80


def explain(error: ValidationError) -> str:
    """The first thing that is wrong: what was found where, and what was expected."""
    first = error.errors(include_url=False, include_context=False)[0]
    pointer = "".join(f"/{part}" for part in first["loc"])
    if first["type"] == "missing":
        return f"`{pointer}` is missing"
    if first["type"] == "extra_forbidden":
        return f"`{pointer}` is not known"
    found = str(first["input"])[:_LONGEST]
    return f"`{found}` at `{pointer}`: {first['msg'][0].lower()}{first['msg'][1:]}"
