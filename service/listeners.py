"""What takes requests: a socket, a server on it, and further processes on the same port.

One process of Python uses one processor. Further listeners are processes of their own with their
own evaluators; the kernel spreads connections over all of them (``SO_REUSEPORT``, socket(7)), and
all hand their records to the one process that writes the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.clients import STATE, ClientCertificates, name_in
from service.api.front import Front
from service.child import Child
from service.errors import SettingsRefused
from service.settings import ClientCheck, Settings
from service.tls import Certificates, Files

_GRACE_SECONDS = 15
_LOOK_SECONDS = 0.2


class Server(uvicorn.Server):
    """Leaves the process alive after its last answer, so that the log and engine are closed too.

    Uvicorn's own handling raises the signal again when it has stopped serving, which ends the
    process before anything after it has run.
    """

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on the signals that ask for it; a second one does not wait any more."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


class Protocol(HttpToolsProtocol):
    """Tells the application which certificate the client of a connection has proved."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Keep the name in it with the connection; requests get copies of its state."""
        super().connection_made(transport)
        name = name_in(transport.get_extra_info("peercert"))
        self.app_state = {**self.app_state, STATE: name}


@contextlib.asynccontextmanager
async def certified(settings: Settings) -> AsyncIterator[Certificates | None]:
    """The certificates that *settings* name, watched as long as this lasts; none without TLS.

    Raises:
        SettingsRefused: The certificate or its key cannot be used.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        yield None
        return
    asked = settings.tls_client is not ClientCheck.OFF
    files = Files(
        settings.tls_certificate, settings.tls_key, settings.tls_client_ca if asked else None
    )
    certificates = Certificates(files)
    watch = asyncio.create_task(certificates.watch())
    try:
        yield certificates
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def configuration(
    settings: Settings, app: FastAPI, certificates: Certificates | None = None
) -> uvicorn.Config:
    """How *app* is served; with TLS where there are *certificates*."""
    front: ASGIApp = Front(app)
    asked = certificates is not None and settings.tls_client is not ClientCheck.OFF
    if asked:
        front = ClientCertificates(front, enforce=settings.tls_client is ClientCheck.ENFORCE)
    config = uvicorn.Config(
        front,
        http=Protocol if asked else "auto",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    config.load()
    if certificates is not None:
        config.ssl = certificates.context
    return config


def bind(settings: Settings) -> socket.socket:
    """A socket that listens where *settings* say, beside others where there are several listeners.

    Raises:
        SettingsRefused: The address cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port),
            family=family,
            backlog=2048,
            reuse_port=settings.listeners > 1,
        )
    except OSError as error:
        raise SettingsRefused(
            f"cannot listen on `{settings.host}:{settings.port}`: {(error.strerror or '').lower()}",
            hint="Another program may use the port; choose one with --port.",
        ) from error


@contextlib.asynccontextmanager
async def accompanied(
    settings: Settings, digest: str, channels: Sequence[socket.socket], view: str = ""
) -> AsyncIterator[None]:
    """Have one more listener for each of *channels*, and another for each that ends too early.

    Args:
        settings: With the port that is listened on.
        digest: Of the bundle that all of them must have.
        channels: Leads each to the process that writes the log; closed here.
        view: Where listeners are told of the cluster; empty where none is watched.
    """
    arguments = [settings.model_dump_json(), digest, view]
    companions = [
        Child("service.companion", arguments, replaced="listener_replaced") for _ in channels
    ]
    for companion, channel in zip(companions, channels, strict=True):
        with channel:
            companion.start([channel.fileno()])
    watch = asyncio.create_task(_watch(companions))
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        for companion in companions:
            companion.ask_to_stop()
        waiting = (asyncio.to_thread(one.wait, _GRACE_SECONDS + 5) for one in companions)
        await asyncio.gather(*waiting)


async def _watch(companions: Sequence[Child]) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        for companion in companions:
            companion.replace_if_ended()
