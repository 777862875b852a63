"""``GET /v1/events``: what became of the objects that were decided about."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from service.api.auth import CallerRole
from service.api.service import caller_of, service_of
from service.log.filters import EventFilter
from service.model.subject_event import Happened, SubjectEvent

router = APIRouter(tags=["events"])


class EventList(BaseModel):
    """One page of events, newest first; ``next_cursor`` is absent on the last one."""

    events: list[SubjectEvent]
    next_cursor: str | None = None


@router.get("/v1/events", summary="Find subject events", response_model=EventList)
async def find(  # noqa: PLR0913, PLR0917  # each query parameter is an argument
    request: Request,
    event: Annotated[Happened | None, Query(description="applied, ended or failed")] = None,
    cluster: Annotated[str | None, Query(description="Cluster of the object")] = None,
    namespace: Annotated[str | None, Query(description="Namespace of the object")] = None,
    kind: Annotated[str | None, Query(description="Kind of the object, such as Job")] = None,
    subject: Annotated[str | None, Query(description="`subject` of a decided resource")] = None,
    uid: Annotated[str | None, Query(description="uid of the object")] = None,
    since: Annotated[str | None, Query(description="RFC 3339, inclusive")] = None,
    until: Annotated[str | None, Query(description="RFC 3339, exclusive")] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events that meet every stated condition."""
    service = service_of(request)
    caller_of(request, CallerRole.READER)
    wanted = EventFilter.of(
        event=event,
        cluster=cluster,
        namespace=namespace,
        kind=kind,
        subject=subject,
        uid=uid,
        since=since,
        until=until,
    )
    events = service.reader.events
    page = await asyncio.to_thread(events.find, wanted, cursor=cursor, limit=limit)
    bodies = ",".join(found.model_dump_json() for found in page.events)
    text = f'{{"events":[{bodies}],"next_cursor":{json.dumps(page.next_cursor)}}}'
    return Response(text, media_type="application/json")
