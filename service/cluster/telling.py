"""What the process that watches tells the listeners of its service, over sockets.

All ends are one program of one user, so frames are Python's own ``marshal``, as between a service
and the process that writes its log. A listener that reads slowly is not told of every change but of
the last of each object: what waits for it is bounded by the number of objects.
"""

from __future__ import annotations

import asyncio
import marshal
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

from adapters.kubernetes.view import KindName
from service.cluster.held import Held, Key, Seen
from service.log.channel import LENGTH_BYTES

Operation = tuple[Any, ...]
ONLY, BEGIN, PUT, DROP, LISTED, CONFIRM = range(6)
_MOST_BYTES = 1 << 18
_CREDENTIALS = struct.Struct("3i")


def frame(operations: list[Operation]) -> bytes:
    """*operations* as they are sent."""
    body = marshal.dumps(operations)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def apply(held: Held, operations: list[Operation]) -> None:
    """Do to *held* what was told."""
    for kind, *rest in operations:
        if kind == PUT:
            group, name, namespace, called, body, is_listed = rest
            key = Key(KindName(group, name), namespace, called)
            held.put(key, body, is_listed=is_listed)
        elif kind == DROP:
            group, name, namespace, called, is_listed = rest
            held.drop(Key(KindName(group, name), namespace, called), is_listed=is_listed)
        elif kind == CONFIRM:
            group, name, current = rest
            held.confirm(KindName(group, name), current)
        elif kind == LISTED:
            group, name, current = rest
            held.listed(KindName(group, name), current)
        elif kind == BEGIN:
            held.begin(KindName(*rest))
        elif kind == ONLY:
            held.keep_only(KindName(*one) for one in rest[0])


def is_ours(peer: socket.socket) -> bool:
    """Whether the other end of *peer* belongs to the user that this process has (unix(7))."""
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(raw)[1] == os.getuid())


class _Kinds:
    """Stands, among what waits for a listener, for the kinds that are watched."""


_KINDS = _Kinds()
_Waiting = Key | KindName | _Kinds


class Listener:
    """What one listener has not been told yet, in the order in which it must be."""

    def __init__(self, held: Held, *, is_begun: bool) -> None:
        """It knows nothing; where *is_begun*, the kinds that are watched are known already."""
        self._held = held
        self._waiting: dict[_Waiting, bool] = {}
        self._begun: set[KindName] = set()
        self._listed: set[KindName] = set()
        self.wake = asyncio.Event()
        if is_begun:
            self.kinds()
            for kind in held.kinds():
                self._waiting.update(dict.fromkeys(held.keys(kind), True))
                self.moment(kind)

    def kinds(self) -> None:
        """The kinds that are watched are others."""
        self._waiting[_KINDS] = True
        self.wake.set()

    def change(self, seen: Seen) -> None:
        """An object changed."""
        self._waiting[seen.key] = seen.is_listed
        self.wake.set()

    def moment(self, kind: KindName) -> None:
        """Objects of *kind* are current until a later moment: said after what happened before."""
        self._waiting.pop(kind, None)
        self._waiting[kind] = True
        self.wake.set()

    def take(self) -> list[Operation]:
        """What comes next, about as much as goes into a frame; nothing at the end."""
        found: list[Operation] = []
        size = 0
        while self._waiting and size < _MOST_BYTES:
            waiting = next(iter(self._waiting))
            is_listed = self._waiting.pop(waiting)
            for operation in self._told(waiting, is_listed=is_listed):
                found.append(operation)
                size += 100 + (len(operation[5]) if operation[0] == PUT else 0)
        return found

    def _told(self, waiting: _Waiting, *, is_listed: bool) -> Iterator[Operation]:
        if isinstance(waiting, _Kinds):
            kinds = self._held.kinds()
            yield (ONLY, [tuple(kind) for kind in kinds])
            self._listed.intersection_update(kinds)
            self._begun.intersection_update(kinds)
            for kind in kinds:
                if kind not in self._begun:
                    self._begun.add(kind)
                    yield (BEGIN, *kind)
        elif isinstance(waiting, Key):
            kind, namespace, name = waiting
            body = self._held.raw(waiting)
            if body is not None:
                yield (PUT, *kind, namespace, name, body, is_listed)
            else:
                yield (DROP, *kind, namespace, name, is_listed)
        elif (current := self._held.current(waiting)) is not None:
            yield (CONFIRM if waiting in self._listed else LISTED, *waiting, current)
            self._listed.add(waiting)


class Telling:
    """Tells every listener that connects what *held* holds, and what becomes of it."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._listeners: set[Listener] = set()
        self._is_begun = False
        held.observe(self._changed)

    def kinds(self) -> None:
        """The kinds that are watched are known, or are others than before."""
        self._is_begun = True
        for listener in self._listeners:
            listener.kinds()

    def moment(self, kind: KindName) -> None:
        """Objects of *kind* are current until a later moment."""
        for listener in self._listeners:
            listener.moment(kind)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell the listener at the other end, until it leaves."""
        try:
            if is_ours(writer.get_extra_info("socket")):
                await self._serve(reader, writer)
        except OSError:
            pass  # it left
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener = Listener(self._held, is_begun=self._is_begun)
        self._listeners.add(listener)
        telling = asyncio.create_task(_tell(listener, writer))
        leaving = asyncio.create_task(reader.read())
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._listeners.discard(listener)
            telling.cancel()
            leaving.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)

    def _changed(self, seen: Seen) -> None:
        for listener in self._listeners:
            listener.change(seen)


async def _tell(listener: Listener, writer: asyncio.StreamWriter) -> None:
    while True:
        await listener.wake.wait()
        listener.wake.clear()
        while operations := listener.take():
            writer.write(frame(operations))
            await writer.drain()
