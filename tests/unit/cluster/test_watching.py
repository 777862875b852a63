from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.kubernetes import kinds
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import POD
from service.cluster import reflector, watching
from service.cluster.client import Event, Page, Served
from service.cluster.held import Held
from service.cluster.telling import Telling
from service.cluster.watching import KindSink, Watching
from service.errors import ClusterUnavailable

_VERBS = frozenset({"list", "watch"})
_DEPLOYMENTS = Served("apps", "v1", "Deployment", "deployments", True, _VERBS)
_PODS = Served("", "v1", "Pod", "pods", True, _VERBS)
_QUEUES = Served("kueue.x-k8s.io", "v1beta1", "LocalQueue", "localqueues", True, _VERBS)
_SECRETS = Served("", "v1", "Secret", "secrets", True, _VERBS)
_NODES = Served("", "v1", "Node", "nodes", False, frozenset({"get"}))
_DEPLOYMENT = KindName("apps", "Deployment")
_QUEUE = KindName("kueue.x-k8s.io", "LocalQueue")
_GPU = {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}]}


class FakeCluster:
    """Objects by plural, and what happens to them next."""

    def __init__(self, *served: Served) -> None:
        self.serves = list(served)
        self.failures = 0
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.events: dict[str, list[Event]] = {}

    def served(self) -> list[Served]:
        if self.failures:
            self.failures -= 1
            raise ClusterUnavailable("away")
        return self.serves

    def page(self, served: Served, *, token: str = "", limit: int = 500) -> Page:
        del token, limit
        self.asked.append(served.plural)
        items = [
            {**one, "apiVersion": served.api_version, "kind": served.kind}
            for one in self.objects.get(served.plural, [])
        ]
        return Page(items, "", "1", None)

    def watch(self, served: Served, *, resource_version: str, seconds: int) -> Iterator[Event]:
        del resource_version, seconds
        while found := self.events.get(served.plural):
            yield found.pop(0)
        _stop.wait(0.02)


_stop = threading.Event()


