"""Nothing that was answered is ever missing from the log, whenever the process is killed."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import random
import sqlite3
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from payloads import deployment, review
from running import PORTREEVE, Service, call, spawn, wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(600)]

_ROUNDS = 20
_CLIENTS = 6


def _ask_until_it_dies(url: str) -> list[tuple[str, str]]:
    """Uids that were answered, each with its answer, until the connection breaks."""
    answered = []
    while True:
        uid = str(uuid.uuid4())
        body = json.dumps(review(deployment(gpus=random.randint(1, 4)), uid=uid)).encode()
        try:
            answer = call(f"{url}/v1/kubernetes/validate/prod-eu", body)
        except (OSError, http.client.HTTPException):
            return answered
        if answer.status == 200:
            answered.append((uid, "allow" if answer.body["response"]["allowed"] else "deny"))


def _kill_under_load(service: Service, delay: float) -> list[tuple[str, str]]:
    with concurrent.futures.ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [pool.submit(_ask_until_it_dies, service.url) for _ in range(_CLIENTS)]
        time.sleep(delay)
        service.process.kill()
        service.process.wait()
        return [item for client in clients for item in client.result()]


def test_every_answered_decision_is_in_the_log_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20260101)
    answered: dict[str, str] = {}
    for _ in range(_ROUNDS):
        service = spawn(tmp_path)
        wait_until(lambda service=service: service.get("/readyz").status == 200, service.process)
        answered.update(_kill_under_load(service, chance.uniform(0.05, 0.6)))

    assert len(answered) > _ROUNDS
    with sqlite3.connect(tmp_path / "decisions.db") as log:
        assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = dict(log.execute("SELECT key, outcome FROM decisions"))
        orphans = log.execute(
            "SELECT count(*) FROM decision_resources"
            " WHERE decision NOT IN (SELECT seq FROM decisions)"
        ).fetchone()
    missing = {uid for uid, outcome in answered.items() if kept.get(uid) != outcome}
    assert missing == set()
    assert orphans == (0,)
    shown = subprocess.run(
        [str(PORTREEVE), "audit", "query", "--log", str(tmp_path / "decisions.db"), "--limit", "5"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "decision" not in shown.stderr
