"""Client certificates: whom TLS has proved, and what becomes of callers without one.

The kubelet's probes cannot show a certificate, so that paths of probes never need one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.problems import problem
from service.errors import NotAllowed

STATE = "client_certificate"
"""The key in a connection's state that holds the name in its verified certificate."""

_LOG = structlog.get_logger("portreeve")
_PROBES = frozenset({"/healthz", "/readyz"})
_LONGEST_NAME = 253
_REMIND_SECONDS = 60.0
_MOST_REMEMBERED = 1024


def certificate_of(request: Request) -> str | None:
    """The name in the certificate that the client of *request* proved itself with."""
    name: str | None = request.scope.get("state", {}).get(STATE)
    return name


def name_in(certificate: Mapping[str, Any] | None) -> str | None:
    """The common name in a verified *certificate*, as ``ssl`` gives it; ``None`` without one."""
    if not certificate:
        return None
    for part in certificate.get("subject", ()):
        for field, value in part:
            if field == "commonName" and value.strip():
                return str(value)[:_LONGEST_NAME]
    return "certificate without a name"


class ClientCertificates:
    """An ASGI application before *app* that looks whether clients showed a certificate."""

    def __init__(self, app: ASGIApp, *, enforce: bool) -> None:
        """Callers without a certificate are refused if *enforce*, else told of in the log."""
        self._app = app
        self._enforce = enforce
        self._told: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if (
            scope["type"] != "http"
            or scope["path"] in _PROBES
            or scope.get("state", {}).get(STATE) is not None
        ):
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("unknown",))[0]
        self._tell(address)
        if not self._enforce:
            await self._app(scope, receive, send)
            return
        refused = NotAllowed(
            "the client showed no certificate",
            hint="Connect with a certificate of the CA in `tls_client_ca`.",
            code="SYS-AUTH-CERTIFICATE",
        )
        await problem(refused)(scope, receive, send)

    def _tell(self, address: str) -> None:
        """Log an address at most once a minute."""
        now = time.monotonic()
        if now - self._told.get(address, -_REMIND_SECONDS) < _REMIND_SECONDS:
            return
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told[address] = now
        _LOG.warning("client_without_certificate", address=address, refused=self._enforce)
