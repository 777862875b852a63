"""What a bundle holds, for a person and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from service.bundle.values import Bundle


def inspect(bundle: Bundle, *, today: date | None = None) -> dict[str, Any]:
    """Name, revision and digest, the codes with their titles, the posture, and the catalog's size.

    ``prices`` states how many there are and the days of the oldest and the newest; with *today*
    also the age of the oldest in days.
    """
    catalog = bundle.data["catalog"]
    days = sorted(price["as_of"] for price in _prices(catalog))
    oldest, newest = (days[0], days[-1]) if days else (None, None)
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
        "catalog": dict(catalog.get("meta", {}).get("rows", {})),
        "prices": {
            "rows": len(days),
            "oldest": oldest,
            "newest": newest,
            "oldest_age_days": _age(oldest, today),
        },
    }


def _prices(catalog: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every price: by vendor, type, kind of price and region."""
    for types in catalog.get("prices", {}).values():
        for kinds in types.values():
            for regions in kinds.values():
                yield from regions.values()


def _age(day: str | None, today: date | None) -> int | None:
    return (today - type(today).fromisoformat(day)).days if day and today else None
