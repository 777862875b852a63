"""The webhook's way in, past the framework's routing.

FastAPI's routing and middleware take about a third of the processor time of an admission request.
The webhook has no parameters for them to read, so its requests go to the route's function at once;
everything else, the documentation of the route included, stays with the framework.
"""

from __future__ import annotations

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from service.api.kubernetes import VALIDATE, validate
from service.api.problems import problem
from service.errors import GovernanceError

_LOG = structlog.get_logger("portreeve")


class Front:
    """An ASGI application before *app*."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the webhook's requests, and hand on all others."""
        if (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and scope["path"].startswith(VALIDATE)
        ):
            cluster = scope["path"][len(VALIDATE) :]
            if not cluster or (cluster[0] == "/" and "/" not in cluster[1:] and len(cluster) > 1):
                await self._validate(cluster[1:], scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _validate(self, cluster: str, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self._app
        scope["path_params"] = {"cluster": cluster} if cluster else {}
        try:
            answer = await validate(Request(scope, receive))
        except GovernanceError as error:
            answer = problem(error)
        except Exception as error:  # noqa: BLE001  # the outermost edge: a defect of ours refuses
            _LOG.exception("defect", error=type(error).__name__)
            answer = problem(GovernanceError("the service failed", hint="See the service's log."))
        await answer(scope, receive, send)
