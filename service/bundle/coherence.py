"""Whether what the organisation states names things that exist.

A misspelt code leaves a mode without effect and a misspelt class leaves data anywhere, and nobody
notices: so a name that nothing has is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.bundle import hardware_names, residency_names
from service.bundle.budgets import check_budgets
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from service.bundle.values import Bundle, Org

# Findings that come from Portreeve itself and take a mode like any other.
_OWN_CODES, _OWN_DOMAINS = (
    ("COV-001", "COV-002", "WVR-001", "BSL-001"),
    ("coverage", "waivers", "baseline"),
)
_WAIVABLE = "COV-001"
_MOST_LISTED = 60

_Use = tuple[str, str, "Collection[str]", str]


def check_org(org: Org, bundle: Bundle, stated_in: Mapping[str, str]) -> None:
    """Refuse *org* where it names a code, class, jurisdiction, place or accelerator nothing has.

    Args:
        org: What the organisation states.
        bundle: The bundle that it is in, with rules and catalog.
        stated_in: Which file states which top-level key.

    Raises:
        BundleRefused: Names the file and the pointer.
    """
    for pointer, name, known, what in _uses(org, bundle.data["catalog"], bundle):
        if name not in known:
            file = stated_in.get(pointer.split("/")[1], f"{bundle.ref.name}/org")
            raise BundleRefused(
                f"{file}: `{name}` at `{pointer}` is no {what}",
                hint=f"Known are {', '.join(sorted(known)[:_MOST_LISTED])}." if known else "",
            )
    _check_once("prices", ((p.vendor, p.instance_type, p.region, p.price_kind) for p in org.prices))
    _check_once("internal_rates", ((rate.accelerator,) for rate in org.internal_rates))
    _check_once("usage", ((u.team, u.vendor or "", u.role, u.currency) for u in org.usage))
    check_budgets(org.budgets)
    _check_once("waivers", ((waiver.id,) for waiver in org.waivers))


def _uses(org: Org, catalog: Mapping[str, Any], bundle: Bundle) -> Iterator[_Use]:
    """Each name that *org* uses: where, the name, what it may be, and what that is called."""
    yield from _uses_in_modes(org, bundle)
    yield from _uses_in_waivers(org, bundle)
    yield from _uses_in_baseline(org, bundle)
    yield from _uses_in_scopes(org, catalog)
    yield from _uses_in_books(org, catalog)
    yield from _uses_in_vendor(org, catalog)
    yield from _uses_in_mutation(org)
    yield from residency_names.uses(org, catalog)
    yield from hardware_names.uses(org, catalog)
    accelerators = catalog.get("accelerators", {})
    for index, rate in enumerate(org.internal_rates):
        pointer = f"/internal_rates/{index}/accelerator"
        yield pointer, rate.accelerator, accelerators, "accelerator of the catalog"


def _uses_in_modes(org: Org, bundle: Bundle) -> Iterator[_Use]:
    codes = {*bundle.rulebook, *_OWN_CODES}
    domains = {*(rule.domain for rule in bundle.rulebook.values()), *_OWN_DOMAINS}
    for index, mode in enumerate(org.modes):
        if mode.code is not None:
            yield f"/modes/{index}/code", mode.code, codes, "code of this bundle"
        if mode.domain is not None:
            yield f"/modes/{index}/domain", mode.domain, domains, "domain of this bundle"


def _uses_in_waivers(org: Org, bundle: Bundle) -> Iterator[_Use]:
    """Neither an error of ours nor a waiver that has expired can be waived."""
    codes = {*bundle.rulebook, _WAIVABLE}
    for index, waiver in enumerate(org.waivers):
        yield f"/waivers/{index}/code", waiver.code, codes, "code of this bundle"


def _uses_in_baseline(org: Org, bundle: Bundle) -> Iterator[_Use]:
    """What no adapter reads may have grown, and nobody would know."""
    for index, row in enumerate(org.baseline):
        for code in row.codes:
            yield f"/baseline/{index}/codes", code, bundle.rulebook, "code of this bundle"


def _uses_in_scopes(org: Org, catalog: Mapping[str, Any]) -> Iterator[_Use]:
    """A vendor that the catalog does not have may have any region."""
    for index, scope in enumerate(org.scopes):
        for name in scope.data_classes:
            yield f"/scopes/{index}/data_classes", name, org.data_classes, "class in data_classes"
        regions = catalog.get("regions", {}).get(scope.vendor)
        if scope.region is not None and regions is not None:
            yield f"/scopes/{index}/region", scope.region, regions, f"region of `{scope.vendor}`"


def _uses_in_vendor(org: Org, catalog: Mapping[str, Any]) -> Iterator[_Use]:
    """Vendors are those of the catalog, and what scopes call a vendor: a hall of one's own."""
    stated = org.vendor
    vendors = {*catalog.get("operators", {}), *(scope.vendor or "" for scope in org.scopes)}
    for field in ("approved", "training_vendors", "latency_vendors"):
        for name in getattr(stated, field) or ():
            yield f"/vendor/{field}", name, vendors, "vendor of the catalog or of a scope"
    for name in stated.evaluations:
        yield "/vendor/evaluations", name, vendors, "vendor of the catalog or of a scope"
    for vendor, names in stated.approved_regions.items():
        pointer = f"/vendor/approved_regions/{vendor}"
        yield "/vendor/approved_regions", vendor, vendors, "vendor of the catalog or of a scope"
        regions = catalog.get("regions", {}).get(vendor)
        for name in names if regions is not None else ():
            yield pointer, name, regions, f"region of `{vendor}`"
    accelerators = catalog.get("accelerators", {})
    for name in stated.accepted_proprietary:
        yield "/vendor/accepted_proprietary", name, accelerators, "accelerator of the catalog"


def _uses_in_mutation(org: Org) -> Iterator[_Use]:
    for name in org.mutation.region_affinity:
        yield "/mutation/region_affinity", name, org.data_classes, "class in data_classes"


def _uses_in_books(org: Org, catalog: Mapping[str, Any]) -> Iterator[_Use]:
    """The vendors of usage and budgets; a scope may name one that the catalog does not have."""
    vendors = {*catalog.get("operators", {}), *(scope.vendor or "" for scope in org.scopes)}
    what = "vendor of the catalog or of a scope"
    for index, row in enumerate(org.usage):
        if row.vendor is not None:
            yield f"/usage/{index}/vendor", row.vendor, vendors, what
    for path, budget in org.budgets.items():
        for name in budget.match.vendors:
            yield f"/budgets/{path}/match/vendors", name, vendors, what


def _check_once(table: str, keys: Iterable[tuple[str, ...]]) -> None:
    seen: set[tuple[str, ...]] = set()
    for key in keys:
        if key in seen:
            raise BundleRefused(f"`{table}` has `{' '.join(key)}` twice")
        seen.add(key)
