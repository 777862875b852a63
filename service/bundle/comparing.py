"""Two catalogs, row by row: what was added, removed and changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# How many names lead to a row of each table.
DEPTHS = {
    "accelerators": 1,
    "accelerator_names": 1,
    "instance_types": 2,
    "instance_families": 2,
    "prices": 4,
    "price_areas": 2,
    "sources": 1,
    "regions": 2,
    "zones": 2,
    "countries": 1,
    "operators": 2,
    "models": 1,
    "model_names": 1,
    "kubernetes_resources": 1,
}

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not the same.

    *before* is ``None`` for a row that was added, *after* for one that was removed; else both hold
    only the columns that differ.
    """

    table: str
    key: Key
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def rows_of(catalog: Mapping[str, Any], table: str) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Every row of a compiled *catalog*'s *table* and its key, in their order."""
    yield from _rows(catalog.get(table, {}), DEPTHS[table], ())


def _rows(
    value: Mapping[str, Any], depth: int, key: Key
) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    for name, item in value.items():
        if depth > 1:
            yield from _rows(item, depth - 1, (*key, name))
        else:
            yield (*key, name), item if isinstance(item, Mapping) else {"value": item}


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What turns the compiled catalog *before* into *after*; sorted by key within each table."""
    return [change for table in DEPTHS for change in _changes(before, after, table)]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], table: str) -> Iterator[Change]:
    old, new = dict(rows_of(before, table)), dict(rows_of(after, table))
    for key in sorted({*old, *new}):
        if key not in old:
            yield Change(table, key, None, new[key])
        elif key not in new:
            yield Change(table, key, old[key], None)
        elif old[key] != new[key]:
            columns = [
                name for name in {**old[key], **new[key]} if _differ(old[key], new[key], name)
            ]
            yield Change(
                table,
                key,
                {name: old[key].get(name) for name in columns},
                {name: new[key].get(name) for name in columns},
            )


def _differ(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    return (name in old) != (name in new) or old.get(name) != new.get(name)
