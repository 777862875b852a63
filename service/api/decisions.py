"""``GET /v1/decisions`` and ``GET /v1/decisions/{id}``: questions to the log."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from service.api.auth import CallerRole
from service.api.service import caller_of, service_of
from service.errors import NotFound
from service.log.filters import Kind
from service.log.query import Filter
from service.model.base import Binding, EnforcementPoint
from service.model.decision import Decision, Outcome

router = APIRouter(tags=["decisions"])


class DecisionList(BaseModel):
    """One page of decisions, newest first; ``next_cursor`` is absent on the last one."""

    decisions: list[Decision]
    next_cursor: str | None = None


@router.get("/v1/decisions", summary="Find decisions", response_model=DecisionList)
async def find(  # noqa: PLR0913, PLR0917  # each query parameter is an argument
    request: Request,
    outcome: Annotated[Outcome | None, Query(description="allow, warn or deny")] = None,
    code: Annotated[str | None, Query(description="Code of a finding, such as GPU-002")] = None,
    waived_by: Annotated[
        str | None, Query(description="Waiver or break-glass of a finding")
    ] = None,
    team: Annotated[str | None, Query(description="Team of a resource")] = None,
    vendor: Annotated[str | None, Query(description="Vendor of a resource")] = None,
    enforcement_point: Annotated[EnforcementPoint | None, Query()] = None,
    binding: Annotated[
        Binding | None, Query(description="binding, advisory, dry_run or scan")
    ] = None,
    kind: Annotated[Kind | None, Query(description="decision, rejected or break_glass")] = None,
    since: Annotated[str | None, Query(description="RFC 3339, inclusive")] = None,
    until: Annotated[str | None, Query(description="RFC 3339, exclusive")] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Decisions that meet every stated condition."""
    service = service_of(request)
    caller_of(request, CallerRole.READER)
    wanted = Filter.of(
        outcome=outcome,
        code=code,
        waived_by=waived_by,
        team=team,
        vendor=vendor,
        enforcement_point=enforcement_point,
        binding=binding,
        kind=kind,
        since=since,
        until=until,
    )
    page = await asyncio.to_thread(service.reader.find, wanted, cursor=cursor, limit=limit)
    bodies = ",".join(decision.model_dump_json() for decision in page.decisions)
    text = f'{{"decisions":[{bodies}],"next_cursor":{json.dumps(page.next_cursor)}}}'
    return Response(text, media_type="application/json")


@router.get("/v1/decisions/{decision_id}", summary="One decision", response_model=Decision)
async def show(request: Request, decision_id: str) -> Response:
    """The decision with this id."""
    service = service_of(request)
    caller_of(request, CallerRole.READER)
    stored = await asyncio.to_thread(service.reader.get, decision_id)
    if stored is None:
        raise NotFound(
            f"there is no decision `{decision_id[:64]}`",
            hint="Ids are those that refusals and `GET /v1/decisions` show.",
        )
    return Response(stored.decision.model_dump_json(), media_type="application/json")
