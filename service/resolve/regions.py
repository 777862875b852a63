"""Region -> places, with country and jurisdictions as the catalog has them on one day.

A country is never read out of a region's name: only a row of the catalog names one. Rows of kind
``logical``, ``global`` and ``multi-region`` have no single place, so their country is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from service.model.base import Reason
from service.model.resource import Place, PlaceUse
from service.resolve.tables import Table, fold, folded, table

if TYPE_CHECKING:
    from datetime import date

    from service.resolve.draft import Draft
    from service.resolve.jurisdictions import Jurisdictions

_NO_SINGLE_PLACE = frozenset({"logical", "global", "multi-region"})
_REMEMBERED = 4096


class Located(NamedTuple):
    """A place, and the reason why its country is not known."""

    place: Place
    reason: Reason | None


class Regions:
    """Places by vendor and region."""

    def __init__(self, catalog: Table, jurisdictions: Jurisdictions) -> None:
        self._regions = table(catalog, "regions")
        self._zones = table(catalog, "zones")
        self._spellings = {vendor: folded(rows) for vendor, rows in self._regions.items()}
        self._jurisdictions = jurisdictions
        self._located: dict[tuple[str, str, PlaceUse, date], Located] = {}

    def apply(self, draft: Draft, day: date) -> None:
        """Write region, country, jurisdictions and places into *draft*."""
        self._name_region(draft)
        self._write_country(draft, self._places(draft, day))

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
        possible. Targets of replication are places too, and so is the pair of the region where the
        vendor keeps a copy there.
        """
        state, region = draft.state, draft.region
        required = state.region_constraint.required
        if region is None and not required:
            return None
        uses: dict[str, PlaceUse] = {}
        if region is not None:
            uses[region] = PlaceUse.REGION
        if region is None or region not in required:
            for name in required:
                uses.setdefault(name, PlaceUse.REQUIRED)
        for name in state.replication:
            uses.setdefault(name, PlaceUse.REPLICATION)
        if state.geo_redundant and region is not None:
            self._add_pair(draft, region, uses)
        places = [self.locate(draft.vendor, name, use, day) for name, use in uses.items()]
        if region is not None and self._is_elsewhere(draft.vendor, state.zone, region):
            elsewhere = Place(region=region, use=PlaceUse.REGION)
            places[0] = Located(elsewhere, Reason.NOT_IN_CATALOG)
        return places

    def _add_pair(self, draft: Draft, region: str, uses: dict[str, PlaceUse]) -> None:
        rows = self._regions.get(draft.vendor, {}) if draft.vendor is not None else {}
        pair = rows.get(region, {}).get("paired_region")
        if pair is None:
            draft.hide("/replication", Reason.NOT_IN_CATALOG)
        else:
            uses.setdefault(pair, PlaceUse.PAIRED)

    def locate(self, vendor: str | None, region: str, use: PlaceUse, day: date) -> Located:
        """The place that *vendor* calls *region*, and what it is for."""
        if vendor is None:
            return Located(Place(region=region, use=use), Reason.UNDECLARED)
        found = self._located.get((vendor, region, use, day))
        if found is not None:
            return found
        rows = self._regions.get(vendor, {})
        name = region if region in rows else self._spellings.get(vendor, {}).get(fold(region))
        if name is None:
            return Located(Place(region=region, use=use), Reason.NOT_IN_CATALOG)
        if len(self._located) >= _REMEMBERED:  # days pass: bound what is kept
            self._located.clear()
        place = self._place(rows[name], name, use, day)
        return self._located.setdefault((vendor, region, use, day), place)

    def _place(self, row: dict[str, Any], name: str, use: PlaceUse, day: date) -> Located:
        country, kind = row["country"], row["kind"]
        if country is None or kind in _NO_SINGLE_PLACE:
            return Located(Place(region=name, kind=kind, use=use), Reason.NOT_IN_CATALOG)
        place = Place(
            region=name,
            kind=kind,
            use=use,
            country=country,
            jurisdictions=self._jurisdictions.of(country, day),
            conditional=self._jurisdictions.under_condition(country, day),
        )
        return Located(place, None)

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
