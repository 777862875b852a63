"""``GET /healthz`` and ``GET /readyz``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from adapters.kubernetes.view import UNWATCHED
from service.api.service import is_ready, service_of
from service.pipeline import stamp

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process is alive")
async def healthz(request: Request) -> dict[str, Any]:
    """Alive; says nothing of the engine and the log.

    Where a cluster is watched it says until when what is known of it was current (``as_of``). A
    view that is old makes the service neither dead nor unready.
    """
    service = service_of(request)
    if service.view is UNWATCHED:
        return {"status": "ok"}
    as_of = service.view.as_of
    age = None if as_of is None else max(0, round((datetime.now(UTC) - as_of).total_seconds()))
    cluster = {
        "name": service.cluster,
        "as_of": None if as_of is None else stamp(as_of),
        "age_seconds": age,
    }
    return {"status": "ok", "cluster": cluster}


@router.get("/readyz", summary="Whether a request would be decided")
async def readyz(request: Request) -> Response:
    """200 when the engine and the log could take a request now, else 503 with what could not."""
    service = service_of(request)
    parts = await is_ready(service)
    ready = all(parts.values())
    body = {
        "status": "ready" if ready else "not ready",
        "parts": parts,
        "bundle": service.pipeline.bundle.ref.model_dump(),
        "engine_version": service.pipeline.engine.name,
    }
    return JSONResponse(body, 200 if ready else 503)
