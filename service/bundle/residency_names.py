"""The names that an organisation uses where it says where data may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.bundle.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from service.bundle.parameters.residency import AllowedPlaces
    from service.bundle.values import Org

    Use = tuple[str, str, Collection[str], str]

_NO_SINGLE_PLACE = frozenset({"logical", "global", "multi-region"})


def uses(org: Org, catalog: Mapping[str, Any]) -> Iterator[Use]:
    """Each name: where it is used, the name, what it may be, and what that is called."""
    jurisdictions = _jurisdictions(catalog)
    operators = _operators(catalog)
    for name, entry in org.data_classes.items():
        pointer = f"/data_classes/{name}"
        yield from _uses_of_places(pointer, entry, jurisdictions)
        yield from _uses_of_places(f"{pointer}/operators", entry.operators, jurisdictions)
        for operator in entry.operators.accepted:
            yield f"{pointer}/operators/accepted", operator, operators, "operator of the catalog"
        for asset, places in entry.assets.items():
            yield from _uses_of_places(f"{pointer}/assets/{asset.value}", places, jurisdictions)
    yield from _uses_of_locations(org, catalog)
    conditional = _conditional(catalog)
    for index, certificate in enumerate(org.residency.certified):
        pointer = f"/residency/certified/{index}"
        yield f"{pointer}/operator", certificate.operator, operators, "operator of the catalog"
        held = conditional.get(certificate.country, frozenset())
        what = f"jurisdiction that `{certificate.country}` is in under a condition"
        yield f"{pointer}/jurisdiction", certificate.jurisdiction, held, what


def _uses_of_places(
    pointer: str, places: AllowedPlaces, jurisdictions: Collection[str]
) -> Iterator[Use]:
    for jurisdiction in places.jurisdictions:
        yield f"{pointer}/jurisdictions", jurisdiction, jurisdictions, "known jurisdiction"
    for country in places.countries:
        yield f"{pointer}/countries", country, COUNTRIES, "country of ISO 3166-1"


def _uses_of_locations(org: Org, catalog: Mapping[str, Any]) -> Iterator[Use]:
    """A location that has a country needs no acceptance, and one that is misspelt has none."""
    for vendor, locations in org.residency.accepted_locations.items():
        rows = catalog.get("regions", {}).get(vendor, {})
        known = [name for name, row in rows.items() if row["kind"] in _NO_SINGLE_PLACE]
        for location, classes in locations.items():
            pointer = f"/residency/accepted_locations/{vendor}/{location}"
            yield pointer, location, known, f"location of `{vendor}` without a single country"
            for name in classes:
                yield pointer, name, org.data_classes, "class in data_classes"


def _jurisdictions(catalog: Mapping[str, Any]) -> frozenset[str]:
    countries = catalog.get("countries", {}).values()
    return frozenset(entry["jurisdiction"] for entries in countries for entry in entries)


def _conditional(catalog: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    return {
        country: frozenset(entry["jurisdiction"] for entry in entries if entry["condition"])
        for country, entries in catalog.get("countries", {}).items()
    }


def _operators(catalog: Mapping[str, Any]) -> frozenset[str]:
    vendors = catalog.get("operators", {}).values()
    return frozenset(row["operator"] for partitions in vendors for row in partitions.values())
