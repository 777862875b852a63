"""The service's own log: whoever reads it may be gone."""

from __future__ import annotations

import io
import json
import sys

import pytest
import structlog

from service import events


class _Gone(io.BytesIO):
    def write(self, _: object) -> int:
        raise BrokenPipeError


@pytest.fixture
def logger() -> structlog.typing.FilteringBoundLogger:
    events.configure("info")
    told: structlog.typing.FilteringBoundLogger = structlog.get_logger("portreeve")
    return told


def test_a_line_is_one_object(
    logger: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.info("decision", outcome="deny", codes=["GPU-002"])
    logger.debug("not asked for")

    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "decision",
        "level": "info",
        "outcome": "deny",
        "codes": ["GPU-002"],
    }


@pytest.mark.parametrize("state", ["gone", "closed", "none"])
def test_nobody_fails_because_nobody_reads(
    logger: structlog.typing.FilteringBoundLogger, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    stream = None if state == "none" else io.TextIOWrapper(_Gone(), write_through=True)
    monkeypatch.setattr(sys, "stderr", stream)
    if stream is not None and state == "closed":
        stream.detach()

    logger.warning("evaluator_replaced", pid=1)
