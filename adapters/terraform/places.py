"""Where a resource is, from the most telling attribute to its provider's configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adapters.terraform.draft import DECLARED
from adapters.terraform.types import PlaceKind
from service.model.base import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.terraform.configuration import Configuration
    from adapters.terraform.draft import Draft
    from adapters.terraform.plan import Item
    from adapters.terraform.reading import Attributes
    from adapters.terraform.types import Covered

# `us-east-1a`, the local zone `us-east-1-bos-1a`, `us-gov-west-1b`: all start with their region.
_AWS_REGION = re.compile(r"[a-z]+(?:-[a-z]+)+-\d+")
_GCP_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-(?:ai\d+)?[a-z]")
_GCP_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_AZURE_REGION = re.compile(r"[a-z]+\d*[a-z]*")
_LOCATION = re.compile(r"[a-z]+\d*(?:-[a-z]+\d*)*")

# Where these are configured and not known, the provider's own region says nothing.
_DECIDING = (PlaceKind.REGION, PlaceKind.LOCATION, PlaceKind.ZONE)
_PROVIDER_PLACES = {"aws": ("region",), "gcp": ("zone", "region")}


def read_place(
    covered: Covered,
    attributes: Attributes,
    item: Item,
    configuration: Configuration,
    draft: Draft,
) -> None:
    """Fill vendor, region and zone.

    Raises:
        RequestRefused: An attribute has a shape that no provider writes.
    """
    draft.put("vendor", covered.vendor, "inferred:resource_type")
    reason: Reason | None = None
    for path, kind in covered.places:
        text, why = attributes.text(path)
        if text is not None:
            if _place(covered.vendor, kind, text, draft):
                _read_zone(covered, attributes, draft)
                return
            if kind is not PlaceKind.ARN:
                draft.hide("/region", Reason.NOT_IN_CATALOG)
                return
        decides = kind in _DECIDING and attributes.is_configured(path)
        if why is Reason.SENSITIVE or (why is not None and decides):
            draft.hide("/region", why)
            return
        reason = reason or why
    region = _provider_region(covered.vendor, item, configuration)
    if region is None:
        draft.hide("/region", reason or Reason.UNDECLARED)
    else:
        draft.put("region", region, "inferred:provider_region")


def read_cluster_place(
    covered: Covered,
    locations: Sequence[tuple[str | None, Reason | None]],
    draft: Draft,
) -> None:
    """Fill vendor and region of a resource that is where its cluster is.

    *locations* are those of the instances of the cluster in the same plan, none if it is not there.
    """
    draft.put("vendor", covered.vendor, "inferred:resource_type")
    known = {region_of(covered.vendor, text) for text, _ in locations if text is not None}
    if len(known) == 1 and len(known) == len({text for text, _ in locations}):
        region = known.pop()
        if region is not None:
            draft.put("region", region, "inferred:cluster")
            return
    reasons = [reason for _, reason in locations if reason is not None]
    draft.hide("/region", reasons[0] if reasons else Reason.ELSEWHERE)


def region_of(vendor: str, text: str) -> str | None:
    """The region that *text*, a region or a zone as the provider writes it, lies in."""
    if vendor == "aws":
        match = _AWS_REGION.match(text)
        return match[0] if match else None
    if vendor == "gcp":
        zone = _GCP_ZONE.fullmatch(text)
        return zone[1] if zone else text if _GCP_REGION.fullmatch(text) else None
    # The provider takes `West Europe` and `westeurope` alike.
    name = text.replace(" ", "").lower()
    return name if _AZURE_REGION.fullmatch(name) else None


def location_of(text: str) -> str | None:
    """The region, or the location of several, that *text* names; Google takes any case."""
    name = text.lower()
    return name if _LOCATION.fullmatch(name) else None


def _place(vendor: str, kind: PlaceKind, text: str, draft: Draft) -> bool:
    if kind is PlaceKind.LOCATION:
        location = location_of(text)
        if location is not None:
            draft.put("region", location)
        return location is not None
    if kind is PlaceKind.ARN:
        # arn:partition:service:region:account:resource
        name = text.split(":")[3] if text.startswith("arn:") and text.count(":") >= 5 else ""
    else:
        name = text.rpartition("/")[2]
    region = region_of(vendor, name)
    if region is None:
        return False
    is_stated = kind is PlaceKind.REGION or name == region
    source = "inferred:arn" if kind is PlaceKind.ARN else "inferred:zone"
    draft.put("region", region, DECLARED if is_stated else source)
    return True


def _read_zone(covered: Covered, attributes: Attributes, draft: Draft) -> None:
    for path, kind in covered.places:
        if kind in (PlaceKind.ZONE, PlaceKind.ZONE_WITHIN):
            text = attributes.text(path).value
            name = text.rpartition("/")[2] if text else None
            if name and name != draft.fields["region"] == region_of(covered.vendor, name):
                draft.put("zone", name)
                return


def _provider_region(vendor: str, item: Item, configuration: Configuration) -> str | None:
    for name in _PROVIDER_PLACES.get(vendor, ()):
        value = configuration.provider_value(item, name)
        region = region_of(vendor, value.rpartition("/")[2]) if value else None
        if region is not None:
            return region
    return None
