"""What rules and `resolve` would otherwise have to search the catalog for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from service.bundle import exact
from service.bundle.catalog_accelerators import Accelerators
from service.bundle.catalog_prices import Prices, accelerators_of
from service.bundle.catalog_sizes import Sizes
from service.model.base import PriceKind

# The sizes of a set that tensor parallelism can use: powers of two divide the heads of most models.
_COUNTS = (1, 2, 4, 8, 16)
_SOLD = ("current", "previous")

# What is more than three times as large, or as fast, replaces nothing.
_FARTHEST = Fraction(3)
_FEWEST_VENDORS = 2
_NOT_RENTED = "on-prem"


def fit_ladder(accelerators: Accelerators, sizes: Sizes) -> list[dict[str, Any]]:
    """Sets of one accelerator that somebody rents out, from the smallest memory to the largest.

    A set stays within one instance type and one scale-up domain, because a model that is spread
    over more than that needs a design and not a hint; it may be a part of the instance, as a pod
    takes it. Accelerators without a figure for bfloat16 are left out: most of them are too old for
    it, and it is what models are published in. So are those that are retired or not sold yet.
    """
    largest: dict[str, int] = {}
    for named in sizes.values():
        for size in named.values():
            if size["slice"] is None:
                name = size["accelerator"]
                largest[name] = max(size["count"], largest.get(name, 0))
    ladder = [
        _rung(name, accelerator, count)
        for name, accelerator in accelerators.items()
        for count in _COUNTS
        if count <= min(largest.get(name, 0), accelerator["scale_up_domain"] or 1)
        and accelerator["rentable"] == "yes"
        and accelerator["status"] in _SOLD
        and accelerator["usable_mib"] is not None
        and accelerator["bf16_tflops"] is not None
    ]
    return sorted(ladder, key=lambda rung: (rung["total_mib"], rung["count"], rung["accelerator"]))


def by_stack(ladder: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The *ladder* once more for each software stack, for those who cannot leave theirs."""
    stacks: dict[str, list[dict[str, Any]]] = {}
    for rung in ladder:
        stacks.setdefault(str(rung["software_stack"]), []).append(rung)
    return stacks


def slice_ladders(accelerators: Accelerators) -> dict[str, list[dict[str, Any]]]:
    """The partitions of each accelerator that has some, from the smallest memory to the largest.

    Profiles that add a media engine or graphics to another one, or leave them out, are no size of
    their own.
    """
    ladders = {
        name: sorted(
            (
                {"label": profile, "total_mib": part["usable_mib"]}
                for profile, part in accelerator["slices"].items()
                if profile.endswith("gb")
            ),
            key=lambda rung: (rung["total_mib"], rung["label"]),
        )
        for name, accelerator in accelerators.items()
    }
    return {name: ladder for name, ladder in ladders.items() if ladder}


def _rung(name: str, accelerator: dict[str, Any], count: int) -> dict[str, Any]:
    return {
        "label": f"{count} x {accelerator['label']}",
        "accelerator": name,
        "count": count,
        "usable_mib": accelerator["usable_mib"],
        "usable_is_estimate": accelerator["usable_is_estimate"],
        "total_mib": count * accelerator["usable_mib"],
        "software_stack": accelerator["software_stack"],
        "bf16_tflops": accelerator["bf16_tflops"],
        "fp8_tflops": accelerator["fp8_tflops"],
    }


def cheapest_offers(sizes: Sizes, prices: Prices) -> dict[str, dict[str, dict[str, Any]]]:
    """The cheapest size per accelerator, by accelerator, vendor and price region.

    On-demand prices in US dollars of sizes with whole accelerators; rounded up to a micro.
    """
    offers: dict[str, dict[str, dict[str, Any]]] = {}
    kind = PriceKind.ON_DEMAND.value
    for vendor, of_vendor in prices.items():
        for name, of_type in of_vendor.items():
            size = sizes[vendor][name]
            if size["slice"] is not None:
                continue
            regions = offers.setdefault(size["accelerator"], {}).setdefault(vendor, {})
            for region, price in of_type.get(kind, {}).items():
                if price["currency"] == "USD":
                    offer = _offer(name, size, price)
                    regions[region] = min(regions.get(region, offer), offer, key=_rank)
    return _without_empty(offers)


