"""What controllers make, as covered by what was admitted.

What is known of a cluster is a moment behind it, and a controller is fast: it may ask for a Pod
before its ReplicaSet has been seen. So where only that may be missing, it is looked for again for
some tenths of a second. The cluster is not asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog

from adapters.kubernetes.kinds import in_use
from adapters.kubernetes.owners import (
    Alone,
    Cover,
    Surroundings,
    covers_itself,
    find_cover,
)
from adapters.kubernetes.review import Asked, read_review
from adapters.kubernetes.view import UNWATCHED, ClusterView
from service.model.base import Change
from service.model.request import Request

_LOG = structlog.get_logger("portreeve")
_SECONDS = 0.4
_STEP_SECONDS = 0.02


async def covered(
    request: Request,
    review: Mapping[str, Any],
    view: ClusterView,
    controllers: frozenset[str],
    *,
    until: float,
) -> Request:
    """*request*, read from *review*, as covered by another object if it is; else as it is.

    *until* is when it has to be known (``time.monotonic``) at the latest.
    """
    if request.actor.name not in controllers or not request.resources:
        return request
    asked = read_review(review)
    around = Surroundings(in_use(), view, request.scope.cluster, controllers)
    found = find_cover(asked, around) if view is not UNWATCHED else Alone.UNWATCHED
    if isinstance(found, Alone):
        nothing = all(item.change is Change.NO_OP for item in request.resources)
        itself = covers_itself(asked, around, changes_nothing=nothing)
        found = found if isinstance(itself, Alone) else itself
    if isinstance(found, Alone) and found.may_pass:
        found = await _seen(asked, around, until=min(until, time.monotonic() + _SECONDS))
    if isinstance(found, Alone):
        if found.may_pass:
            _LOG.info("decided_alone", key=request.key, why=found.value)
        return request
    return _by(found, request)


async def _seen(asked: Asked, around: Surroundings, *, until: float) -> Cover | Alone:
    """What covers it as soon as that is seen, or why nothing does."""
    while True:
        await asyncio.sleep(_STEP_SECONDS)
        found = find_cover(asked, around)
        if isinstance(found, Cover) or not found.may_pass or time.monotonic() >= until:
            return found


def _by(cover: Cover, request: Request) -> Request:
    update = {"covered_by": cover.by, "subject": cover.subject}
    resources = tuple(item.model_copy(update=update) for item in request.resources)
    return request.model_copy(update={"resources": resources, "not_covered": ()})
