"""The canonical form of a bundle's content, and the digest that every decision records."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from service.errors import BundleRefused
from service.model.base import LARGEST_EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical(value: Any) -> bytes:
    """*value* as JSON with sorted keys and without spaces, the same bytes for equal values."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def digest(modules: Mapping[str, str], data: Mapping[str, Any]) -> str:
    """``sha256:`` and the hex digest of all modules and of the data.

    Each module is hashed as the length of its path, its path, the length of its text and its text,
    in the order of paths, so that neither the order of files nor a shifted boundary can go
    unnoticed; the canonical data follow.
    """
    content = hashlib.sha256()
    for path in sorted(modules):
        for part in (path.encode("utf-8"), modules[path].encode("utf-8")):
            content.update(len(part).to_bytes(8, "big"))
            content.update(part)
    content.update(canonical(data))
    return f"sha256:{content.hexdigest()}"


def part_digests(modules: Mapping[str, str], data: Mapping[str, Any]) -> dict[str, str]:
    """The digest of each part that has an owner of its own: ``rules`` and every table of *data*."""
    tables = {
        name: f"sha256:{hashlib.sha256(canonical(content)).hexdigest()}"
        for name, content in data.items()
    }
    return {"rules": digest(modules, {}), **tables}


def check_numbers(value: Any, pointer: str = "") -> None:
    """Refuse data that two engines would read differently.

    Raises:
        BundleRefused: A number is a fraction or beyond 2^53; names the pointer.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            if item.__class__ is not str:
                check_numbers(item, f"{pointer}/{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            if item.__class__ is not str:
                check_numbers(item, f"{pointer}/{index}")
    elif isinstance(value, float) or (
        isinstance(value, int) and not -LARGEST_EXACT <= value <= LARGEST_EXACT
    ):
        raise BundleRefused(
            f"data: `{value}` at `{pointer}` is a fraction or beyond 2^53, expected an integer"
        )