def _object(name: str, version: str = "1", **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team", "resourceVersion": version}
    return {"metadata": metadata, **parts}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reflector, "_AT_ONCE_SECONDS", 0.0)
    monkeypatch.setattr(reflector, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(watching, "_FIRST_PAUSE", 0.01)
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("watch-"):
            thread.join(5)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # any condition
            await asyncio.sleep(0.005)


async def _watched(cluster: FakeCluster, held: Held, condition: Callable[[], bool]) -> Watching:
    found = Watching(cluster, kinds.shipped(), held, Telling(held))
    task = asyncio.create_task(found.run())
    try:
        await _until(condition)
    finally:
        task.cancel()
        for running in found._running.values():
            running.reflector.stop()
    return found


async def test_what_is_served_and_wanted_is_watched() -> None:
    cluster, held = FakeCluster(_DEPLOYMENTS, _QUEUES, _SECRETS, _NODES), Held()
    cluster.objects["deployments"] = [_object("d", spec={"template": {"spec": _GPU}})]
    cluster.objects["localqueues"] = [_object("q", spec={"clusterQueue": "c"})]
    await _watched(
        cluster, held, lambda: held.is_complete(_DEPLOYMENT) and held.is_complete(_QUEUE)
    )
    assert set(held.kinds()) == {_DEPLOYMENT, _QUEUE}
    assert set(cluster.asked) == {"deployments", "localqueues"}
    found = held.find(_DEPLOYMENT, "team", "d")
    assert found is not None
    assert found["spec"]["template"]["spec"] == _GPU
    assert found["metadata"]["resourceVersion"] == "1"


async def test_changes_follow_and_what_is_not_kept_goes() -> None:
    cluster, held = FakeCluster(_PODS), Held()
    cluster.objects["pods"] = [_object("a", spec=_GPU), _object("b", spec={})]
    owner = [{"kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}]
    adopted = _object("a", "2", spec=_GPU)
    adopted["metadata"]["ownerReferences"] = owner
    await_gone = [
        Event("ADDED", _object("c", "2", spec=_GPU)),
        Event("DELETED", _object("d", "3")),
        Event("MODIFIED", adopted),
    ]
    seen: list[str] = []
    held.observe(lambda one: seen.append(f"{one.key.name} {one.after is not None}"))
    cluster.events["pods"] = await_gone
    await _watched(cluster, held, lambda: seen[-1:] == ["a False"])
    assert seen == ["a True", "c True", "a False"]
    assert not held.is_complete(POD)


async def test_an_object_that_cannot_be_pruned_is_held_as_it_is() -> None:
    cluster, held = FakeCluster(_QUEUES), Held()
    cluster.objects["localqueues"] = [_object("q", status={"conditions": 5})]
    cluster.objects["localqueues"][0]["metadata"]["annotations"] = [1]
    await _watched(cluster, held, lambda: held.is_complete(_QUEUE))
    found = held.find(_QUEUE, "team", "q")
    assert found is not None
    assert found["metadata"]["annotations"] == [1]


async def test_a_cluster_that_cannot_be_reached_is_asked_again_and_told_of_once() -> None:
    cluster, held = FakeCluster(_QUEUES), Held()
    cluster.failures = 3
    with capture_logs() as lines:
        await _watched(cluster, held, lambda: held.is_complete(_QUEUE))
    assert [line["event"] for line in lines].count("cluster_not_reached") == 1


async def test_many_changes_are_confirmed_once_in_a_second() -> None:
    held = Held()
    found = Watching(FakeCluster(), kinds.shipped(), held, Telling(held))
    sink = KindSink(_QUEUE, None, found)
    sink.begin()
    sink.listed(100.0)
    confirmed = []
    for tenth in range(30):
        sink.confirm(100.0 + tenth / 10)
        await asyncio.sleep(0)
        confirmed.append(held.current(_QUEUE))
    assert len(set(confirmed)) == 3


async def test_credentials_that_are_refused_again_and_again_are_given_up() -> None:
    class Refusing(FakeCluster):
        def served(self) -> list[Served]:
            raise ClusterUnavailable("who are you", answered=401)

    held = Held()
    with capture_logs(), pytest.raises(ClusterUnavailable, match="who are you"):
        await Watching(Refusing(), kinds.shipped(), held, Telling(held)).run()


async def test_a_kind_that_comes_later_is_watched_and_one_that_goes_is_forgotten() -> None:
    cluster, held = FakeCluster(_QUEUES), Held()
    cluster.objects["localqueues"] = [_object("q")]
    found = Watching(cluster, kinds.shipped(), held, Telling(held))
    found.follow(cluster.served())
    await _until(lambda: held.is_complete(_QUEUE))
    found.follow([_QUEUES, _DEPLOYMENTS])
    await _until(lambda: held.is_complete(_DEPLOYMENT))

    # Once missing proves nothing: what answers for a group may be away.
    for _ in range(2):
        found.follow([_DEPLOYMENTS])
        assert held.find(_QUEUE, "team", "q") is not None
    found.follow([_DEPLOYMENTS])
    assert held.kinds() == [_DEPLOYMENT]
    assert held.find(_QUEUE, "team", "q") is None
    for running in found._running.values():
        running.reflector.stop()


async def test_a_kind_in_another_version_is_read_anew() -> None:
    cluster, held = FakeCluster(_QUEUES), Held()
    found = Watching(cluster, kinds.shipped(), held, Telling(held))
    found.follow([_QUEUES])
    await _until(lambda: held.is_complete(_QUEUE))
    cluster.objects["localqueues"] = [_object("q")]
    found.follow([_QUEUES._replace(version="v1")])
    await _until(lambda: held.find(_QUEUE, "team", "q") is not None)
    newest = held.find(_QUEUE, "team", "q")
    assert newest is not None
    assert newest["apiVersion"] == "kueue.x-k8s.io/v1"
    assert len(found._running) == 1
    for running in found._running.values():
        running.reflector.stop()
