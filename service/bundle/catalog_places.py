"""Where regions lie, who operates them, and which law holds there.

Nothing here is read out of a name: `eu-west-2` is London. And a place that is not known is said to
be unknown by a row of its own, so that a forgotten country is not taken for an unpublished one.
"""

from __future__ import annotations

from typing import Any

from service.bundle.catalog_rows import Row, Tables, read_table, unique

REGIONS = "vendor region city country kind paired_region partition note source"
UNKNOWN = "vendor region reason"
ZONES = "vendor zone region source"
AREAS = "vendor place area source"
JURISDICTIONS = "jurisdiction country condition valid_from valid_to legal_source"
OPERATORS = (
    "vendor partition operator operator_home_country ultimate_parent_country sovereign note source"
)

PERIOD = ("jurisdiction", "country", "condition", "valid_from")
KINDS = ("edge", "global", "logical", "multi-region", "physical", "sovereign")
_WITH_A_PLACE = frozenset(("physical", "sovereign"))

Regions = dict[str, dict[str, dict[str, Any]]]
Operators = dict[str, dict[str, dict[str, Any]]]


def read_operators(directory: Tables) -> Operators:
    """Who operates a partition of a vendor; a vendor that is not divided is its own partition."""
    rows = unique(
        read_table(directory, "operators.csv", OPERATORS),
        lambda row: (row.text("vendor"), row.optional("partition") or row.text("vendor")),
    )
    operators: Operators = {}
    for (vendor, partition), row in rows.items():
        row.text("source")
        operators.setdefault(vendor, {})[partition] = {
            "operator": row.text("operator"),
            "home_country": row.optional_country("operator_home_country"),
            "parent_country": row.optional_country("ultimate_parent_country"),
            "sovereign": row.flag("sovereign") if row.optional("sovereign") else None,
        }
    return operators


def read_regions(directory: Tables, operators: Operators) -> Regions:
    """Regions by vendor and name, as the vendor's API writes them.

    A place that the list of unknown places holds has the country ``None``, as have regions of the
    kinds ``logical``, ``global`` and ``multi-region`` that lie in several countries.
    """
    rows = unique(
        read_table(directory, "regions.csv", REGIONS),
        lambda row: (row.text("vendor"), row.text("region")),
    )
    unknown = unique(
        read_table(directory, "unknown_places.csv", UNKNOWN),
        lambda row: (row.text("vendor"), row.text("region")),
    )
    for key, row in unknown.items():
        row.text("reason")
        if key not in rows or rows[key].optional("country"):
            raise row.refused(f"`{' '.join(key)}` is not a region without a country in regions.csv")
    regions: Regions = {}
    for (vendor, name), row in rows.items():
        pair = row.optional("paired_region")
        if pair and (vendor, pair) not in rows:
            raise row.refused(f"the paired region `{pair}` is not a region of `{vendor}`")
        regions.setdefault(vendor, {})[name] = _region(row, (vendor, name) in unknown, operators)
    return regions


def _region(row: Row, is_unknown: bool, operators: Operators) -> dict[str, Any]:  # noqa: FBT001
    vendor = row.text("vendor")
    kind = row.choice("kind", KINDS)
    country = row.optional_country("country")
    partition = row.optional("partition") or vendor
    row.text("source")
    if partition not in operators.get(vendor, {}):
        raise row.refused(f"the partition `{partition}` of `{vendor}` is not in operators.csv")
    if kind in _WITH_A_PLACE and country is None and not is_unknown:
        raise row.refused(
            f"`{vendor} {row.text('region')}` is `{kind}` and has no country",
            hint="State the country, or list the region in unknown_places.csv with the reason.",
        )
    return {
        "country": country,
        "kind": kind,
        "city": row.optional("city"),
        "partition": partition,
        "paired_region": row.optional("paired_region"),
    }


def read_zones(directory: Tables, regions: Regions) -> dict[str, dict[str, str]]:
    """The region of a zone, for vendors whose zone names do not tell."""
    zones: dict[str, dict[str, str]] = {}
    rows = unique(
        read_table(directory, "zones.csv", ZONES),
        lambda row: (row.text("vendor"), row.text("zone")),
    )
    for (vendor, zone), row in rows.items():
        row.text("source")
        zones.setdefault(vendor, {})[zone] = _known_region(row, "region", regions)
    return zones


def read_areas(directory: Tables, regions: Regions) -> dict[str, dict[str, str]]:
    """The area of a price list that a region or zone belongs to."""
    areas: dict[str, dict[str, str]] = {}
    rows = unique(
        read_table(directory, "price_areas.csv", AREAS),
        lambda row: (row.text("vendor"), row.text("place")),
    )
    for (vendor, _), row in rows.items():
        row.text("source")
        place = _known_region(row, "place", regions)
        areas.setdefault(vendor, {})[place] = _known_region(row, "area", regions)
    return areas


def _known_region(row: Row, column: str, regions: Regions) -> str:
    name = row.text(column)
    if name not in regions.get(row.text("vendor"), {}):
        raise row.refused(f"`{column}` is `{name}`, which is not a region in regions.csv")
    return name


def read_countries(directory: Tables, regions: Regions) -> dict[str, list[dict[str, str | None]]]:
    """The jurisdictions of every country that a row of the catalog names, with their dates.

    ``valid_to`` is the last day. A row with a ``condition`` never holds on its own.
    """
    rows = unique(
        read_table(directory, "jurisdictions.csv", JURISDICTIONS),
        lambda row: tuple(row.cells[name] for name in PERIOD),
    )
    countries: dict[str, list[dict[str, str | None]]] = {
        region["country"]: []
        for named in regions.values()
        for region in named.values()
        if region["country"]
    }
    for row in rows.values():
        row.text("legal_source")
        row.text("country")
        country = row.optional_country("country")
        start, end = row.optional_day("valid_from"), row.optional_day("valid_to")
        if start and end and start > end:
            raise row.refused(f"`valid_from` is `{start}`, expected a day before `{end}`")
        entry = {
            "jurisdiction": row.text("jurisdiction"),
            "condition": row.optional("condition"),
            "valid_from": start,
            "valid_to": end,
        }
        countries.setdefault(str(country), []).append(entry)
    return countries
