"""`GET /v1/events` gives the subject events of the log to who may read it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import pytest
from subject_events import applied, ended

from service.api.auth import Caller, CallerRole, Gate
from service.api.service import Limits, Service
from service.app import create_app
from service.break_glass import BreakGlassDesk
from service.log.query import DecisionReader
from service.log.sqlite import DecisionLogFile
from service.pipeline import Pipeline

MADE = (applied("a"), ended("b", at=9, namespace=None), applied("c", at=10))


class Reading:
    """The routes over a log, of which only the reader is used."""

    def __init__(self, path: Path, gate: Gate) -> None:
        self._app = create_app(
            Service(
                cast(Pipeline, None),
                gate,
                DecisionReader(path),
                cast(BreakGlassDesk, None),
                Limits(1, 1, deadline_seconds=1, margin_seconds=0),
            )
        )

    async def get(self, query: str = "", *, token: str = "") -> tuple[int, dict[str, Any]]:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/events",
            "raw_path": b"/v1/events",
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode())] if token else [],
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], json.loads(b"".join(part.get("body", b"") for part in sent))


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    log = await DecisionLogFile.open(tmp_path / "decisions.db")
    await log.record_events(MADE)
    await log.close()
    return tmp_path / "decisions.db"


async def test_events_come_newest_first_in_pages(path: Path) -> None:
    reading = Reading(path, Gate())
    status, first = await reading.get("limit=2")
    _, rest = await reading.get(f"limit=2&cursor={first['next_cursor']}")

    assert status == 200
    assert [event["event_id"] for event in (*first["events"], *rest["events"])] == [
        event.event_id for event in reversed(MADE)
    ]
    assert rest["next_cursor"] is None


async def test_conditions_are_met_and_malformed_ones_refused(path: Path) -> None:
    reading = Reading(path, Gate())
    _, ended_ones = await reading.get("event=ended&cluster=prod-eu")

    assert [event["uid"] for event in ended_ones["events"]] == [MADE[1].uid]
    assert ended_ones["events"][0]["reason"] == "Deleted"
    assert (await reading.get("namespace=elsewhere"))[1]["events"] == []
    assert (await reading.get("event=begun"))[0] == 400
    assert (await reading.get("since=yesterday"))[1]["code"] == "SYS-INPUT-PARAMETER"


async def test_only_readers_may_ask(path: Path) -> None:
    digest = hashlib.sha256(b"token").hexdigest()
    for role, status in ((CallerRole.ENFORCER, 403), (CallerRole.READER, 200)):
        caller = Caller(name="somebody", token_sha256=digest, roles=(role,))
        assert (await Reading(path, Gate([caller])).get(token="token"))[0] == status
