"""``POST /v1/terraform/plan`` and ``POST /v1/evaluate``: answered with the decision itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from adapters.api.normalise import normalise_request
from adapters.terraform.normalise import normalise_plan
from service.api.auth import Caller, CallerRole
from service.api.bodies import Body, read_body
from service.api.clients import certificate_of
from service.api.deadlines import deadline
from service.api.problems import problem
from service.api.service import Service, service_of
from service.errors import RequestRefused
from service.intake.documents import read_json
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.decision import Decision
from service.model.request import Request as Asked
from service.pipeline import Rejected

router = APIRouter(tags=["plans and requests"])

_INLINE_BYTES = 2**18
_SCOPES = tuple(Scope.model_fields)


@router.post("/v1/terraform/plan", summary="Decide a Terraform plan", response_model=Decision)
async def terraform_plan(request: Request) -> Response:
    """Decide the JSON of ``terraform show -json``; the decision is advisory."""
    service = service_of(request)
    caller = service.gate.caller(request.headers.get("authorization"), certificate_of(request))
    scope = Scope(**{name: request.query_params.get(name) for name in _SCOPES})
    limit = service.limits.plan_bytes

    def normalise(body: Body) -> Asked:
        plan = read_json(body.raw, limit=limit, what="the plan")
        return normalise_plan(plan, scope=scope, caller=caller.name, key=body.digest)

    body = await read_body(request, limit=limit)
    return await _decide(request, caller, body, normalise, EnforcementPoint.TERRAFORM)


@router.post("/v1/evaluate", summary="Decide a Request", response_model=Decision)
async def evaluate(request: Request) -> Response:
    """Decide a request in Portreeve's own form; advisory unless the caller is an enforcer."""
    service = service_of(request)
    caller = service.gate.caller(request.headers.get("authorization"), certificate_of(request))
    enforces = not service.gate.is_open and caller.may(CallerRole.ENFORCER)
    binding = Binding.BINDING if enforces else Binding.ADVISORY
    limit = service.limits.review_bytes

    def normalise(body: Body) -> Asked:
        payload = read_json(body.raw, limit=limit, what="the request")
        return normalise_request(payload, caller=caller.name, binding=binding, key=body.digest)

    body = await read_body(request, limit=limit)
    return await _decide(request, caller, body, normalise, EnforcementPoint.API)


async def _decide(
    request: Request,
    caller: Caller,
    body: Body,
    normalise: Callable[[Body], Asked],
    point: EnforcementPoint,
) -> Response:
    service: Service = service_of(request)
    try:
        seconds = deadline(
            request.query_params.get("timeout"),
            default=service.limits.deadline_seconds,
            margin=service.limits.margin_seconds,
        )
        if body.error is not None:
            raise body.error
        # A large plan must not hold up the webhook's answers.
        asked = (
            normalise(body)
            if len(body.raw) <= _INLINE_BYTES
            else await asyncio.to_thread(normalise, body)
        )
    except RequestRefused as error:
        rejected = Rejected(
            error=error,
            point=point,
            input_digest=body.digest,
            caller=caller.name,
            binding=Binding.ADVISORY,
        )
        decision = await service.pipeline.reject(rejected)
        return problem(error, decision_id=decision.decision_id)
    decision = await service.pipeline.decide(asked, seconds=seconds)
    return _json(decision)


def _json(decision: Decision) -> Response:
    return Response(decision.model_dump_json(), media_type="application/json")
