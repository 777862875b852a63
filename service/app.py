"""The composition root of the service: which engine, which log, which callers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from adapters.kubernetes import kinds
from adapters.kubernetes.view import UNWATCHED, ClusterView
from service.api import break_glass, decisions, health, kubernetes, plans, subject_events
from service.api.auth import read_gate
from service.api.problems import problem
from service.api.service import Limits, Service
from service.break_glass import BreakGlassDesk
from service.bundle.freshness import old_prices
from service.bundle.load import load
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.errors import GovernanceError, NotFound, RequestRefused, SettingsRefused
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.engine import Engine
from service.listeners import Server, accompanied, bind, certified, configuration
from service.log.apart import Channels, join, write_apart
from service.log.break_glass import OpenBreakGlass
from service.log.entry import DecisionLog, EventLog
from service.log.event_query import EventReader
from service.log.query import DecisionReader
from service.log.sqlite import DecisionLogFile
from service.memory import give_back
from service.pipeline import VERSION, Pipeline, nothing_open, utc_now
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
    for module in (kubernetes, plans, decisions, subject_events, break_glass, health):
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
        # Its HTTP client takes 15 MiB, which a service without an OPA server need not have.
        from service.evaluate.opa import OpaEngine  # noqa: PLC0415

        token = settings.opa_token_file
        return await OpaEngine.start(
            bundle,
            url=settings.opa_url,
            token=token.read_text(encoding="utf-8").strip() if token else None,
        )
    return await EmbeddedEngine.start(
        bundle,
        workers=max(1, settings.evaluators // settings.listeners),
        memory_mib=settings.evaluator_memory_mib,
    )


def _say_old_prices(bundle: Bundle) -> None:
    """One event for each vendor whose list prices are older than the organisation allows."""
    for old in old_prices(bundle, datetime.now(UTC).date()):
        _LOG.warning(
            "old_prices",
            vendor=old.vendor,
            newest=old.newest,
            age_days=old.days,
            stale_price_days=old.limit,
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
    bundle = load(find_bundle(settings.bundle))
    _say_old_prices(bundle)
    channels = Channels(settings.listeners - 1)
    try:
        log = await DecisionLogFile.open(settings.log, start=channels.write_apart)
        async with (
            watching(settings) as view,
            running(settings, bundle, log, view=view) as app,
            certified(settings) as pair,
        ):
            listener = bind(settings)
            config = configuration(settings, app, pair)
            _LOG.info(
                "listening",
                host=settings.host,
                port=listener.getsockname()[1],
                bundle=bundle.ref.name,
                revision=bundle.ref.revision,
                digest=bundle.ref.digest,
                posture=bundle.org.posture.value,
                engine=settings.engine.value,
                listeners=settings.listeners,
                log=str(settings.log),
            )
            given = settings.model_copy(update={"port": listener.getsockname()[1]})
            async with accompanied(given, bundle.ref.digest, channels.ours, view):
                await Server(config).serve(sockets=[listener])
    finally:
        channels.close()


async def accompany(
    settings: Settings, digest: str, channel: socket.socket | None, view: str
) -> None:
    """Serve beside the process that was started with *settings* until it closes standard input.

    *channel* leads to the process that writes its log, where that process was started with it, and
    *view* to the one that watches a cluster, where one does.

    Raises:
        GovernanceError: A part could not be started, or the bundle is another one than *digest*.
    """
    bundle = load(find_bundle(settings.bundle))
    if bundle.ref.digest != digest:
        raise SettingsRefused(
            f"the bundle `{settings.bundle}` is not the one that the service was started with",
            hint="Start the service again to decide with the changed bundle.",
        )
    writer = await join(settings.log, channel) if channel is not None else None
    log = await DecisionLogFile.open(settings.log, start=write_apart, writer=writer)
    async with (
        running(settings, bundle, log, view=view, says=False) as app,
        certified(settings) as pair,
    ):
        listener = bind(settings)
        server = Server(configuration(settings, app, pair))
        loop, parent = asyncio.get_running_loop(), sys.stdin.fileno()

        def leave() -> None:
            loop.remove_reader(parent)
            server.stop()

        loop.add_reader(parent, leave)
        await server.serve(sockets=[listener])


def use_kinds(settings: Settings) -> None:
    """Understand the kinds of Kubernetes objects that *settings* name beside the shipped ones.

    Raises:
        SettingsRefused: The file cannot be read, or is no table of kinds.
    """
    path = settings.kubernetes_kinds_file
    if path is None:
        kinds.use(None)
        return
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsRefused(
            f"`kubernetes_kinds_file` is `{path}`, which cannot be read: {error.strerror}",
            hint="Name a YAML file that the service may read.",
        ) from error
    kinds.use(kinds.extended(raw, name=path.name))


@contextlib.asynccontextmanager
async def running(
    settings: Settings, bundle: Bundle, log: DecisionLogFile, *, view: str = "", says: bool = True
) -> AsyncIterator[FastAPI]:
    """The application over *log* with an engine of its own, which both end with it.

    *view* is where it is told of the cluster that is watched, and *says* whether it tells the
    service's own log about that, and the decision log what becomes of objects there, as one of
    several listeners does.
    """
    use_kinds(settings)
    try:
        engine = await start_engine(settings, bundle)
        try:
            limits = Limits(
                review_bytes=settings.review_limit_mib * 2**20,
                plan_bytes=settings.plan_limit_mib * 2**20,
                deadline_seconds=settings.deadline_seconds,
                margin_seconds=settings.margin_seconds,
            )
            gate, reader = read_gate(settings.tokens_file), DecisionReader(settings.log)
            cluster = settings.kubernetes_cluster
            async with (
                deciding(bundle, engine, log, reader) as (pipeline, desk),
                knowing(view, cluster, (log, reader.events) if says else None) as known,
            ):
                service = Service(pipeline, gate, reader, desk, limits, cluster, known)
                # The tables of a bundle live as long as the process: the collector need not look.
                gc.collect()
                gc.freeze()
                # Loading a bundle needed about 5 MiB for a moment.
                give_back()
                # A request leaves no cycles behind, and makes more objects than the usual 700.
                gc.set_threshold(_COLLECT_AFTER)
                yield create_app(service)
        finally:
            await engine.close()
    finally:
        await log.close()


@contextlib.asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[str]:
    """Have the cluster watched that *settings* name; where listeners are told of it, if one is."""
    where = settings.watched_cluster
    if where is None:
        yield ""
        return
    from service.cluster.watcher import watched  # noqa: PLC0415  # as in `knowing`

    async with watched(where, settings.kubernetes_kinds_file, settings.log_level) as address:
        yield address


@contextlib.asynccontextmanager
async def knowing(
    view: str, cluster: str | None, says: tuple[EventLog, EventReader] | None
) -> AsyncIterator[ClusterView]:
    """What is known of *cluster* as long as this lasts, told at *view*; nothing where it is empty.

    *says* is where the listener that speaks for all of them records what becomes of objects.
    """
    if not view:
        yield UNWATCHED
        return
    # A listener that is told of no cluster need not have these in its memory.
    from service.cluster.held import Held  # noqa: PLC0415
    from service.cluster.recording import recording  # noqa: PLC0415
    from service.cluster.watcher import following  # noqa: PLC0415

    held = Held()
    async with (
        recording(held, *says, cluster=cluster) if says else contextlib.nullcontext(),
        following(view, held, says=says is not None),
    ):
        yield held


@contextlib.asynccontextmanager
async def deciding(
    bundle: Bundle, engine: Engine, log: DecisionLog, reader: DecisionReader
) -> AsyncIterator[tuple[Pipeline, BreakGlassDesk]]:
    """What decides, by the break-glass that *reader* finds open, and what opens it.

    Nothing is read where the organisation lets nobody open any.
    """
    opened = OpenBreakGlass(lambda: reader.break_glass(utc_now()))
    try:
        known = opened if bundle.org.break_glass.is_on else nothing_open
        desk = BreakGlassDesk(bundle, log, reader, changed=opened.forget)
        yield Pipeline(bundle, engine, log, break_glass=known), desk
    finally:
        await opened.close()
