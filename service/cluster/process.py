"""Watches a cluster for a service: ``python -m service.cluster.process WHERE KINDS LEVEL HANDLE``.

*WHERE* is ``in-cluster`` or the path of a kubeconfig, *KINDS* the path of a file of kinds or empty,
*LEVEL* that of the service's own log, and *HANDLE* a socket on which listeners of the service
connect. It ends when standard input is closed, which is when its parent ends.

Only this process of a service has the client of API servers in its memory.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import structlog

from adapters.kubernetes import kinds
from service import events
from service.cluster.client import Client
from service.cluster.held import Held
from service.cluster.telling import Telling
from service.cluster.watching import Watching
from service.errors import ClusterUnavailable

_LOG = structlog.get_logger("portreeve")
_AGAIN_SECONDS = 5.0


async def serve(where: str, table: kinds.Kinds, listening: socket.socket) -> None:
    """Watch the cluster at *where* and tell whoever connects, until standard input is closed."""
    held = Held()
    telling = Telling(held)
    server = await asyncio.start_unix_server(telling.serve, sock=listening)
    watching = asyncio.create_task(_watch(where, table, held, telling))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    stopping = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        stopping.cancel()
        server.close()


async def _watch(where: str, table: kinds.Kinds, held: Held, telling: Telling) -> None:
    said = ""
    while True:
        try:
            # A token or a kubeconfig may come later than the service.
            client = await asyncio.to_thread(Client.connect, where)
            break
        except ClusterUnavailable as error:
            if error.message != said:
                _LOG.error("cluster_not_watched", error=error.message, hint=error.hint)
            said = error.message
            await asyncio.sleep(_AGAIN_SECONDS)
    await Watching(client, table, held, telling).run()


def main() -> None:
    """Watch until standard input is closed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    where, path, level, handle = sys.argv[1:]
    events.configure(level)
    table = kinds.shipped()
    if path:
        table = kinds.extended(Path(path).read_bytes(), name=Path(path).name)
    serving = serve(where, table, socket.socket(fileno=int(handle)))
    try:
        asyncio.new_event_loop().run_until_complete(serving)
    except ClusterUnavailable as error:
        # Another process reads the kubeconfig or the token anew.
        _LOG.warning("cluster_credentials_refused", error=error.message)
        os._exit(1)
    except Exception:  # noqa: BLE001 - the outermost edge; the parent starts another one
        _LOG.exception("defect")
        os._exit(1)
    # Threads that still wait for the API server are not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
