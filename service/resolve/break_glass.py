"""Which break-glass concerns a request: what is open at its moment, in one of its places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.bundle.waivers import selects_place

if TYPE_CHECKING:
    from datetime import datetime

    from service.model.break_glass import BreakGlass
    from service.model.request import Request


def concerning(request: Request, moment: datetime) -> tuple[BreakGlass, ...]:
    """Those of the waivers of *request*'s context that are open at *moment* where it is from."""
    waivers = request.context.waivers
    if not waivers:
        return ()
    places = {item.scope or request.scope for item in request.resources} | {request.scope}
    return tuple(
        item
        for item in waivers
        if item.is_open(moment) and any(selects_place(item.match, place) for place in places)
    )
