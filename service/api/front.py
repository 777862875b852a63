"""The webhooks' way in, past the framework's routing.

FastAPI's routing and middleware take about a third of the processor time of an admission request.
The webhooks have no parameters for them to read, so their requests go to the route's function at
once; everything else, the documentation of the routes included, stays with the framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.kubernetes import MUTATE, VALIDATE, mutate, validate
from service.api.problems import problem
from service.errors import GovernanceError

_LOG = structlog.get_logger("portreeve")

_Webhook = Callable[[Request], Awaitable[Response]]
_WEBHOOKS: tuple[tuple[str, _Webhook], ...] = ((VALIDATE, validate), (MUTATE, mutate))


class Front:
    """An ASGI application before *app*."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the webhooks' requests, and hand on all others."""
        if scope["type"] == "http" and scope["method"] == "POST":
            path: str = scope["path"]
            for prefix, webhook in _WEBHOOKS:
                if path.startswith(prefix):
                    cluster = path[len(prefix) :]
                    if _names_one(cluster):
                        scope["path_params"] = {"cluster": cluster[1:]} if cluster else {}
                        await self._answer(webhook, scope, receive, send)
                        return
        await self._app(scope, receive, send)

    async def _answer(self, webhook: _Webhook, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self._app
        try:
            answer = await webhook(Request(scope, receive))
        except GovernanceError as error:
            answer = problem(error)
        except Exception as error:  # noqa: BLE001  # the outermost edge: a defect of ours refuses
            _LOG.exception("defect", error=type(error).__name__)
            answer = problem(GovernanceError("the service failed", hint="See the service's log."))
        await answer(scope, receive, send)


def _names_one(rest: str) -> bool:
    """Whether what follows a webhook's path names one cluster, or none."""
    return not rest or (rest[0] == "/" and "/" not in rest[1:] and len(rest) > 1)
