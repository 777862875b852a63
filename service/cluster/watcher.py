"""Has a cluster watched by another process, and listeners told of it.

The service keeps the socket on which listeners connect. A process that watches in the place of one
that ended takes it over, and listeners find it where they found the first: they tell one from the
other only by being told everything anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import structlog

from service.child import Child
from service.cluster.held import Held
from service.cluster.telling import apply, is_ours
from service.log.channel import Frames

_LOG = structlog.get_logger("portreeve")
_LOOK_SECONDS = 0.2
_STOP_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
_BACKLOG = 128
OLD_SECONDS = 180.0
_OLD_LOOK_SECONDS = 15.0


@contextlib.asynccontextmanager
async def watched(where: str, kinds: Path | None, level: str) -> AsyncIterator[str]:
    """Have the cluster at *where* watched as long as this lasts; where listeners connect.

    Args:
        where: ``in-cluster``, or the path of a kubeconfig.
        kinds: A file of kinds beside those that are shipped.
        level: Of the service's own log.
    """
    with socket.socket(socket.AF_UNIX) as listening:
        # A name that the kernel chooses, and that is no file (unix(7), "abstract").
        listening.bind("")
        listening.listen(_BACKLOG)
        address: bytes = listening.getsockname()
        handle = listening.fileno()
        child = Child(
            "service.cluster.process",
            [where, str(kinds or ""), level, str(handle)],
            replaced="watcher_replaced",
            handles=[handle],
            # Each of its threads would else take memory from a part of its own.
            environment={"MALLOC_ARENA_MAX": "2"},
        )
        child.start()
        watch = asyncio.create_task(_replace(child))
        try:
            yield address.hex()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            child.ask_to_stop()
            await asyncio.to_thread(child.wait, _STOP_SECONDS)


async def _replace(child: Child) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        child.replace_if_ended()


@contextlib.asynccontextmanager
async def following(address: str, held: Held, *, says: bool) -> AsyncIterator[None]:
    """Keep *held* as whoever watches at *address* tells.

    *says* is whether this process tells the service's own log that the view is old.
    """
    tasks = [asyncio.create_task(_follow(address, held))]
    if says:
        tasks.append(asyncio.create_task(_say_old(held)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(address: str, held: Held) -> None:
    loop = asyncio.get_running_loop()
    while True:
        told = None
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.setblocking(False)
            await loop.sock_connect(peer, bytes.fromhex(address))
            if is_ours(peer):
                _, told = await loop.create_connection(lambda: _Told(held), sock=peer)
                await told.gone.wait()
        except OSError:
            pass  # nobody watches at the moment
        finally:
            if told is None:
                peer.close()
            else:
                told.close()
        await asyncio.sleep(_AGAIN_SECONDS)


class _Told(asyncio.Protocol):
    """Does to what is held what it is told."""

    def __init__(self, held: Held) -> None:
        self.gone = asyncio.Event()
        self._held = held
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way, to close it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Do what was told."""
        for operations in self._frames.feed(data):
            apply(self._held, operations)

    def connection_lost(self, exc: Exception | None) -> None:
        """What is held stays, and grows old."""
        del exc
        self.gone.set()

    def close(self) -> None:
        """Listen no longer."""
        if self._transport is not None:
            self._transport.abort()


def age_seconds(held: Held, now: datetime) -> float | None:
    """How old what is held is at *now*; ``None`` while nothing was read."""
    as_of = held.as_of
    return max(0.0, (now - as_of).total_seconds()) if as_of is not None else None


async def _say_old(
    held: Held,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> None:
    """An event where the view gets old or cannot be had, and one where it is current again."""
    is_old, began = False, now()
    while True:
        await sleep(_OLD_LOOK_SECONDS)
        moment = now()
        age = age_seconds(held, moment)
        waited = (moment - began).total_seconds()
        was_old, is_old = is_old, (waited if age is None else age) > OLD_SECONDS
        if is_old and not was_old:
            _LOG.warning("cluster_view_old", age_seconds=None if age is None else round(age))
        elif was_old and not is_old:
            _LOG.info("cluster_view_current", age_seconds=None if age is None else round(age))
