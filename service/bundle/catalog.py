"""The catalog: vendors' facts from CSV tables to the documents that rules and `resolve` look up.

The tables, their columns and their rules for reading are described in bundles/catalog/README.md.
All numbers that come out are integers below 2^53 in the unit of their name, or ``None`` where
nobody knows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from service.bundle import (
    catalog_accelerators,
    catalog_index,
    catalog_models,
    catalog_offers,
    catalog_places,
    catalog_prices,
    catalog_sizes,
)
from service.bundle.catalog_rows import Tables


def build_catalog(directory: Path | Tables) -> tuple[dict[str, Any], dict[str, Any]]:
    """Compile the tables in *directory*, and in what lies over it, to catalog and index.

    The first document is ``data.catalog``, the second ``data.index``.

    Raises:
        BundleRefused: A table is missing or malformed, holds a figure outside its bounds, or names
            what another table does not have; the message begins with ``file:line``.
    """
    tables = Tables(directory) if isinstance(directory, Path) else directory
    tables.check_overlays()
    accelerators = catalog_accelerators.read_accelerators(tables)
    sizes = catalog_sizes.read_sizes(tables, accelerators)
    operators = catalog_places.read_operators(tables)
    regions = catalog_places.read_regions(tables, operators)
    sources = catalog_prices.read_sources(tables)
    prices = catalog_prices.read_prices(tables, sizes, regions, sources)
    models = catalog_models.read_models(tables)
    catalog: dict[str, Any] = {
        "accelerators": accelerators,
        "accelerator_names": catalog_accelerators.read_names(tables, accelerators),
        "instance_types": sizes,
        "instance_families": catalog_sizes.read_families(tables),
        "prices": prices,
        "price_areas": catalog_places.read_areas(tables, regions),
        "sources": sources,
        "regions": regions,
        "zones": catalog_places.read_zones(tables, regions),
        "countries": catalog_places.read_countries(tables, regions),
        "operators": operators,
        "models": models,
        "model_names": catalog_models.read_model_names(tables, models),
        "kubernetes_resources": catalog_sizes.read_resources(tables),
    }
    catalog["meta"] = _meta(catalog)
    return catalog, index_of(catalog)


def index_of(catalog: dict[str, Any]) -> dict[str, Any]:
    """What rules and ``resolve`` look up instead of searching *catalog*."""
    accelerators, sizes = catalog["accelerators"], catalog["instance_types"]
    prices = catalog["prices"]
    ladder = catalog_index.fit_ladder(accelerators, sizes)
    return {
        "fit": ladder,
        "fit_by_stack": catalog_index.by_stack(ladder),
        "slices": catalog_index.slice_ladders(accelerators),
        "offers": catalog_index.cheapest_offers(sizes, prices),
        "offers_by_accelerator": catalog_offers.offers_by_accelerator(
            sizes, prices, catalog["regions"], catalog["countries"]
        ),
        "portable_alternatives": catalog_index.portable_alternatives(accelerators, sizes),
        "proprietary_makers": catalog_index.proprietary_makers(accelerators),
    }


def _meta(catalog: dict[str, Any]) -> dict[str, Any]:
    """How much the catalog holds and how old its prices are."""
    prices = [
        price
        for of_vendor in catalog["prices"].values()
        for of_type in of_vendor.values()
        for of_kind in of_type.values()
        for price in of_kind.values()
    ]
    days = [price["as_of"] for price in prices]
    return {
        "rows": {
            "accelerators": len(catalog["accelerators"]),
            "instance_types": sum(map(len, catalog["instance_types"].values())),
            "prices": len(prices),
            "regions": sum(map(len, catalog["regions"].values())),
            "countries": len(catalog["countries"]),
            "models": len(catalog["models"]),
        },
        "oldest_list_price": min(days),
        "newest_list_price": max(days),
    }
