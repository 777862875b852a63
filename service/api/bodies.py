"""What comes in: bodies, whole and never beyond their limit, and the parameters of a query."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.decide.digests import digest
from service.errors import RequestRefused

# A sender that is still sending when the answer comes sees a broken connection and not the answer,
# so what is too large is read and thrown away, up to this many times the limit.
_PATIENCE = 4


@dataclass(frozen=True)
class Body:
    """What was received; ``error`` says why it must not be used."""

    raw: bytes
    error: RequestRefused | None = None
    overflow: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all bytes that arrived, as records carry it."""
        return self.overflow or digest(self.raw)


def _too_large(limit: int) -> RequestRefused:
    return RequestRefused(
        f"the body is larger than {limit // 2**20} MiB",
        hint="Send a smaller request, or raise the limit in the settings.",
        code="SYS-INPUT-TOO-LARGE",
    )


async def read_body(request: Request, *, limit: int) -> Body:
    """The body of *request*, of at most *limit* bytes, whether its length is declared or not."""
    encoding = request.headers.get("content-encoding", "identity")
    error: RequestRefused | None = None
    if encoding != "identity":
        error = RequestRefused(
            f"content encoding `{encoding[:64]}` is not understood",
            hint="Send the body uncompressed.",
            code="SYS-INPUT-ENCODING",
        )
    chunks: list[bytes] = []
    size = 0
    stream = request.stream()
    try:
        async for chunk in stream:
            size += len(chunk)
            chunks.append(chunk)
            if size > limit:
                return await _discard(stream, chunks, size, limit)
    except ClientDisconnect:
        error = RequestRefused("the body ended early", code="SYS-INPUT-TRUNCATED")
    return Body(b"".join(chunks), error)


async def _discard(
    stream: AsyncIterator[bytes], chunks: list[bytes], size: int, limit: int
) -> Body:
    """A body of which *chunks* were too much: the rest is hashed and thrown away."""
    sha = hashlib.sha256(b"".join(chunks))
    chunks.clear()
    with contextlib.suppress(ClientDisconnect):
        async for chunk in stream:
            size += len(chunk)
            sha.update(chunk)
            if size > limit * _PATIENCE:
                break
    return Body(b"", _too_large(limit), f"sha256:{sha.hexdigest()}")


def parameters(request: Request) -> dict[str, str]:
    """The query's parameters; of several with one name the last."""
    query: bytes = request.scope["query_string"]
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
