"""The service's own log: one JSON object per line on standard error.

A line that cannot be written is lost, because nobody's request may depend on who reads these lines:
whatever collects them may be gone. Decisions are in the decision log.

Event names are static and facts are keywords, so that lines can be searched; every decided request
writes one line with the event ``decision``.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

import structlog
from pydantic_core import to_json


def _serialise(event: Any, **_: Any) -> bytes:
    return to_json(event, fallback=str)


class _Lines:
    """Writes lines to what is standard error at that moment."""

    def msg(self, line: bytes) -> None:
        """Write *line*, if anybody still takes it."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream = sys.stderr.buffer
            stream.write(line + b"\n")
            stream.flush()

    debug = info = warning = error = critical = exception = log = fatal = failure = err = msg


def _lines(*_: Any) -> _Lines:
    return _Lines()


def configure(level: str = "info") -> None:
    """Send structlog's events, and those of libraries, to standard error as JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # One line for every decision: pydantic's serialiser takes a third of json's time.
            structlog.processors.JSONRenderer(serializer=_serialise),
        ],
        logger_factory=_lines,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
