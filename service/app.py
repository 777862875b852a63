"""The composition root of the service: which engine, which log, which callers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from service.api import decisions, health, kubernetes, plans
from service.api.auth import read_gate
from service.api.front import Front
from service.api.problems import problem
from service.api.service import Limits, Service
from service.bundle.load import load
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.errors import GovernanceError, NotFound, RequestRefused, SettingsRefused
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.engine import Engine
from service.evaluate.opa import OpaEngine
from service.log.apart import write_apart
from service.log.query import DecisionReader
from service.log.sqlite import DecisionLogFile
from service.pipeline import VERSION, Pipeline
from service.settings import EngineKind, Settings

_LOG = structlog.get_logger("portreeve")
_COLLECT_AFTER = 20_000


def create_app(service: Service) -> FastAPI:
    """The HTTP application over *service*."""
    # FastAPI's own page takes its script from a network that a cluster need not reach.
    app = FastAPIOffline(
        title="Portreeve",
        version=VERSION,
        description="Policy-as-code governance for AI infrastructure.",
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.service = service
    for module in (kubernetes, plans, decisions, health):
        app.include_router(module.router)
    app.add_exception_handler(GovernanceError, _governance)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)
    return app


async def _governance(_: Request, error: Exception) -> Response:
    assert isinstance(error, GovernanceError)  # noqa: S101  # registered for no other class
    return problem(error)


async def _parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for no other class
    first = error.errors()[0]
    name = str(first["loc"][-1])
    return problem(
        RequestRefused(
            f"parameter `{name}` is `{str(first.get('input'))[:64]}`: {first['msg'].lower()}",
            hint="See `/docs`.",
            code="SYS-INPUT-PARAMETER",
        )
    )


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for no other class
    if error.status_code == 404:
        return problem(NotFound("there is nothing at this path", hint="See `/docs`."))
    refused = RequestRefused(str(error.detail).lower(), hint="See `/docs`.", code="SYS-HTTP")
    answer = problem(refused)
    answer.status_code = error.status_code
    return answer


async def _defect(_: Request, error: Exception) -> Response:
    _LOG.error("defect", error=type(error).__name__)
    return problem(GovernanceError("the service failed", hint="See the service's own log."))


def find_bundle(name: str) -> Path:
    """The path of the bundle *name*: a path where there is one, else a shipped bundle.

    Raises:
        BundleRefused: There is neither.
    """
    path = Path(name)
    return path if path.exists() or "/" in name else shipped(name)


async def start_engine(settings: Settings, bundle: Bundle) -> Engine:
    """The engine that *settings* choose, with *bundle* loaded."""
    if settings.engine is EngineKind.OPA:
        token = settings.opa_token_file
        return await OpaEngine.start(
            bundle,
            url=settings.opa_url,
            token=token.read_text(encoding="utf-8").strip() if token else None,
        )
    return await EmbeddedEngine.start(
        bundle, workers=settings.evaluators, memory_mib=settings.evaluator_memory_mib
    )


async def serve(settings: Settings) -> None:
    """Serve until the process is told to stop; what is waiting is then finished first.

    Raises:
        GovernanceError: A part could not be started; says which and what to do.
    """
    settings.check()
    # Evaluators and the log's writer inherit this: a request handed to one of them then does not
    # take the processor from whoever handed it over, which is worth a fifth of the throughput.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    gate = read_gate(settings.tokens_file)
    bundle = load(find_bundle(settings.bundle))
    log = await DecisionLogFile.open(settings.log, start=write_apart)
    try:
        engine = await start_engine(settings, bundle)
        try:
            limits = Limits(
                review_bytes=settings.review_limit_mib * 2**20,
                plan_bytes=settings.plan_limit_mib * 2**20,
                deadline_seconds=settings.deadline_seconds,
                margin_seconds=settings.margin_seconds,
            )
            reader = DecisionReader(settings.log)
            service = Service(Pipeline(bundle, engine, log), gate, reader, limits)
            # The tables of a bundle live as long as the process: the collector need not look.
            gc.collect()
            gc.freeze()
            # A request leaves no cycles behind, and makes more objects than the usual 700.
            gc.set_threshold(_COLLECT_AFTER)
            await _listen(settings, create_app(service), bundle)
        finally:
            await engine.close()
    finally:
        await log.close()


class _Server(uvicorn.Server):
    """Leaves the process alive after its last answer, so that the log and engine are closed too.

    Uvicorn's own handling raises the signal again when it has stopped serving, which ends the
    process before anything after it has run.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


async def _listen(settings: Settings, app: FastAPI, bundle: Bundle) -> None:
    config = uvicorn.Config(
        Front(app),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=15,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise SettingsRefused(
            f"the TLS certificate or key cannot be used: {error}",
            hint="Check both files; the certificate comes first, then its chain.",
        ) from error
    listener = _bind(settings)
    _LOG.info(
        "listening",
        host=settings.host,
        port=listener.getsockname()[1],
        bundle=bundle.ref.name,
        revision=bundle.ref.revision,
        digest=bundle.ref.digest,
        posture=bundle.org.posture.value,
        engine=settings.engine.value,
        log=str(settings.log),
    )
    await _Server(config).serve(sockets=[listener])


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsRefused(
            f"cannot listen on `{settings.host}:{settings.port}`: {(error.strerror or '').lower()}",
            hint="Another program may use the port; choose one with --port.",
        ) from error
