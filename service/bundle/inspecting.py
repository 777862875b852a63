"""What a bundle holds, for a person and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.bundle.digest import part_digests
from service.bundle.freshness import old_prices, price_days

if TYPE_CHECKING:
    from datetime import date

    from service.bundle.values import Bundle


def inspect(bundle: Bundle, *, today: date | None = None) -> dict[str, Any]:
    """Name, revision and digest, the codes with their titles, the posture, and the catalog's size.

    ``prices`` states how many there are and the days of the oldest and the newest; with *today*
    also the age of the oldest in days, and the vendors all of whose prices are older than the
    organisation allows.
    """
    catalog = bundle.data["catalog"]
    days = sorted(day for of_vendor in price_days(catalog).values() for day in of_vendor)
    oldest, newest = (days[0], days[-1]) if days else (None, None)
    return {
        "name": bundle.ref.name,
        "revision": bundle.ref.revision,
        "digest": bundle.ref.digest,
        "parts": part_digests(bundle.modules, bundle.data),
        "organisation": bundle.org.name,
        "posture": bundle.org.posture.value,
        "modes": len(bundle.org.modes),
        "waivers": {waiver.id: waiver.expires for waiver in bundle.org.waivers},
        "baseline": len(bundle.org.baseline),
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
            "stale_after_days": bundle.org.catalog.stale_price_days,
            "stale_vendors": {
                old.vendor: old.newest for old in (old_prices(bundle, today) if today else [])
            },
        },
    }


def _age(day: str | None, today: date | None) -> int | None:
    return (today - type(today).fromisoformat(day)).days if day and today else None
