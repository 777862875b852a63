"""Several listeners on one port: one service, one log, and none that stays away."""

from __future__ import annotations

import http.client
import os
import signal
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from payloads import deployment, review
from running import Answer, Service, portreeve, stop

pytestmark = [pytest.mark.system, pytest.mark.enable_socket]

VALIDATE = "/v1/kubernetes/validate/prod-eu"
TWO = {"PORTREEVE_LISTENERS": "2"}


def _companions(service: Service) -> list[int]:
    found = []
    for task in Path(f"/proc/{service.process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:
                continue
            if b"service.companion" in words:
                found.append(int(child))
    return found


def _listening(service: Service) -> set[int]:
    """The processes that have a socket on the service's port."""
    port = f":{urlsplit(service.url).port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    sockets = {f"socket:[{words[9]}]" for words in map(str.split, lines) if port in words[1]}
    found = set()
    for process in (service.process.pid, *_companions(service)):
        for handle in Path(f"/proc/{process}/fd").iterdir():
            try:
                if str(handle.readlink()) in sockets:
                    found.add(process)
            except FileNotFoundError:
                continue
    return found


def _until(service: Service, listeners: int) -> None:
    until = time.monotonic() + 60
    while len(_listening(service)) != listeners:
        assert time.monotonic() < until
        time.sleep(0.1)


def _ask(service: Service, uid: str) -> Answer | None:
    """The answer to a new connection; none where the process behind it ended."""
    try:
        return service.post(VALIDATE, review(deployment(gpus=1), uid=uid))
    except (OSError, http.client.HTTPException):
        return None


def _ask_often(service: Service, number: int) -> list[str]:
    """The uids that were answered."""
    uids = [str(uuid.uuid4()) for _ in range(number)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda uid: _ask(service, uid), uids))
    return [
        uid
        for uid, answer in zip(uids, answers, strict=True)
        if answer is not None and answer.status == 200
    ]


def _recorded(service: Service) -> list[str]:
    connection = sqlite3.connect(f"{service.log.as_uri()}?mode=ro", uri=True)
    try:
        return [key for (key,) in connection.execute("SELECT key FROM decisions")]
    finally:
        connection.close()


def test_all_listeners_write_one_log(tmp_path: Path) -> None:
    with portreeve(tmp_path, env=TWO) as service:
        _until(service, 2)
        answered = _ask_often(service, 100)

        assert len(answered) == 100
        assert sorted(_recorded(service)) == sorted(answered)
        same = [_ask(service, answered[0]) for _ in range(12)]
        ids = {
            answer.body["response"]["auditAnnotations"]["decision-id"] for answer in same if answer
        }
        assert len(ids) == 1
        assert len(_recorded(service)) == 100


def test_a_listener_that_dies_is_replaced(tmp_path: Path) -> None:
    with portreeve(tmp_path, env=TWO) as service:
        _until(service, 2)
        (first,) = _companions(service)
        os.kill(first, signal.SIGKILL)
        _until(service, 1)
        _until(service, 2)
        (second,) = _companions(service)

        assert second != first
        assert [
            line["pid"] for line in service.lines() if line["event"] == "listener_replaced"
        ] == [first]
        answered = _ask_often(service, 50)
        assert len(answered) == 50
        assert set(answered) <= set(_recorded(service))


def test_what_was_answered_is_recorded_though_the_first_listener_is_killed(tmp_path: Path) -> None:
    with portreeve(tmp_path, env=TWO) as service:
        _until(service, 2)
        companions = _companions(service)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(_ask_often, service, 300)
            time.sleep(0.3)
            service.process.kill()
            answered = asking.result()
        until = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in companions):
            assert time.monotonic() < until
            time.sleep(0.1)

        assert answered
        assert set(answered) <= set(_recorded(service))


def test_stopping_ends_every_listener(tmp_path: Path) -> None:
    with portreeve(tmp_path, env=TWO) as service:
        _until(service, 2)
        companions = _companions(service)
        stop(service.process)

        assert service.process.returncode == 0
        assert not [pid for pid in companions if Path(f"/proc/{pid}").exists()]
