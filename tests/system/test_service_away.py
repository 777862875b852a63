"""The service is killed, or is away, while a real API server goes on asking it."""

from __future__ import annotations

import contextlib
import itertools
import random
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cluster import need_a_cluster
from direct import Direct
from guarded import CLUSTER, TEAM_NAMESPACE, Guarded, guarded
from objects import deployment_object, pod, taking
from running import PORTREEVE, wait_until

from service.install.alerts import rule as rule_of
from service.install.options import Options

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{TEAM_NAMESPACE}/deployments"
_KILLS = 3
_CLIENTS = 4
_AWAY = "failed calling webhook"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    need_a_cluster()
    with guarded(tmp_path_factory.mktemp("away")) as running:
        yield running


@contextlib.contextmanager
def _away(made: Guarded) -> Iterator[None]:
    """While the service is not there."""
    made.service.kill()
    try:
        yield
    finally:
        _come_back(made)


def _come_back(made: Guarded) -> None:
    before = _times_listening(made)
    made.service.start_again()
    wait_until(lambda: _times_listening(made) > before, made.service.process)


def _times_listening(made: Guarded) -> int:
    return made.service.output.read_text().count('"event":"listening"')


def _created(made: Guarded, document: dict[str, object], *options: str) -> bool:
    return made.create(document, *options).returncode == 0


@dataclass
class _Stream:
    """Creates Deployments under names of its own until told to end."""

    guarded: Guarded
    number: int
    created: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def run(self, end: threading.Event) -> None:
        with contextlib.closing(Direct(self.guarded.cluster)) as direct:
            for count in itertools.count():
                if end.is_set():
                    return
                name = f"stream-{self.number}-{count}"
                said = direct.ask("POST", _DEPLOYMENTS, deployment_object(name, taking(1)))
                if said.status == 201:
                    self.created.append(name)
                else:
                    self.refused.append(said.message)
                    time.sleep(0.05)


def _decided(log: Path) -> dict[str, set[str]]:
    """The outcomes of what was decided for good, by the name of the object."""
    found: dict[str, set[str]] = {}
    with contextlib.closing(sqlite3.connect(log)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = opened.execute(
            "SELECT r.address, d.outcome FROM decision_resources AS r"
            " JOIN decisions AS d ON d.seq = r.decision WHERE d.binding = 'binding'"
        )
        for address, outcome in rows:
            found.setdefault(address.rpartition("/")[2], set()).add(outcome)
    return found


def test_kill_9_in_a_stream_of_creates_leaves_no_object_without_its_decision(made: Guarded) -> None:
    chance = random.Random(20260101)
    end = threading.Event()
    streams = [_Stream(made, number) for number in range(_CLIENTS)]
    threads = [threading.Thread(target=stream.run, args=(end,)) for stream in streams]
    for thread in threads:
        thread.start()
    try:
        for _ in range(_KILLS):
            time.sleep(chance.uniform(0.3, 1.2))
            with _away(made):
                time.sleep(0.2)
    finally:
        end.set()
        for thread in threads:
            thread.join()

    with contextlib.closing(Direct(made.cluster)) as direct:
        listed = direct.ask("GET", _DEPLOYMENTS).body["items"]
    existing = {item["metadata"]["name"] for item in listed}
    created = {name for stream in streams for name in stream.created}
    decided = _decided(made.service.log)
    # What the API server took and could not say, because the client was gone, is there as well.
    assert created <= existing
    undecided = {
        name for name in existing if name.startswith("stream-") and "allow" not in decided[name]
    }
    assert undecided == set()
    assert len(created) > _CLIENTS
    refusals = {message for stream in streams for message in stream.refused}
    assert refusals
    assert all(_AWAY in message for message in refusals), refusals


def _in_team(made: Guarded, *arguments: str) -> subprocess.CompletedProcess[str]:
    return made.cluster.kubectl("-n", TEAM_NAMESPACE, *arguments)


def _has_what_it_looks_at(made: Guarded, alert: str) -> bool:
    """Whether the API server has a sample that the expression of *alert* selects."""
    (rule,) = rule_of(Options(CLUSTER))["spec"]["groups"]
    (expression,) = (each["expr"] for each in rule["rules"] if each["alert"] == alert)
    name, matchers = re.search(r"(apiserver_\w+){(.*?)}", expression).groups()  # type: ignore[union-attr]  # each has one
    wanted = re.findall(r'(\w+)(=~?)"(.*?)"', matchers)
    metrics = made.must("get", "--raw", "/metrics").stdout
    for line in re.findall(rf"^{name}{{(.*)}} ", metrics, flags=re.MULTILINE):
        labels = dict(re.findall(r'(\w+)="(.*?)"', line))
        # In PromQL's quotes each backslash of a pattern is written twice.
        patterns = {
            key: value.replace(r"\\", "\\") if how == "=~" else re.escape(value)
            for key, how, value in wanted
        }
        if all(re.fullmatch(pattern, labels[key]) for key, pattern in patterns.items()):
            return True
    return False


def test_with_fail_only_accelerators_wait_for_a_service_that_is_away(made: Guarded) -> None:
    for name in ("away-to-scale", "away-to-delete"):
        assert _created(made, deployment_object(name, taking(1)))

    with _away(made):
        refused = made.create(deployment_object("away", taking(1)))
        changed = _in_team(made, "set", "env", "deployment", "away-to-scale", "A=b")
        others = made.create(deployment_object("away-plain", pod()))
        scaled = _in_team(made, "scale", "deployment", "away-to-scale", "--replicas=2")
        deleted = _in_team(made, "delete", "deployment", "away-to-delete")

    assert refused.returncode != 0
    assert _AWAY in refused.stderr
    assert _AWAY in changed.stderr
    assert others.returncode == 0, others.stderr
    assert scaled.returncode == 0, scaled.stderr
    assert deleted.returncode == 0, deleted.stderr
    assert _created(made, deployment_object("away", taking(1)))
    assert _has_what_it_looks_at(made, "PortreeveNotReached")
    assert _has_what_it_looks_at(made, "PortreeveSlow")
    assert not _has_what_it_looks_at(made, "PortreeveUndecidedRefused")


def _apply(made: Guarded, policy: str) -> None:
    certificate = made.service.log.parent / "tls.crt"
    command = [str(PORTREEVE), "kubernetes", "manifests", "--cluster", CLUSTER]
    command += ["--url", made.service.url, "--ca-file", str(certificate)]
    command += ["--with", "validating", "--failure-policy", policy]
    written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    made.must("apply", "--server-side", "-f", "-", stdin=written)


def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_with_ignore_everything_is_admitted_while_the_service_is_away(made: Guarded) -> None:
    too_much = deployment_object("away-ignored", taking(16))
    _apply(made, "Ignore")
    try:
        with _away(made):
            # The API server learns of the change a moment after it was stored.
            _until(lambda: _created(made, too_much, "--dry-run=server"))
            admitted = made.create(too_much)
        assert admitted.returncode == 0, admitted.stderr
        assert "away-ignored" not in _decided(made.service.log)
        assert _has_what_it_looks_at(made, "PortreeveUndecidedAdmitted")

        refused = made.create(deployment_object("back", taking(16)))
        assert "takes up to 16 accelerators" in refused.stderr
    finally:
        _apply(made, "Fail")

    with _away(made):
        _until(lambda: _AWAY in made.create(too_much, "--dry-run=server").stderr)
