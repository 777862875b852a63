"""Decimal text to exact numbers, without a float on the way.

A binary fraction cannot hold most prices, and two engines round it differently. So a figure goes
from its text to a fraction of whole numbers, and from there to an integer in a small unit.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor

MICROS = 1_000_000

# Only what a price list prints: Python's own parsers also take `1_000`, `1e3`, `NaN` and digits of
# other scripts.
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)


def decimal(text: str) -> Fraction:
    """The exact value of a plain decimal number such as ``0.8048``.

    Raises:
        ValueError: *text* is anything else: a sign, an exponent, a separator, more than 15 digits.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return Fraction(text)


def micros(value: Fraction) -> int:
    """*value* in millionths.

    Raises:
        ValueError: *value* has more than six decimals, so that millionths would not be exact.
    """
    scaled = value * MICROS
    if scaled.denominator != 1:
        raise ValueError(value)
    return scaled.numerator


def rounded(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return floor(value + Fraction(1, 2))


def divided_up(amount: int, parts: Fraction) -> int:
    """*amount* / *parts*, rounded up, so that a price is never shown lower than it is."""
    return -floor(-amount / parts)


def shown(value: Fraction) -> str:
    """*value* for a message, to two decimals."""
    hundredths = rounded(value * 100)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
