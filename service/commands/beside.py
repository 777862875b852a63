"""What the inputs of one command hold that others of them name.

A claim for devices often stands in a file of its own, beside that of the pods which name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adapters.kubernetes.claims import ClaimIndex
from service.commands.sources import Source, documents_of
from service.errors import RequestRefused
from service.model.base import Scope

_ABOUT_CLAIMS = (b"resource.k8s.io/", b"resource.nvidia.com/")
_DEEPEST_LIST = 4


def read_beside(names: Sequence[str], *, scope: Scope, limit: int) -> ClaimIndex | None:
    """Claims and device classes in all files that *names* name; ``None`` for a single input.

    An input that cannot be read is passed over here, and refused where it is decided about. What
    comes through a pipe can be read once only, so that nothing else finds what is in it.
    """
    if len(names) < 2:
        return None
    found: list[dict[str, Any]] = []
    for name in names:
        try:
            objects = list(_objects_in(name, limit))
            ClaimIndex(objects, namespace=scope.namespace)
        except (OSError, RequestRefused):
            continue
        found += objects
    return ClaimIndex(found, namespace=scope.namespace) if found else None


def _objects_in(name: str, limit: int) -> Iterator[dict[str, Any]]:
    """The objects of the file *name* if any of them is about claims."""
    path = Path(name)
    if name == "-" or not path.is_file():
        return
    with path.open("rb") as stream:
        raw = stream.read(limit + 1)
    if any(mark in raw for mark in _ABOUT_CLAIMS):
        yield from _flattened(documents_of(Source(name, raw, ""), limit), 0)


def _flattened(documents: list[Any], depth: int) -> Iterator[dict[str, Any]]:
    for document in documents:
        if isinstance(document, list) and depth < _DEEPEST_LIST:
            yield from _flattened(document, depth + 1)
        elif isinstance(document, dict):
            items = document.get("items")
            if isinstance(items, list) and depth < _DEEPEST_LIST:
                yield from _flattened(items, depth + 1)
            else:
                yield document
