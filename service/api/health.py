"""``GET /healthz`` and ``GET /readyz``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from service.api.service import is_ready, service_of

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process is alive")
async def healthz() -> dict[str, str]:
    """Alive; says nothing of the engine and the log."""
    return {"status": "ok"}


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
