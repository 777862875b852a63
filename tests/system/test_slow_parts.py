"""A log or an OPA server that is slow or hangs: every answer leaves in time, in our words."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from cluster import cluster, need_a_cluster, webhook_credentials
from opa_server import archived, opa, opa_server
from payloads import deployment, review
from relay import Relay, relay
from running import Service, portreeve, wait_until

from service.bundle.load import load
from service.bundle.shipped import shipped

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

TIMEOUT_SECONDS = 2.0
_SLOW_SECONDS = 0.6
_VALIDATE = f"/v1/kubernetes/validate/prod-eu?timeout={TIMEOUT_SECONDS:g}s"


class _Answered(NamedTuple):
    """What became of a review, and after how long."""

    response: dict[str, Any]
    seconds: float

    @property
    def message(self) -> str:
        return str(self.response.get("status", {}).get("message", ""))


def _ask(service: Service, uid: str = "") -> _Answered:
    document = deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3")
    began = time.monotonic()
    answer = service.post(_VALIDATE, review(document, uid=uid))
    assert answer.status == 200, answer.text
    return _Answered(answer.body["response"], time.monotonic() - began)


def _ask_at_once(service: Service, count: int) -> list[_Answered]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: _ask(service), range(count)))


def _outcomes(log: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(log)) as opened:
        return dict(opened.execute("SELECT key, outcome FROM decisions"))


def _writer(service: Service) -> int:
    """The process that writes the log of *service*."""
    pid = service.process.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"service.log.process" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError("the service has no process that writes its log")


@contextlib.contextmanager
def _hanging(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_slow_log_makes_answers_late_and_loses_none(tmp_path: Path, shim: Path) -> None:
    flag = tmp_path / "slow"
    with portreeve(tmp_path, env={"LD_PRELOAD": str(shim), "SLOW_FLUSH": str(flag)}) as service:
        assert _ask(service).response["allowed"] is True
        flag.touch()
        answers = _ask_at_once(service, 8)

    assert {answer.response["allowed"] for answer in answers} == {True}
    assert min(answer.seconds for answer in answers) >= _SLOW_SECONDS
    assert max(answer.seconds for answer in answers) < TIMEOUT_SECONDS
    assert len(_outcomes(tmp_path / "decisions.db")) == 1 + len(answers)


def test_a_log_that_hangs_refuses_in_time_and_the_same_uid_gets_what_was_recorded(
    tmp_path: Path,
) -> None:
    uid = str(uuid.uuid4())
    with portreeve(tmp_path) as service:
        assert _ask(service).response["allowed"] is True
        with _hanging(_writer(service)):
            answers = [_ask(service, uid), *_ask_at_once(service, 8)]
            ready = service.get("/readyz")
        again = _ask(service, uid)

    for answer in answers:
        assert answer.seconds < TIMEOUT_SECONDS
        assert answer.response["allowed"] is False
        assert "SYS-LOG-TIMEOUT" in answer.message
        # The API server asks again by itself, with the same uid.
        assert answer.response["status"]["details"] == {"retryAfterSeconds": 1}
    assert ready.status == 503
    assert again.response["allowed"] is True
    # What nobody was told in time is in the log all the same, once, and was never an admission.
    assert _outcomes(tmp_path / "decisions.db")[uid] == "allow"
    assert len(_outcomes(tmp_path / "decisions.db")) == 1 + len(answers)


@pytest.fixture(scope="module")
def relayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Relay]]:
    """A service whose OPA server is behind a relay."""
    if opa() is None:
        pytest.skip("needs the real OPA (make tools)")
    folder = tmp_path_factory.mktemp("relayed")
    archive = archived(load(shipped("example")), folder)
    with opa_server(archive) as url, relay(urlsplit(url).port or 0) as between:
        options = ("--engine", "opa", "--opa-url", f"http://127.0.0.1:{between.port}")
        with portreeve(folder, "--bundle", str(archive), *options) as service:
            yield service, between


def test_a_slow_opa_server_makes_answers_late(relayed: tuple[Service, Relay]) -> None:
    service, between = relayed
    between.delay = _SLOW_SECONDS
    answers = _ask_at_once(service, 8)
    between.delay = 0.0

    assert {answer.response["allowed"] for answer in answers} == {True}
    assert min(answer.seconds for answer in answers) >= _SLOW_SECONDS
    assert max(answer.seconds for answer in answers) < TIMEOUT_SECONDS


def test_an_opa_server_that_hangs_refuses_in_time_with_a_record(
    relayed: tuple[Service, Relay],
) -> None:
    service, between = relayed
    between.holds.set()
    answers = _ask_at_once(service, 8)
    ready = service.get("/readyz")
    between.holds.clear()
    after = _ask(service)

    for answer in answers:
        assert answer.seconds < TIMEOUT_SECONDS
        assert answer.response["allowed"] is False
        assert "SYS-DEADLINE" in answer.message
        # What is slow each time must not be asked ten times over.
        assert "details" not in answer.response["status"]
    assert ready.status == 503
    assert after.response["allowed"] is True
    kept = service.get("/v1/decisions?code=SYS-DEADLINE").body["decisions"]
    assert [item["cause"] for item in kept] == ["error"] * len(answers)


def test_a_slow_api_server_makes_no_answer_late(tmp_path: Path) -> None:
    """Nobody asks the watched cluster while a request waits; what is known of it is a little old.

    What happens where it hangs: tests/system/test_cluster_view.py.
    """
    need_a_cluster()
    admission = webhook_credentials(tmp_path, "absent.example", "token")
    with cluster(tmp_path, admission) as running:
        config = json.loads(running.kubeconfig.read_text())
        server = config["clusters"][0]["cluster"]
        with relay(urlsplit(server["server"]).port or 0) as between:
            server["server"] = f"https://127.0.0.1:{between.port}"
            relayed = tmp_path / "relayed.kubeconfig"
            relayed.write_text(json.dumps(config))
            env = {
                "PORTREEVE_KUBERNETES_CLUSTER": "prod-eu",
                "PORTREEVE_KUBERNETES_WATCH": str(relayed),
            }
            with portreeve(tmp_path, env=env) as service:
                wait_until(lambda: _as_of(service) is not None, service.process)
                between.delay = TIMEOUT_SECONDS
                before = _as_of(service)
                answers = _ask_at_once(service, 8)
                wait_until(lambda: _as_of(service) > before, service.process)

    assert {answer.response["allowed"] for answer in answers} == {True}
    assert max(answer.seconds for answer in answers) < TIMEOUT_SECONDS


def _as_of(service: Service) -> Any:
    """Until when what is known of the watched cluster was current."""
    return service.get("/healthz").body["cluster"]["as_of"]
