"""Resource quantities of Kubernetes (``1``, ``1k``, ``1000m``, ``8Gi``) as whole numbers.

The grammar is that of ``k8s.io/apimachinery/pkg/api/resource``: a decimal number and a suffix,
which is a power of 1000, a power of 1024, or a decimal exponent.
"""

from __future__ import annotations

import re
from typing import Any

from service.model.base import LARGEST_EXACT

_QUANTITY = re.compile(
    r"\+?([0-9]{0,20})(?:\.([0-9]{0,20}))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([-+]?[0-9]{1,2}))?",
    re.ASCII,
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_MIB = 1 << 20


def whole(value: Any) -> int | None:
    """The quantity *value* if it is a whole number, not negative and below 2^53; else ``None``.

    Templates that were never filled in (``$GPUS``), empty values and parts of a device are no
    count of devices, and no count is not zero.
    """
    if type(value) is int:
        return value if 0 <= value <= LARGEST_EXACT else None
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= 15:
        return int(value)  # nearly always
    ratio = _ratio(value)
    if ratio is None or ratio[0] % ratio[1]:
        return None
    number = ratio[0] // ratio[1]
    return number if number <= LARGEST_EXACT else None


def mebibytes(value: Any) -> int | None:
    """The quantity *value* of bytes in MiB, rounded down; ``None`` if it is none."""
    ratio = _ratio(value)
    if ratio is None:
        return None
    number = ratio[0] // (ratio[1] * _MIB)
    return number if number <= LARGEST_EXACT else None


def _ratio(value: Any) -> tuple[int, int] | None:
    """*value* as a fraction of two integers, exactly."""
    if type(value) is int or type(value) is float:
        return value.as_integer_ratio() if value >= 0 else None
    match = _QUANTITY.fullmatch(value) if type(value) is str else None
    if match is None or not (match[1] or match[2]):
        return None
    after = match[2] or ""
    digits = int(match[1] + after)
    if match[3]:
        return digits << _BINARY[match[3]], 10 ** len(after)
    exponent = _DECIMAL[match[4]] if match[4] else int(match[5] or 0)
    exponent -= len(after)
    return (digits * 10**exponent, 1) if exponent >= 0 else (digits, 10**-exponent)