def _offer(name: str, size: dict[str, Any], price: dict[str, Any]) -> dict[str, Any]:
    return {
        "instance_type": name,
        "count": size["count"],
        "micros_per_accelerator_hour": exact.divided_up(
            price["micros_per_hour"], accelerators_of(size)
        ),
        "price_kind": PriceKind.ON_DEMAND.value,
        "currency": price["currency"],
        "as_of": price["as_of"],
        "source": price["source"],
        "confidence": price["confidence"],
    }


def _rank(offer: dict[str, Any]) -> tuple[int, int, str]:
    """Cheapest first; among equals the smallest size, then the first name."""
    return offer["micros_per_accelerator_hour"], offer["count"], offer["instance_type"]


def _without_empty(offers: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    kept = {
        accelerator: {vendor: regions for vendor, regions in vendors.items() if regions}
        for accelerator, vendors in offers.items()
    }
    return {accelerator: vendors for accelerator, vendors in kept.items() if vendors}


def proprietary_makers(accelerators: Accelerators) -> dict[str, bool]:
    """By maker, whether any of its accelerators is proprietary or nobody has read if it is."""
    makers: dict[str, bool] = {}
    for accelerator in accelerators.values():
        maker = str(accelerator["manufacturer"])
        makers[maker] = makers.get(maker, False) or accelerator["proprietary"] is not False
    return makers


def portable_alternatives(accelerators: Accelerators, sizes: Sizes) -> dict[str, dict[str, Any]]:
    """For each proprietary accelerator the nearest one that several vendors rent out.

    Near is what differs least by the larger of two ratios, that of memory and that of bfloat16
    throughput. Retired accelerators, and those without either figure, are no alternative.
    """
    renting = _vendors_of(sizes)
    portable = {
        name: each
        for name, each in accelerators.items()
        if each["proprietary"] is False
        and each["status"] != "retired"
        and len(renting.get(name, ())) >= _FEWEST_VENDORS
        and _figures(each)
    }
    found: dict[str, dict[str, Any]] = {}
    for name, each in accelerators.items():
        if each["proprietary"] and _figures(each):
            ranked = sorted(
                (_distance(each, other), other_name) for other_name, other in portable.items()
            )
            if ranked and ranked[0][0] <= _FARTHEST:
                nearest = ranked[0][1]
                found[name] = {
                    "accelerator": nearest,
                    "label": portable[nearest]["label"],
                    "memory_gb": portable[nearest]["memory_marketing_gb"],
                    "bf16_tflops": portable[nearest]["bf16_tflops"],
                    "software_stack": portable[nearest]["software_stack"],
                    "vendors": len(renting[nearest]),
                }
    return found


def _vendors_of(sizes: Sizes) -> dict[str, set[str]]:
    """Who rents out whole accelerators, by accelerator."""
    vendors: dict[str, set[str]] = {}
    for vendor, named in sizes.items():
        for size in named.values():
            if vendor != _NOT_RENTED and size["slice"] is None:
                vendors.setdefault(size["accelerator"], set()).add(vendor)
    return vendors


def _figures(accelerator: dict[str, Any]) -> bool:
    return bool(accelerator["memory_marketing_gb"] and accelerator["bf16_tflops"])


def _distance(one: dict[str, Any], other: dict[str, Any]) -> Fraction:
    ratios = (
        Fraction(one[figure], other[figure]) for figure in ("memory_marketing_gb", "bf16_tflops")
    )
    return max(max(ratio, 1 / ratio) for ratio in ratios)
