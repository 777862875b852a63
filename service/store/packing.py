"""Bodies as they lie in the log: JSON, compressed where that pays."""

from __future__ import annotations

import zlib

# Below this many bytes deflating costs more processor time than the space is worth.
WORTH_DEFLATING = 4096
ZLIB_MAGIC = b"\x78"


def pack(body: bytes) -> bytes:
    """*body* as it is stored: deflated when large; no JSON text begins like a deflated one."""
    return zlib.compress(body, 1) if len(body) >= WORTH_DEFLATING else body


def unpack(stored: bytes) -> bytes:
    """The JSON text that ``pack`` was given.

    Raises:
        ValueError: The stored bytes are damaged.
    """
    if not stored.startswith(ZLIB_MAGIC):
        return stored
    try:
        return zlib.decompress(stored)
    except zlib.error as error:
        raise ValueError("a stored body is damaged") from error
