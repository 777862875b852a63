"""The admission webhooks: ``POST /v1/kubernetes/validate`` decides, ``mutate`` adds.

An AdmissionReview does not say which cluster it comes from, and the API server allows no query in a
webhook's URL, so the cluster is named in the path (``/v1/kubernetes/validate/prod-eu``), by the
caller's token where that is bound to one cluster, or as ``?cluster=`` by clients that can.

To mutate is no decision: nothing is refused, recorded or held. The validating webhook decides about
the object as it then is, and that is what the log has. So a mutation waits for neither the log nor
the engine, and whatever goes wrong leaves the object as it was, with a warning.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import structlog
from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from adapters.kubernetes.additions import additions
from adapters.kubernetes.answer import answer, answer_error
from adapters.kubernetes.mutate import Patch, answer_patch, answer_unpatched, patch
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.review import read_review
from adapters.kubernetes.surroundings import surrounded
from adapters.kubernetes.view import UNWATCHED
from service.api.auth import Caller, CallerRole
from service.api.bodies import Body, parameters, read_body
from service.api.covering import covered
from service.api.deadlines import deadline
from service.api.problems import problem
from service.api.service import Service, caller_of, service_of
from service.errors import (
    EvaluationFailed,
    GovernanceError,
    LogUnavailable,
    NotAllowed,
    RequestRefused,
)
from service.intake.documents import read_json
from service.model.base import EnforcementPoint
from service.pipeline import Rejected

VALIDATE = "/v1/kubernetes/validate"
MUTATE = "/v1/kubernetes/mutate"

router = APIRouter(tags=["kubernetes"])
_LOG = structlog.get_logger("portreeve")
_LEAST_SECONDS = 0.05


class _Came(NamedTuple):
    """A review on its way: who sent what, and until when (``time.monotonic``) it is answered."""

    service: Service
    caller: Caller
    body: Body
    until: float

    def left(self) -> float:
        """Seconds until the answer has to leave."""
        return max(_LEAST_SECONDS, self.until - time.monotonic())


@router.post(VALIDATE, summary="Decide an AdmissionReview v1")
@router.post(VALIDATE + "/{cluster}", summary="The same, from a named cluster")
async def validate(request: Request) -> Response:
    """Answer an AdmissionReview; a body without a readable ``uid`` gets problem details."""
    arrived = time.monotonic()
    service = service_of(request)
    caller = caller_of(request, CallerRole.ENFORCER)
    body = await read_body(request, limit=service.limits.review_bytes)
    came = _Came(service, caller, body, arrived + _seconds(None, service))
    review: Any = None
    try:
        review = _read(came)
        query = parameters(request)
        cluster = _cluster(request.path_params.get("cluster") or query.get("cluster"), caller)
        came = came._replace(until=arrived + _seconds(query.get("timeout"), service))
        view = service.view_of(cluster)
        normalised = normalise_review(review, cluster=cluster, caller=caller.name, view=view)
        normalised = surrounded(normalised, view)
        controllers = service.pipeline.controllers
        if normalised.actor.name in controllers:
            normalised = await covered(normalised, review, view, controllers, until=came.until)
    except RequestRefused as error:
        return await _reject(came, review, error)
    payload = None if view is UNWATCHED else body.digest
    try:
        decision = await service.pipeline.decide(
            normalised, seconds=came.left(), payload_digest=payload
        )
    except LogUnavailable as error:
        return _json(answer_error(normalised.key, error))
    return _json(answer(normalised.key, decision))


@router.post(MUTATE, summary="Add to an object what the organisation adds")
@router.post(MUTATE + "/{cluster}", summary="The same, from a named cluster")
async def mutate(request: Request) -> Response:
    """Answer an AdmissionReview with a patch, or without one; never with a refusal."""
    arrived = time.monotonic()
    service = service_of(request)
    caller = caller_of(request, CallerRole.ENFORCER)
    body = await read_body(request, limit=service.limits.review_bytes)
    came = _Came(service, caller, body, arrived)
    review: Any = None
    try:
        review = _read(came)
        named = request.path_params.get("cluster") or parameters(request).get("cluster")
        done = _patch(came, review, named)
    except GovernanceError as error:
        return _unpatched(_uid(review), error)
    except Exception as error:  # noqa: BLE001  # the outermost edge: a defect of ours adds nothing
        _LOG.exception("defect", error=type(error).__name__)
        return _unpatched(_uid(review), EvaluationFailed("the service failed"))
    if done.added:
        _LOG.info("mutation", key=_uid(review), added=done.added, caller=caller.name)
    return _json(answer_patch(_uid(review), done))


def _seconds(timeout: str | None, service: Service) -> float:
    limits = service.limits
    return deadline(timeout, default=limits.deadline_seconds, margin=limits.margin_seconds)


def _read(came: _Came) -> Any:
    if came.body.error is not None:
        raise came.body.error
    limit = came.service.limits.review_bytes
    return read_json(came.body.raw, limit=limit, what="the AdmissionReview")


def _patch(came: _Came, review: Any, named: str | None) -> Patch:
    """What is added to the object of *review*.

    Raises:
        GovernanceError: The review cannot be used, or the caller may not speak for the cluster.
    """
    asked = read_review(review)
    pipeline = came.service.pipeline
    org = pipeline.bundle.org
    if not org.mutation.enabled:
        return Patch([], [])
    cluster = _cluster(named, came.caller)
    view = came.service.view_of(cluster)
    request = normalise_review(review, cluster=cluster, caller=came.caller.name, view=view)
    if not request.resources:
        return Patch([], [])
    return patch(asked, additions(pipeline.resolve(surrounded(request, view)), org))


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


async def _reject(came: _Came, review: Any, error: RequestRefused) -> Response:
    uid = _uid(review)
    rejected = Rejected(
        error=error,
        point=EnforcementPoint.KUBERNETES,
        input_digest=came.body.digest,
        caller=came.caller.name,
        key=uid,
    )
    try:
        decision = await came.service.pipeline.reject(rejected, seconds=came.left())
    except LogUnavailable as unavailable:
        return _refuse(uid, unavailable)
    if uid:
        return _json(answer(uid, decision))
    return problem(error, decision_id=decision.decision_id)


def _refuse(uid: str, error: GovernanceError) -> Response:
    return _json(answer_error(uid, error)) if uid else problem(error)


def _unpatched(uid: str, error: GovernanceError) -> Response:
    return _json(answer_unpatched(uid, error)) if uid else problem(error)


def _uid(review: Any) -> str:
    """The uid of a review that could otherwise not be read, so that it can be answered."""
    request = review.get("request") if isinstance(review, dict) else None
    uid = request.get("uid") if isinstance(request, dict) else None
    return uid if isinstance(uid, str) and len(uid) <= 128 else ""


def _json(document: dict[str, Any]) -> Response:
    return Response(to_json(document), media_type="application/json")
