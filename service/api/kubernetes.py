"""``POST /v1/kubernetes/validate``: the validating admission webhook.

An AdmissionReview does not say which cluster it comes from, and the API server allows no query in a
webhook's URL, so the cluster is named in the path (``/v1/kubernetes/validate/prod-eu``), by the
caller's token where that is bound to one cluster, or as ``?cluster=`` by clients that can.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from adapters.kubernetes.answer import answer, answer_error
from adapters.kubernetes.normalise import normalise_review
from service.api.auth import Caller, CallerRole
from service.api.bodies import Body, parameters, read_body
from service.api.clients import certificate_of
from service.api.deadlines import deadline
from service.api.problems import problem
from service.api.service import Service, service_of
from service.errors import GovernanceError, LogUnavailable, NotAllowed, RequestRefused
from service.intake.documents import read_json
from service.model.base import EnforcementPoint
from service.pipeline import Rejected

VALIDATE = "/v1/kubernetes/validate"

router = APIRouter(tags=["kubernetes"])


@router.post(VALIDATE, summary="Decide an AdmissionReview v1")
@router.post(VALIDATE + "/{cluster}", summary="The same, from a named cluster")
async def validate(request: Request) -> Response:
    """Answer an AdmissionReview; a body without a readable ``uid`` gets problem details."""
    service = service_of(request)
    caller = service.gate.require(
        request.headers.get("authorization"), CallerRole.ENFORCER, certificate_of(request)
    )
    body = await read_body(request, limit=service.limits.review_bytes)
    review: Any = None
    try:
        query = parameters(request)
        cluster = _cluster(request.path_params.get("cluster") or query.get("cluster"), caller)
        seconds = deadline(
            query.get("timeout"),
            default=service.limits.deadline_seconds,
            margin=service.limits.margin_seconds,
        )
        if body.error is not None:
            raise body.error
        review = read_json(body.raw, limit=service.limits.review_bytes, what="the AdmissionReview")
        normalised = normalise_review(review, cluster=cluster, caller=caller.name)
    except RequestRefused as error:
        return await _reject(service, caller, body, review, error)
    try:
        decision = await service.pipeline.decide(normalised, seconds=seconds)
    except LogUnavailable as error:
        return _json(answer_error(normalised.key, error))
    return _json(answer(normalised.key, decision))


def _cluster(named: str | None, caller: Caller) -> str | None:
    """The cluster that is meant, which must be one of the caller's own where it is bound to any."""
    if named is None and len(caller.clusters) == 1:
        return caller.clusters[0]
    if caller.clusters and named not in caller.clusters:
        raise NotAllowed(
            f"caller `{caller.name}` may not speak for cluster `{named}`",
            hint="Name one of the caller's own clusters in the path.",
        )
    return named


async def _reject(
    service: Service, caller: Caller, body: Body, review: Any, error: RequestRefused
) -> Response:
    uid = _uid(review)
    rejected = Rejected(
        error=error,
        point=EnforcementPoint.KUBERNETES,
        input_digest=body.digest,
        caller=caller.name,
        key=uid,
    )
    try:
        decision = await service.pipeline.reject(rejected)
    except LogUnavailable as unavailable:
        return _refuse(uid, unavailable)
    if uid:
        return _json(answer(uid, decision))
    return problem(error, decision_id=decision.decision_id)


def _refuse(uid: str, error: GovernanceError) -> Response:
    return _json(answer_error(uid, error)) if uid else problem(error)


def _uid(review: Any) -> str:
    """The uid of a review that could otherwise not be read, so that the refusal can be answered."""
    request = review.get("request") if isinstance(review, dict) else None
    uid = request.get("uid") if isinstance(request, dict) else None
    return uid if isinstance(uid, str) and len(uid) <= 128 else ""


def _json(document: dict[str, Any]) -> Response:
    return Response(to_json(document), media_type="application/json")
