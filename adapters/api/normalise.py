"""A ``Request`` that a client wrote itself, as the pipeline takes it.

A client may describe what it asks for and nothing else: what the service knows on its own
authority (who spoke, when, at which price, in which country) is refused, not overwritten, so that
nobody believes to have been heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from service.errors import RequestRefused
from service.model.base import Binding, EnforcementPoint
from service.model.request import Request
from service.model.resource import Resource, ResourceState
from service.model.sensitive import redact_pairs, redact_text

_OURS = ("context", "caller", "enforcement_point", "binding")
_RESOLVED = (
    "covered_by",
    "country",
    "jurisdictions",
    "operator_countries",
    "operator_jurisdictions",
    "places",
    "software_stack",
    "fit",
    "cost",
    "provenance",
)


def normalise_request(payload: Any, *, caller: str, binding: Binding, key: str) -> Request:
    """The request that *payload* describes; *key* stands in where it names none.

    Raises:
        RequestRefused: It is not a request, or states what only the service may state.
    """
    if not isinstance(payload, Mapping):
        raise RequestRefused(
            f"the body is a {type(payload).__name__}, and a request is an object",
            hint="See `/docs` for the form of a request.",
        )
    _refuse_ours(payload)
    stated = {
        "key": key,
        "operation": "evaluate",
        **payload,
        "enforcement_point": EnforcementPoint.API,
        "caller": caller,
        "binding": binding,
    }
    try:
        request = Request.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise RequestRefused(
            f"`/{where}` is not what a request has there: {first['msg'].lower()}",
            hint="See `/docs` for the form of a request.",
            code="SYS-INPUT-SCHEMA",
        ) from error
    return request.model_copy(
        update={"resources": tuple(_redacted(item) for item in request.resources)}
    )


def _refuse_ours(payload: Mapping[str, Any]) -> None:
    found = [name for name in _OURS if name in payload]
    resources = payload.get("resources")
    for index, item in enumerate(resources if isinstance(resources, list) else ()):
        for path, state in ((f"resources/{index}", item), *_before(index, item)):
            if isinstance(state, Mapping):
                found += [f"{path}/{name}" for name in _RESOLVED if name in state]
    if found:
        raise RequestRefused(
            f"`/{found[0]}` is written by the service and must not be sent",
            hint="Leave it out.",
            code="SYS-INPUT-FORBIDDEN",
        )


def _before(index: int, item: Any) -> tuple[tuple[str, Any], ...]:
    if isinstance(item, Mapping) and "before" in item:
        return ((f"resources/{index}/before", item["before"]),)
    return ()


def _redacted(item: Resource) -> Resource:
    update: dict[str, Any] = _redacted_state(item)
    if item.before is not None:
        update["before"] = item.before.model_copy(update=_redacted_state(item.before))
    return item.model_copy(update=update)


def _redacted_state(state: ResourceState) -> dict[str, Any]:
    return {
        "labels": redact_pairs(state.labels),
        "images": tuple(redact_text(image) for image in state.images),
    }
