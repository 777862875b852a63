"""The log is told what a listener is told of a cluster, once it can be, and each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.kinds import shipped
from adapters.kubernetes.lifecycle import read_life
from adapters.kubernetes.pruning import prune
from adapters.kubernetes.view import KindName
from service.cluster import recording as module
from service.cluster.held import Held, Key, encode
from service.cluster.recording import recording
from service.errors import LogUnavailable
from service.log.event_query import EventReader
from service.log.filters import EventFilter
from service.log.sqlite import DecisionLogFile
from service.model.subject_event import SubjectEvent

JOB, CONFIG, CLAIM = (
    KindName("batch", "Job"),
    KindName("", "ConfigMap"),
    KindName("resource.k8s.io", "ResourceClaim"),
)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def job(uid: str = "u1", *, name: str = "train", gpus: int = 1, **parts: Any) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    containers = [{"name": "c", "resources": {"limits": limits}}]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "prod", "uid": uid},
        "spec": {"template": {"spec": {"containers": containers}}},
        **parts,
    }


class Cluster:
    """What the service is told of."""

    def __init__(self, held: Held, log: Failing) -> None:
        self.held = held
        self.log = log
        self._version = 0

    def put(self, document: dict[str, Any], kind: KindName = JOB) -> None:
        self._version += 1
        kept = prune(document, shipped().find(*kind))
        assert kept is not None
        self.held.put(self._key(document["metadata"], kind), encode(kept, str(self._version)))

    def drop(self, name: str = "train", kind: KindName = JOB) -> None:
        self.held.drop(self._key({"name": name, "namespace": "prod"}, kind))

    def list(self, *documents: dict[str, Any], kind: KindName = JOB) -> None:
        self.held.begin(kind)
        for document in documents:
            self.put(document, kind)
        self.held.listed(kind, 1.0)

    def _key(self, metadata: dict[str, Any], kind: KindName) -> Key:
        return Key(kind, metadata.get("namespace", ""), metadata["name"])


class Failing:
    """A log that fails so many times first, after it wrote or before."""

    def __init__(self, log: DecisionLogFile, failures: int, *, writes: bool = False) -> None:
        self._log = log
        self._writes = writes
        self.failures = failures
        self.asked = asyncio.Event()

    async def record_events(self, events: Sequence[SubjectEvent]) -> None:
        self.asked.set()
        if self._writes:
            await self._log.record_events(events)
        if self.failures > 0:
            self.failures -= 1
            raise LogUnavailable("the disk is full")
        await self._log.record_events(events)


class Service:
    """A service that records, and starts again on the same log."""

    def __init__(self, path: Path) -> None:
        self.reader = EventReader(path)
        self._path = path

    @asynccontextmanager
    async def running(self, failures: int = 0, *, writes: bool = False) -> AsyncIterator[Cluster]:
        log = await DecisionLogFile.open(self._path)
        held = Held()
        recorder = Failing(log, failures, writes=writes)
        try:
            async with recording(
                held, recorder, self.reader, cluster="prod-eu", clock=lambda: NOON
            ):
                yield Cluster(held, recorder)
        finally:
            await log.close()

    def found(self) -> list[tuple[str, str, str]]:
        events = self.reader.find(EventFilter(), limit=1000).events
        return [(one.uid, one.event.value, one.observed.value) for one in reversed(events)]

    async def has(self, *expected: tuple[str, str, str]) -> None:
        until = asyncio.get_running_loop().time() + 10
        while self.found() != list(expected):
            assert asyncio.get_running_loop().time() < until, self.found()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert self.found() == list(expected)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    return Service(tmp_path / "decisions.db")


COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


async def test_a_life_is_recorded_as_it_is_seen(service: Service) -> None:
    async with service.running() as cluster:
        cluster.list()
        cluster.put(job())
        await service.has(("u1", "applied", "watch"))
        cluster.put(job(gpus=2))
        await service.has(("u1", "applied", "watch"), ("u1", "applied", "watch"))
        cluster.drop()
        await service.has(
            ("u1", "applied", "watch"), ("u1", "applied", "watch"), ("u1", "ended", "watch")
        )


async def test_children_and_what_takes_nothing_are_left_out(service: Service) -> None:
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u0"}
    child = job("u2", name="child")
    child["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    async with service.running() as cluster:
        cluster.list(child, job("u3", name="plain", gpus=0), job("u4", name="it"))
        named = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "uid": "u5"}}
        cluster.list(named, kind=CONFIG)
        await service.has(("u4", "applied", "list"))
        cluster.drop("child")
        cluster.drop("plain")
        await service.has(("u4", "applied", "list"))


async def test_an_autoscaler_counts_where_what_it_scales_does(service: Service) -> None:
    def autoscaler(uid: str, target: str) -> dict[str, Any]:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
        return {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": uid, "namespace": "prod", "uid": uid},
            "spec": {"maxReplicas": 4, "scaleTargetRef": reference},
        }

    def deployment(uid: str, gpus: int) -> dict[str, Any]:
        return {**job(uid, name=uid, gpus=gpus), "apiVersion": "apps/v1", "kind": "Deployment"}

    async with service.running() as cluster:
        kind = KindName("apps", "Deployment")
        cluster.list(deployment("with", 1), deployment("without", 0), kind=kind)
        scalers = [autoscaler(f"of-{name}", name) for name in ("with", "without", "unknown")]
        odd = autoscaler("odd", "with")
        odd["spec"]["scaleTargetRef"] = {}
        cluster.list(*scalers, odd, kind=KindName("autoscaling", "HorizontalPodAutoscaler"))
        await service.has(
            ("with", "applied", "list"),
            ("of-with", "applied", "list"),
            ("of-unknown", "applied", "list"),
            ("odd", "applied", "list"),
        )


async def test_what_ended_while_the_service_was_away_is_found_by_a_list(service: Service) -> None:
    first = [job("u1", name="a"), job("u2", name="b"), job("u3", name="c"), job("u4", name="d")]
    told = [(one["metadata"]["uid"], "applied", "list") for one in first]
    async with service.running() as cluster:
        cluster.list(*first)
        await service.has(*told)
    async with service.running() as cluster:
        cluster.held.begin(JOB)
        for one in (first[0], job("u5", name="b"), job("u3", name="c", status=COMPLETE)):
            cluster.put(one)
        await service.has(
            *told, ("u2", "ended", "list"), ("u5", "applied", "list"), ("u3", "ended", "list")
        )
        cluster.held.listed(JOB, 1.0)
        await service.has(
            *told,
            ("u2", "ended", "list"),
            ("u5", "applied", "list"),
            ("u3", "ended", "list"),
            ("u4", "ended", "list"),
        )
    async with service.running() as cluster:
        cluster.list(first[0], job("u5", name="b"), job("u3", name="c", status=COMPLETE))
        await asyncio.sleep(0.1)
        assert len(service.found()) == 8


async def test_what_was_looked_for_in_the_wrong_place_is_found_again(service: Service) -> None:
    for there, expected in ((job(),), 1), ((), 2), ((job(),), 3), ((job(),), 3):
        async with service.running() as cluster:
            cluster.list(*there, job("u2", name="z"))
            until = asyncio.get_running_loop().time() + 10
            while len([one for one in service.found() if one[0] == "u1"]) < expected:
                assert asyncio.get_running_loop().time() < until, service.found()
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)

    assert [one[1:] for one in service.found() if one[0] == "u1"] == [
        ("applied", "list"),
        ("ended", "list"),
        ("applied", "list"),
    ]


async def test_what_changes_while_it_waits_is_not_taken_for_gone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service.running() as cluster:
        cluster.list(job())
        await service.has(("u1", "applied", "list"))
    monkeypatch.setattr(module, "_REST_SECONDS", 0.05)
    async with service.running() as cluster:
        cluster.list(job("u9", name="z"), job())
        cluster.put(job(gpus=2))
        await service.has(
            ("u1", "applied", "list"), ("u9", "applied", "list"), ("u1", "applied", "list")
        )


@pytest.mark.parametrize("writes", [False, True])
async def test_what_the_log_did_not_take_is_tried_again(service: Service, *, writes: bool) -> None:
    async with service.running(failures=3, writes=writes) as cluster:
        cluster.list()
        cluster.put(job())
        await cluster.log.asked.wait()
        cluster.put(job(gpus=2))
        cluster.drop()
        cluster.put(job("u2"))
        until = asyncio.get_running_loop().time() + 10
        while ("u2", "applied", "watch") not in service.found():
            assert asyncio.get_running_loop().time() < until
            await asyncio.sleep(0.01)
    found = [one[:2] for one in service.found() if one[0] == "u1"]

    assert found[-1] == ("u1", "ended")
    assert set(found[:-1]) == {("u1", "applied")}


async def test_a_log_that_cannot_be_read_at_first_is_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    living, asked = service.reader.living, []

    def read(cluster: str | None) -> tuple[SubjectEvent, ...]:
        asked.append(cluster)
        if len(asked) < 3:
            raise LogUnavailable("busy")
        return living(cluster)

    monkeypatch.setattr(service.reader, "living", read)
    async with service.running() as cluster:
        cluster.list(job())
        await service.has(("u1", "applied", "list"))
    assert asked == ["prod-eu"] * 3


async def test_one_object_that_cannot_be_told_of_does_not_stop_the_others(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(document: dict[str, Any], **given: Any) -> Any:
        if document["metadata"]["name"] == "bad":
            raise AttributeError("a defect")
        return read_life(document, **given)

    monkeypatch.setattr(module, "read_life", fail)
    async with service.running() as cluster:
        cluster.list(job("u1", name="bad"), job("u2", name="good"))
        await service.has(("u2", "applied", "list"))


async def test_what_cannot_be_read_any_more_is_still_there(service: Service) -> None:
    broken = job()
    broken["spec"] = {"template": ["nvidia.com/gpu"]}
    async with service.running() as cluster:
        cluster.list(job())
        await service.has(("u1", "applied", "list"))
    async with service.running() as cluster:
        cluster.list(broken)
        await asyncio.sleep(0.1)
        cluster.drop()
        await service.has(("u1", "applied", "list"), ("u1", "ended", "watch"))
