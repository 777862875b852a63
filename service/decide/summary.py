"""The resources of a request as the decision and the log show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.model.base import Basis
from service.model.decision import DecidedAccelerator, DecidedCost, DecidedResource

if TYPE_CHECKING:
    from service.model.request import Request
    from service.model.resource import Resource


def summarise(request: Request) -> tuple[DecidedResource, ...]:
    """The resources of a resolved *request*, in its order."""
    return tuple(_summary(resource) for resource in request.resources)


def _summary(resource: Resource) -> DecidedResource:
    accelerators = resource.accelerators
    return DecidedResource(
        address=resource.address,
        subject=resource.subject,
        kind=resource.kind,
        role=resource.role,
        change=resource.change,
        covered_by=resource.covered_by,
        vendor=resource.vendor,
        region=resource.region,
        instance_type=resource.instance_type,
        nodes=resource.nodes,
        accelerators=accelerators
        if accelerators is None
        else tuple(
            DecidedAccelerator(model=item.model, slice=item.slice, total=item.total)
            for item in accelerators
        ),
        cost=_cost(resource),
        team=resource.ownership.team,
        unknown=resource.unknown,
    )


def _cost(resource: Resource) -> DecidedCost | None:
    """``None`` for a resource that needs no price."""
    cost = resource.cost
    if cost.basis is Basis.UNKNOWN and "/cost" not in resource.unknown:
        return None
    return DecidedCost(
        micros_per_hour=cost.micros_per_hour.max, currency=cost.currency, basis=cost.basis
    )
