"""Hands records to the process that writes the log."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

from pydantic import ValidationError

from service.errors import LogUnavailable
from service.log.handover import LENGTH_BYTES, Ask, Told, address, body_length, frame

MOST_CONNECTIONS = 32

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sender:
    """A few connections to whoever writes the log at a path; each carries one record at a time."""

    def __init__(self, path: Path) -> None:
        """Connect where records for *path* are taken, when the first one comes."""
        self._path = path
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(MOST_CONNECTIONS)

    async def send(self, ask: Ask) -> Told:
        """What the writing process answers to *ask*.

        Raises:
            OSError: Nobody takes records there, or the answer was cut off: it may be recorded.
            LogUnavailable: The record is too large, or the answer is none of ours.
        """
        sent = frame(ask)
        async with self._free:
            reader, writer = self._idle.pop() if self._idle else await self._connect()
            try:
                writer.write(sent)
                await writer.drain()
                told = Told.model_validate_json(await _receive(reader))
            except ValidationError as error:
                writer.close()
                raise LogUnavailable(
                    f"whoever writes the decision log `{self._path}` gave no usable answer",
                    hint="Use the same release of Portreeve for every process on one log.",
                ) from error
            except BaseException:
                # Whatever cut the exchange short, the rest of an answer must not meet the next ask.
                writer.close()
                raise
            self._idle.append((reader, writer))
            return told

    async def close(self) -> None:
        """Drop the connections."""
        while self._idle:
            _, writer = self._idle.pop()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> Connection:
        peer = socket(AF_UNIX, SOCK_STREAM)
        try:
            peer.setblocking(False)
            with address(self._path) as name:
                peer.connect(name)
            return await asyncio.open_unix_connection(sock=peer)
        except BaseException:
            peer.close()
            raise


async def _receive(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readexactly(LENGTH_BYTES)
        return await reader.readexactly(body_length(head))
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the process that writes the log went away") from error
