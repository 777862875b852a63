"""``/v1/break-glass``: what is open, opening it, and ending it early."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from service.api.auth import Caller, CallerRole
from service.api.bodies import Body, read_body
from service.api.problems import problem
from service.api.service import Service, caller_of, service_of
from service.break_glass import Closing, Opener, Wanted, read_as
from service.errors import NotAllowed, RequestRefused
from service.intake.documents import read_json
from service.model.base import EnforcementPoint
from service.model.break_glass import BreakGlass
from service.model.decision import Decision
from service.pipeline import Rejected

router = APIRouter(tags=["break-glass"])

_LARGEST = 2**16


class OpenList(BaseModel):
    """What is open."""

    break_glass: list[BreakGlass]


@router.get("/v1/break-glass", summary="What is open", response_model=OpenList)
async def opened(request: Request) -> Response:
    """Break-glass that has neither ended nor been ended."""
    service = service_of(request)
    caller_of(request, CallerRole.READER)
    found = OpenList(break_glass=list(await service.desk.opened()))
    return Response(found.model_dump_json(), media_type="application/json")


@router.post(
    "/v1/break-glass",
    summary="Open break-glass",
    response_model=Decision,
    status_code=201,
    openapi_extra={
        "requestBody": {"content": {"application/json": {"schema": Wanted.model_json_schema()}}}
    },
)
async def open_(request: Request) -> Response:
    """Waive what rules find in one place, for at most four hours; answered with its record."""
    service = service_of(request)
    caller = caller_of(request, CallerRole.ADMINISTRATOR)
    body = await read_body(request, limit=_LARGEST)
    try:
        service.desk.check(_opener(caller))
        wanted = read_as(Wanted, _payload(body))
        decision = await service.desk.open(wanted, _opener(caller))
    except (NotAllowed, RequestRefused) as error:
        return await _reject(service, caller, body, error)
    return Response(decision.model_dump_json(), 201, media_type="application/json")


@router.post("/v1/break-glass/{id}/end", summary="End break-glass", response_model=Decision)
async def end(request: Request, id_: Annotated[str, Path(alias="id")]) -> Response:
    """End early what is open; any administrator may. Answered with the record of that."""
    service = service_of(request)
    caller = caller_of(request, CallerRole.ADMINISTRATOR)
    body = await read_body(request, limit=_LARGEST)
    try:
        actor = read_as(Closing, _payload(body)).actor
    except RequestRefused as error:
        return await _reject(service, caller, body, error)
    decision = await service.desk.end(id_, _opener(caller), actor=actor)
    return Response(decision.model_dump_json(), media_type="application/json")


def _opener(caller: Caller) -> Opener:
    return Opener(caller.name, caller.groups)


def _payload(body: Body) -> Any:
    if body.error is not None:
        raise body.error
    return read_json(body.raw, limit=_LARGEST, what="the body")


async def _reject(
    service: Service, caller: Caller, body: Body, error: NotAllowed | RequestRefused
) -> Response:
    """Refuse and record it: who tried to is worth knowing."""
    rejected = Rejected(
        error=error, point=EnforcementPoint.API, input_digest=body.digest, caller=caller.name
    )
    decision = await service.pipeline.reject(rejected)
    return problem(error, decision_id=decision.decision_id)
