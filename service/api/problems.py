"""The one place that turns deliberate errors into problem details (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from fastapi import Response

from service.errors import GovernanceError

MEDIA_TYPE = "application/problem+json"

# Codes whose status is more precise than that of their class.
_STATUS_BY_CODE = {
    "SYS-INPUT-TOO-LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "SYS-AUTH-MISSING": HTTPStatus.UNAUTHORIZED,
    "SYS-AUTH-UNKNOWN": HTTPStatus.UNAUTHORIZED,
    "SYS-BUSY": HTTPStatus.SERVICE_UNAVAILABLE,
}


def problem(error: GovernanceError, *, decision_id: str = "") -> Response:
    """*error* as a response; *decision_id* names its record in the log, if there is one."""
    number = int(_STATUS_BY_CODE.get(error.code, error.status))
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(number).phrase,
        "status": number,
        "code": error.code,
        "detail": error.message,
        "hint": error.hint,
    }
    if decision_id:
        body["decision_id"] = decision_id
    headers = {"Retry-After": "1"} if number in {429, 503, 504} else {}
    if number == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(body), number, headers, MEDIA_TYPE)
