"""What the process need not keep."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Give the system what is free between what is in use, where glibc can (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
