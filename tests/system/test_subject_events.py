"""What becomes of objects in a real cluster is in the log, whatever happens to the service."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from guarded import CLUSTER, TEAM_NAMESPACE, Guarded
from objects import deployment_object, pod_object, taking
from running import Service, spawn, wait_until

from service.log.event_query import EventReader
from service.log.filters import EventFilter
from service.model.subject_event import Happened, SubjectEvent

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_WORKLOADS = "deployments.apps,jobs.batch,pods"


def _job(name: str, cards: int = 1, **metadata: Any) -> dict[str, Any]:
    template = taking(cards)
    template["spec"]["restartPolicy"] = "Never"
    named = {"generateName": name} if name.endswith("-") else {"name": name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**named, "namespace": TEAM_NAMESPACE, **metadata},
        "spec": {"template": template, "backoffLimit": 0},
    }


class Events:
    """The events in the log of a service about objects with some beginning."""

    def __init__(self, service: Service, beginning: str) -> None:
        self._service = service
        self._beginning = beginning

    def all(self) -> list[SubjectEvent]:
        found = EventReader(self._service.log).find(EventFilter(), limit=1000).events
        mine = f" {TEAM_NAMESPACE}/{self._beginning}"
        return [event for event in reversed(found) if mine in event.address]

    def words(self) -> list[tuple[str, str, str]]:
        return [
            (event.address.rpartition("/")[2], event.event.value, event.observed.value)
            for event in self.all()
        ]

    def wait_for(self, done: Callable[[list[SubjectEvent]], bool]) -> list[SubjectEvent]:
        wait_until(lambda: done(self.all()), self._service.process, seconds=30)
        return self.all()

    def wait(self, count: int) -> list[SubjectEvent]:
        return self.wait_for(lambda events: len(events) >= count)


def _create(cluster: Guarded, *documents: dict[str, Any]) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
    cluster.must("create", "-f", "-", stdin=json.dumps(items))


def _delete(cluster: Guarded, kind: str, name: str) -> None:
    cluster.must("-n", TEAM_NAMESPACE, "delete", kind, name)


def _finish(cluster: Guarded, name: str, kind: str, reason: str) -> None:
    """Say in the status of a Job what its controller would, which is not there."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    conditions = [
        {"type": each, "status": "True", "reason": reason, "lastTransitionTime": now}
        for each in (first, kind)
    ]
    status: dict[str, Any] = {"startTime": now, "conditions": conditions}
    if kind == "Complete":
        status["completionTime"] = now
    cluster.must(
        *("-n", TEAM_NAMESPACE, "patch", "job", name, "--subresource=status", "--type=merge"),
        *("-p", json.dumps({"status": status})),
    )


def test_a_decision_is_followed_by_what_becomes_of_its_object(watched_cluster: Guarded) -> None:
    events = Events(watched_cluster.service, "life-")
    _create(watched_cluster, _job("life-"), deployment_object("life-b", taking(1)), _job("life-c"))
    first = events.wait(3)
    made = next(event for event in first if not event.address.endswith(("/life-b", "/life-c")))
    _finish(watched_cluster, made.address.rpartition("/")[2], "Complete", "Completed")
    events.wait(4)
    _finish(watched_cluster, "life-c", "Failed", "BackoffLimitExceeded")
    events.wait(5)
    scale = ("-n", TEAM_NAMESPACE, "scale", "deployment", "life-b")
    watched_cluster.must(*scale, "--replicas=3")
    events.wait(6)
    _delete(watched_cluster, "deployment", "life-b")
    _delete(watched_cluster, "job", "life-c")
    found = events.wait(7)

    ends = [(event.event.value, event.reason) for event in found if event.event != "applied"]
    assert ends == [
        ("ended", "Completed"),
        ("failed", "BackoffLimitExceeded"),
        ("ended", "Deleted"),
    ]
    stated = [event for event in found if event.previous is None or event.reason != "Deleted"]
    assert [event.event.value for event in stated if event.happened_at is None] == ["applied"]
    assert {event.observed.value for event in found} == {"watch"}
    assert {event.cluster for event in found} == {CLUSTER}
    # A name that the server made up is that of the decision too.
    decided = {
        resource["subject"]
        for decision in watched_cluster.decisions("--limit", "50")
        for resource in decision["resources"]
    }
    assert {event.subject for event in found} <= decided


def test_what_another_object_makes_has_no_events(watched_cluster: Guarded) -> None:
    shown = watched_cluster.must("-n", TEAM_NAMESPACE, "get", "deployment", "old", "-o", "json")
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "old",
        "uid": json.loads(shown.stdout)["metadata"]["uid"],
        "controller": True,
    }
    _create(
        watched_cluster,
        _job("child-a", ownerReferences=[owner]),
        pod_object("child-free", taking(0)),
        _job("child-z"),
    )
    events = Events(watched_cluster.service, "child-")
    events.wait(1)
    time.sleep(0.5)

    assert [word[:2] for word in events.words()] == [("child-z", "applied")]


