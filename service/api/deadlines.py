"""How long a caller waits: the ``timeout`` parameter that the Kubernetes API server appends."""

from __future__ import annotations

import re

from service.errors import RequestRefused

# The form of Go's time.Duration in a query, as kube-apiserver writes it: `10s`, `1m30s`, `500ms`.
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LEAST = 0.05


def seconds_of(text: str) -> float:
    """The seconds of a duration such as ``10s``.

    Raises:
        RequestRefused: It is not a duration.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise RequestRefused(
            f"`timeout` is `{text[:32]}`, and a duration such as `10s` is expected",
            hint="Leave it out for the default.",
            code="SYS-INPUT-PARAMETER",
        )
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def deadline(timeout: str | None, *, default: float, margin: float) -> float:
    """Seconds for a decision: the caller's *timeout*, at most *default*, less *margin*.

    The margin leaves time for the answer to travel, so that the refusal carries our words and not
    those of a timed-out client.

    Raises:
        RequestRefused: *timeout* is not a duration.
    """
    wanted = min(default, seconds_of(timeout)) if timeout else default
    return max(_LEAST, wanted - min(margin, wanted / 2))
