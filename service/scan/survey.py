"""What a scan comes to, when everything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service.pipeline import stamp
from service.report.scan import IdleAccelerators, NotRead, Scanned, Survey, costs
from service.resolve.accelerators import Accelerators

if TYPE_CHECKING:
    from service.bundle.values import Bundle
    from service.scan.asking import LeftOut
    from service.scan.idle import Stock
    from service.scan.reading import Found


def survey_of(
    found: Found,
    left_out: Mapping[LeftOut, int],
    objects: Sequence[Scanned],
    bundle: Bundle,
    *,
    cluster: str,
) -> Survey:
    """The survey of *cluster* that was *found*, with what was decided about its *objects*."""
    catalog = Accelerators(bundle.data["catalog"])
    return Survey(
        cluster=cluster,
        time=stamp(datetime.now(UTC)),
        bundle=bundle.ref,
        read=found.read,
        left_out={why.value: count for why, count in sorted(left_out.items())},
        not_read=tuple(NotRead(kind=one.kind, why=one.why) for one in found.unread),
        idle=tuple(_idle(stock, catalog) for stock in found.usage.stocks()),
        costs=costs(objects),
        objects=tuple(objects),
    )


def _idle(stock: Stock, catalog: Accelerators) -> IdleAccelerators:
    known = catalog.identify(stock.product) if stock.product is not None else None
    return IdleAccelerators(
        resource=stock.resource,
        product=stock.product,
        model=known.id if known is not None else None,
        nodes=stock.nodes,
        offered=stock.offered,
        asked=stock.asked,
        idle=stock.idle,
        idle_nodes=stock.idle_nodes,
    )