@pytest.fixture
def away(watched_cluster: Guarded, tmp_path: Path) -> Iterator[Service]:
    """A second service with two listeners, that only watches, and can be away."""
    env = {
        "PORTREEVE_KUBERNETES_WATCH": str(watched_cluster.cluster.kubeconfig),
        "PORTREEVE_KUBERNETES_CLUSTER": CLUSTER,
        "PORTREEVE_LISTENERS": "2",
    }
    service = spawn(tmp_path, env=env)
    try:
        yield service
    finally:
        service.kill()


def test_what_happens_while_the_service_is_away_is_found_when_it_is_back(
    watched_cluster: Guarded, away: Service
) -> None:
    events = Events(away, "away-")
    names = ["away-kept", "away-deleted", "away-done", "away-changed", "away-replaced"]
    _create(watched_cluster, *(deployment_object(f"{name}-d", taking(1)) for name in names[:1]))
    _create(watched_cluster, *map(_job, names[1:3]))
    _create(watched_cluster, *(deployment_object(name, taking(1)) for name in names[3:]))
    before = {event.address: event.uid for event in events.wait(5)}
    away.kill()
    _delete(watched_cluster, "job", "away-deleted")
    _finish(watched_cluster, "away-done", "Complete", "Completed")
    watched_cluster.must("-n", TEAM_NAMESPACE, "scale", "deployment/away-changed", "--replicas=2")
    _delete(watched_cluster, "deployment", "away-replaced")
    _create(watched_cluster, deployment_object("away-replaced", taking(1)), _job("away-new"))

    away.start_again()
    found = events.wait(11)[5:]
    told = [
        (event.address.rpartition("/")[2], event.event.value, event.reason, event.observed.value)
        for event in found
    ]
    assert sorted(told, key=lambda one: (one[0], one[1] == "applied")) == [
        ("away-changed", "applied", None, "list"),
        ("away-deleted", "ended", "Absent", "list"),
        ("away-done", "ended", "Completed", "list"),
        ("away-new", "applied", None, "list"),
        ("away-replaced", "ended", "Absent", "list"),
        ("away-replaced", "applied", None, "list"),
    ]
    replaced = f"Deployment {TEAM_NAMESPACE}/away-replaced"
    uids = [event.uid for event in found if event.address == replaced]
    assert uids[0] == before[replaced] != uids[1]

    away.kill()
    away.start_again()
    _create(watched_cluster, _job("away-last"))
    events.wait(12)
    assert events.words()[11:] == [("away-last", "applied", "list")] or events.words()[11:] == [
        ("away-last", "applied", "watch")
    ]
    assert set(Counter(_said(away)).values()) == {1}


def test_a_service_that_is_killed_again_and_again_has_every_life_in_the_end(
    watched_cluster: Guarded, away: Service
) -> None:
    chance = random.Random(20261124)
    events = Events(away, "kill-")
    names = [f"kill-{number}" for number in range(6)]
    for _ in range(4):
        watched_cluster.must(
            *("-n", TEAM_NAMESPACE, "delete", "job", *names, "--ignore-not-found", "--wait=false")
        )
        _create(watched_cluster, *(_job(name) for name in names if chance.random() < 0.7))
        time.sleep(chance.uniform(0, 1.5))
        away.kill()
        away.start_again()
    shown = watched_cluster.must("-n", TEAM_NAMESPACE, "get", "jobs", "-o", "json")
    there = {
        item["metadata"]["uid"]
        for item in json.loads(shown.stdout)["items"]
        if item["metadata"]["name"] in names
    }

    def living(found: list[SubjectEvent]) -> set[str]:
        last = {event.uid: event.event for event in found}
        return {uid for uid, event in last.items() if event is Happened.APPLIED}

    found = events.wait_for(lambda found: living(found) == there)
    lives: dict[str, list[str]] = {}
    for event in found:
        lives.setdefault(event.uid, []).append(event.event.value)
    assert all(life in (["applied"], ["applied", "ended"]) for life in lives.values())
    kept = {
        event.event_id for event in EventReader(away.log).find(EventFilter(), limit=1000).events
    }
    assert set(_said(away)) <= kept


def _said(service: Service) -> Iterator[str]:
    """The ids of the events that the service said were recorded, in lines that it could finish."""
    for line in service.output.read_text().splitlines():
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if told["event"] == "subject_events":
                yield from told["ids"]
