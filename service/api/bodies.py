"""Request bodies: read whole, never beyond their limit, with the digest that a refusal records."""

from __future__ import annotations

import hashlib

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import RequestRefused


class Body:
    """The bytes received, or those received until the limit.

    ``error`` says why they must not be used; the digest is of what arrived.
    """

    def __init__(self, raw: bytes, error: RequestRefused | None = None) -> None:
        self.raw = raw
        self.error = error

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, as records carry it."""
        return f"sha256:{hashlib.sha256(self.raw).hexdigest()}"


def _too_large(limit: int) -> RequestRefused:
    return RequestRefused(
        f"the body is larger than {limit // 2**20} MiB",
        hint="Send a smaller request, or raise the limit in the settings.",
        code="SYS-INPUT-TOO-LARGE",
    )


async def read_body(request: Request, *, limit: int) -> Body:
    """The body of *request*, of at most *limit* bytes, whether its length is declared or not."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        return Body(b"", _too_large(limit))
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        error = RequestRefused(
            f"content encoding `{encoding[:64]}` is not understood",
            hint="Send the body uncompressed.",
            code="SYS-INPUT-ENCODING",
        )
        return Body(b"", error)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            chunks.append(chunk)
            if size > limit:
                return Body(b"".join(chunks), _too_large(limit))
    except ClientDisconnect:
        error = RequestRefused("the body ended early", code="SYS-INPUT-TRUNCATED")
        return Body(b"".join(chunks), error)
    return Body(b"".join(chunks))
