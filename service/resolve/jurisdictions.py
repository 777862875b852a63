"""Country -> jurisdictions, as the catalog has them on one day.

A jurisdiction holds from ``valid_from`` to ``valid_to``, both included, in UTC. A row with a
``condition`` never holds on its own: whether somebody meets it is not in the catalog.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from service.resolve.tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Membership(NamedTuple):
    jurisdiction: str
    first: date
    last: date


class Jurisdictions:
    """The jurisdictions of countries."""

    def __init__(self, catalog: Table) -> None:
        countries = table(catalog, "countries")
        self._members = {
            country: [_membership(row) for row in rows if not row.get("condition")]
            for country, rows in countries.items()
        }
        self._conditional = {
            country: [_membership(row) for row in rows if row.get("condition")]
            for country, rows in countries.items()
        }

    def of(self, country: str, day: date) -> tuple[str, ...]:
        """The jurisdictions that *country* belongs to on *day*, sorted."""
        return _on(day, self._members.get(country, ()))

    def under_condition(self, country: str, day: date) -> tuple[str, ...]:
        """Those that hold there on *day* for whoever meets a condition, and for nobody else."""
        held = self.of(country, day)
        found = _on(day, self._conditional.get(country, ()))
        return tuple(name for name in found if name not in held)


def _on(day: date, members: Iterable[_Membership]) -> tuple[str, ...]:
    return tuple(sorted({m.jurisdiction for m in members if m.first <= day <= m.last}))


def _membership(row: dict[str, Any]) -> _Membership:
    first, last = row.get("valid_from"), row.get("valid_to")
    return _Membership(
        row["jurisdiction"],
        date.fromisoformat(first) if first else date.min,
        date.fromisoformat(last) if last else date.max,
    )
