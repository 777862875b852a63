"""Region -> country and jurisdictions, as the catalog has them on one day.

A country is never read out of a region's name: only a row of the catalog names one. Rows of kind
``logical``, ``global`` and ``multi-region`` have no single place, so their country is not known.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from service.model.base import Reason
from service.model.resource import Place
from service.resolve.tables import Table, fold, folded, table

if TYPE_CHECKING:
    from service.resolve.draft import Draft

_NO_SINGLE_PLACE = frozenset({"logical", "global", "multi-region"})
_REMEMBERED = 4096


class Located(NamedTuple):
    """A place, and the reason why its country is not known."""

    place: Place
    reason: Reason | None


class _Membership(NamedTuple):
    jurisdiction: str
    first: date
    last: date


class Regions:
    """Places by vendor and region.

    A jurisdiction holds from ``valid_from`` to ``valid_to``, both included, in UTC. A row with a
    ``condition`` never holds on its own: whether somebody meets it is not in the catalog.
    """

    def __init__(self, catalog: Table) -> None:
        self._regions = table(catalog, "regions")
        self._zones = table(catalog, "zones")
        self._operators = table(catalog, "operators")
        self._spellings = {vendor: folded(rows) for vendor, rows in self._regions.items()}
        self._members = {
            country: [_membership(row) for row in rows if not row.get("condition")]
            for country, rows in table(catalog, "countries").items()
        }
        self._located: dict[tuple[str, str, date], Located] = {}

    def apply(self, draft: Draft, day: date) -> None:
        """Write region, country, jurisdictions, places and operator into *draft*."""
        self._name_region(draft)
        places = self._places(draft, day)
        self._write_country(draft, places)
        self._write_operator(draft)

    def _name_region(self, draft: Draft) -> None:
        """Take the catalog's spelling of the region, or find the region that the zone is in."""
        vendor, region = draft.vendor, draft.region
        rows = self._regions.get(vendor) if vendor is not None else None
        if vendor is None or rows is None or region in rows:
            return
        if region is not None:
            spelling = self._spellings[vendor].get(fold(region))
            if spelling is not None:
                draft.region = spelling
            return
        found = self._region_of_zone(vendor, draft.state.zone)
        if found is not None:
            draft.region = found
            draft.learn("/region", "inferred:zone")

    def _region_of_zone(self, vendor: str, zone: str | None) -> str | None:
        if zone is None:
            return None
        listed: str | None = self._zones.get(vendor, {}).get(zone)
        if listed is not None:
            return listed
        # AWS `us-east-1a`, Google `us-east1-b`; CoreWeave and Crusoe sell by zone.
        candidates = (zone, zone[:-1], zone.rpartition("-")[0])
        return next((name for name in candidates if name in self._regions[vendor]), None)

    def _places(self, draft: Draft, day: date) -> list[Located] | None:
        """Every place where the resource may end up; ``None`` if that is not limited.

        A required region beside another region of the scope's is a contradiction; both are then
        possible. Targets of replication are places too.
        """
        state, region = draft.state, draft.region
        required = state.region_constraint.required
        if region is None and not required:
            return None
        names = list(required) if region is None or region not in required else []
        if region is not None:
            names.insert(0, region)
        names.extend(name for name in state.replication if name not in names)
        places = [self.locate(draft.vendor, name, day) for name in names]
        if region is not None and self._is_elsewhere(draft.vendor, state.zone, region):
            places[0] = Located(Place(region=region), Reason.NOT_IN_CATALOG)
        return places

    def locate(self, vendor: str | None, region: str, day: date) -> Located:
        """The place that *vendor* calls *region*."""
        if vendor is None:
            return Located(Place(region=region), Reason.UNDECLARED)
        found = self._located.get((vendor, region, day))
        if found is not None:
            return found
        rows = self._regions.get(vendor, {})
        row = rows.get(region) or rows.get(self._spellings.get(vendor, {}).get(fold(region), ""))
        if row is None or row["country"] is None or row["kind"] in _NO_SINGLE_PLACE:
            return Located(Place(region=region), Reason.NOT_IN_CATALOG)
        country = row["country"]
        place = Place(
            region=region, country=country, jurisdictions=self.jurisdictions(country, day)
        )
        if len(self._located) >= _REMEMBERED:  # days pass: bound what is kept
            self._located.clear()
        return self._located.setdefault((vendor, region, day), Located(place, None))

    def jurisdictions(self, country: str, day: date) -> tuple[str, ...]:
        """The jurisdictions that *country* belongs to on *day*, sorted."""
        members = self._members.get(country, ())
        return tuple(sorted({m.jurisdiction for m in members if m.first <= day <= m.last}))

    def _is_elsewhere(self, vendor: str | None, zone: str | None, region: str) -> bool:
        """Whether the zone may lie in another country than its region.

        AWS Local Zones and Wavelength Zones belong to a region and stand somewhere else:
        ``us-east-1-bue-1a`` is Buenos Aires. An ordinary zone is the region and one letter, or an
        id such as ``use1-az1``.
        """
        if vendor != "aws" or zone is None or zone in self._zones.get("aws", {}):
            return False
        ordinary = zone.startswith(region) and len(zone) == len(region) + 1
        return not ordinary and not (zone.count("-") == 1 and "-az" in zone)

    def _write_country(self, draft: Draft, places: list[Located] | None) -> None:
        update = draft.update
        if not places:
            reason = draft.reason("/region") or Reason.UNDECLARED
            update.update(country=None, jurisdictions=(), places=None)
            for pointer in ("/country", "/jurisdictions", "/places"):
                draft.hide(pointer, reason)
            return
        for index, located in enumerate(places):
            if located.reason is not None:
                reason = self._vendor_reason(draft) or located.reason
                draft.hide(f"/places/{index}/country", reason)
                draft.hide(f"/places/{index}/jurisdictions", reason)
        update["places"] = tuple(located.place for located in places)
        if all(located.reason is None for located in places):
            draft.provenance["/places"] = "catalog"
        self._write_one_country(draft, places)

    def _write_one_country(self, draft: Draft, places: list[Located]) -> None:
        """The country of the region, or the one that all possible places share."""
        source = "catalog"
        first, reason = places[0]
        if draft.region is None:
            source = "inferred:region_constraint"
            if len({located.place.country for located in places}) > 1:
                reason = Reason.UNDECLARED
        if reason is None:
            draft.update.update(country=first.country, jurisdictions=first.jurisdictions)
            draft.provenance["/country"] = draft.provenance["/jurisdictions"] = source
            return
        draft.update.update(country=None, jurisdictions=())
        for pointer in ("/country", "/jurisdictions"):
            draft.hide(pointer, self._vendor_reason(draft) or reason)

    def _vendor_reason(self, draft: Draft) -> Reason | None:
        return draft.reason("/vendor") if draft.vendor is None else None

    def _write_operator(self, draft: Draft) -> None:
        vendor = draft.vendor
        operator, reason = None, Reason.NOT_IN_CATALOG
        if vendor is None:
            reason = draft.reason("/vendor") or Reason.UNDECLARED
        else:
            partitions = self._operators.get(vendor, {})
            row = self._regions.get(vendor, {}).get(draft.region)
            if row is not None:
                operator = partitions.get(row["partition"] or "")
            elif len(partitions) == 1:
                operator = next(iter(partitions.values()))
            elif draft.region is None:
                reason = draft.reason("/region") or Reason.UNDECLARED
        draft.update["operator"] = operator["operator"] if operator else None
        if operator:
            draft.provenance["/operator"] = "catalog"
        else:
            draft.hide("/operator", reason)


def _membership(row: dict[str, Any]) -> _Membership:
    first, last = row.get("valid_from"), row.get("valid_to")
    return _Membership(
        row["jurisdiction"],
        date.fromisoformat(first) if first else date.min,
        date.fromisoformat(last) if last else date.max,
    )
