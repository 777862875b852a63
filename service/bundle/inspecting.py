"""What a bundle holds, for a person and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from service.bundle.values import Bundle


def inspect(bundle: Bundle, *, today: date | None = None) -> dict[str, Any]:
    """Name, revision and digest, the codes with their titles, the posture, and the catalog's size.

    ``prices`` states how many there are and the dates of the oldest and the newest; with *today*
    also the age of the oldest in days.
    """
    dates = sorted(price["as_of"] for price in _prices(bundle) if price.get("as_of"))
    oldest, newest = (dates[0], dates[-1]) if dates else (None, None)
    return {
        "name": bundle.ref.name,
        "revision": bundle.ref.revision,
        "digest": bundle.ref.digest,
        "organisation": bundle.org.name,
        "posture": bundle.org.posture.value,
        "rules": {
            code: {"title": rule.title, "severity": rule.severity.value, "package": rule.package}
            for code, rule in bundle.rulebook.items()
        },
        "catalog": {
            table: _rows(content) for table, content in sorted(bundle.data["catalog"].items())
        },
        "prices": {
            "rows": sum(1 for _ in _prices(bundle)),
            "oldest": oldest,
            "newest": newest,
            "oldest_age_days": _age(oldest, today),
        },
    }


def _prices(bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Every price of the catalog: vendor, type, kind of price, region."""
    for types in bundle.data["catalog"].get("prices", {}).values():
        for kinds in types.values():
            for regions in kinds.values():
                yield from regions.values()


def _rows(table: Any) -> int:
    """How many rows a table has; tables of several vendors are summed."""
    if isinstance(table, dict) and table and all(isinstance(row, dict) for row in table.values()):
        inner = [value for row in table.values() for value in row.values()]
        if inner and all(isinstance(value, dict) for value in inner):
            return len(inner)
    return len(table)


def _age(day: str | None, today: date | None) -> int | None:
    return (today - type(today).fromisoformat(day)).days if day and today else None
