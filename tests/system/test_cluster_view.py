"""What every listener of a running service knows of a real cluster, whatever becomes of either."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cluster import Cluster, cluster, need_a_cluster, webhook_credentials
from payloads import review
from relay import Relay, relay
from running import Service, portreeve, wait_until

from adapters.kubernetes import kinds
from adapters.kubernetes.pruning import prune
from adapters.kubernetes.watched import REPLICA_SET
from service.cluster.client import Client, Served
from service.cluster.held import Held
from service.cluster.watcher import following
from service.cluster.watcher import watched as watched_by
from service.install.manifests import documents
from service.install.options import Component, Options

pytestmark = [pytest.mark.system, pytest.mark.enable_socket]

_NAMESPACE = "language-serving"
_LISTENERS = 2


@dataclass
class Watched:
    cluster: Cluster
    service: Service
    relay: Relay

    def counted(self, claim: str) -> set[int | None]:
        """How many accelerators a pod takes by a claim of *claim*, as each listener answers."""
        found = set()
        # Connections are spread by chance: twelve leave out one of two listeners once in 2,000.
        for _ in range(12):
            asked = review(_pod(claim), uid=str(uuid.uuid4()))
            answer = self.service.post("/v1/kubernetes/validate/prod-eu", asked)
            assert answer.status == 200, answer.text
            audit = answer.body["response"]["auditAnnotations"]
            found.add(self._total(audit["decision-id"]))
        return found

    def _total(self, decision: str) -> int | None:
        answer = self.service.get(f"/v1/decisions/{decision}").body
        (resource,) = answer["resources"]
        totals = [item["total"]["max"] for item in resource["accelerators"] or ()]
        return sum(totals) if totals else None

    def until(self, claim: str, expected: int | None, *, seconds: float = 30) -> None:
        """Wait until every listener counts as *expected*."""
        end = time.monotonic() + seconds
        while (found := self.counted(claim)) != {expected}:
            assert time.monotonic() < end, found
            time.sleep(0.1)

    def apply(self, claim: str, count: int) -> None:
        self.cluster.apply(_claim(claim, count))

    def delete(self, claim: str) -> None:
        done = self.cluster.kubectl("-n", _NAMESPACE, "delete", "resourceclaimtemplate", claim)
        assert done.returncode == 0, done.stderr

    def health(self) -> dict[str, Any]:
        answer = self.service.get("/healthz")
        assert answer.status == 200
        found: dict[str, Any] = answer.body["cluster"]
        return found

    def watchers(self) -> list[int]:
        return [
            process
            for process in _children(self.service.process.pid)
            if "service.cluster.process" in _words(process)
        ]

    def listeners(self) -> list[int]:
        return [
            process
            for process in _children(self.service.process.pid)
            if "service.companion" in _words(process)
        ]

    def said(self, event: str) -> int:
        return sum(line["event"] == event for line in self.service.lines())


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _words(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except FileNotFoundError:
        return []


def _claim(name: str, count: int) -> dict[str, Any]:
    exactly = {"deviceClassName": "gpu.nvidia.com", "count": count}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}},
    }


def _pod(claim: str) -> dict[str, Any]:
    spec = {
        "containers": [{"name": "main", "image": "app", "resources": {"claims": [{"name": "g"}]}}],
        "resourceClaims": [{"name": "g", "resourceClaimTemplateName": claim}],
    }
    metadata = {"name": "trial", "namespace": _NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    need_a_cluster()
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder, webhook_credentials(folder, "nobody", "none")) as made:
        made.apply(_namespace())
        yield made


@pytest.fixture(scope="module")
def watched(
    running_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    document = json.loads(running_cluster.kubeconfig.read_text())
    server = document["clusters"][0]["cluster"]
    with relay(urlsplit(server["server"]).port or 0) as between:
        server["server"] = f"https://127.0.0.1:{between.port}"
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(document))
        settings = {
            "PORTREEVE_LISTENERS": str(_LISTENERS),
            "PORTREEVE_KUBERNETES_CLUSTER": "prod-eu",
            "PORTREEVE_KUBERNETES_WATCH": str(kubeconfig),
        }
        with portreeve(folder, env=settings) as service:
            found = Watched(running_cluster, service, between)
            _until(lambda: found.health()["as_of"] is not None)
            yield found


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_objects_that_are_made_changed_and_deleted_are_followed(watched: Watched) -> None:
    assert watched.counted("first") == {None}
    watched.apply("first", 2)
    watched.until("first", 2)
    # Its specification cannot be changed: it is another one by the same name.
    watched.delete("first")
    watched.apply("first", 5)
    watched.until("first", 5)
    watched.delete("first")
    watched.until("first", None)


def test_health_says_how_old_the_view_is_and_readiness_does_not_look(watched: Watched) -> None:
    health = watched.health()
    assert health["name"] == "prod-eu"
    assert 0 <= health["age_seconds"] <= 60
    assert watched.service.get("/readyz").body["parts"] == {"engine": True, "log": True}


def test_reviews_of_another_cluster_are_decided_without_the_view(watched: Watched) -> None:
    watched.apply("elsewhere", 3)
    watched.until("elsewhere", 3)
    asked = review(_pod("elsewhere"))
    answer = watched.service.post("/v1/kubernetes/validate/prod-us", asked)
    decision = answer.body["response"]["auditAnnotations"]["decision-id"]
    assert watched._total(decision) is None


def test_the_end_of_the_watcher_loses_nothing(watched: Watched) -> None:
    watched.apply("gone-meanwhile", 1)
    watched.apply("stays", 3)
    watched.until("gone-meanwhile", 1)
    watched.until("stays", 3)
    (watcher,) = watched.watchers()
    os.kill(watcher, signal.SIGKILL)
    watched.delete("gone-meanwhile")
    watched.apply("made-meanwhile", 4)

    assert watched.counted("stays") == {3}
    watched.until("gone-meanwhile", None)
    watched.until("made-meanwhile", 4)
    assert watched.counted("stays") == {3}
    assert watched.said("watcher_replaced") >= 1
    assert watcher not in watched.watchers()
    assert watched.service.get("/readyz").status == 200


def test_a_listener_in_the_place_of_another_is_told_everything(watched: Watched) -> None:
    watched.apply("told-again", 6)
    watched.until("told-again", 6)
    (listener,) = watched.listeners()
    os.kill(listener, signal.SIGKILL)
    _until(lambda: len(watched.listeners()) == 1 and watched.listeners() != [listener])
    # It takes requests once it listens, and counts right a moment after.
    _until(lambda: watched.said("listener_replaced") >= 1)
    end = time.monotonic() + 30
    agreed = 0
    while agreed < 3:
        agreed = agreed + 1 if watched.counted("told-again") == {6} else 0
        assert time.monotonic() < end


def test_while_the_api_server_says_nothing_the_view_stays_and_grows_old(watched: Watched) -> None:
    watched.apply("before", 7)
    watched.until("before", 7)
    watched.relay.holds.set()
    try:
        as_of = watched.health()["as_of"]
        watched.apply("during", 2)
        time.sleep(3)
        assert watched.counted("before") == {7}
        assert watched.counted("during") == {None}
        health = watched.health()
        assert health["as_of"] == as_of
        assert health["age_seconds"] >= 3
        assert watched.service.get("/readyz").status == 200
    finally:
        watched.relay.holds.clear()
    watched.until("during", 2)


def test_an_api_server_that_dies_and_comes_back_is_followed_again(tmp_path: Path) -> None:
    need_a_cluster()
    settings = {"PORTREEVE_KUBERNETES_CLUSTER": "prod-eu"}
    with cluster(tmp_path, webhook_credentials(tmp_path, "nobody", "none")) as made:
        made.apply(_namespace())
        settings["PORTREEVE_KUBERNETES_WATCH"] = str(made.kubeconfig)
        with portreeve(tmp_path, env=settings) as service:
            watched = Watched(made, service, Relay(0, 0))
            watched.apply("kept", 3)
            watched.until("kept", 3)
            port = urlsplit(
                json.loads(made.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
            ).port
            (server,) = [
                process
                for process in _children(os.getpid())
                if f"--secure-port={port}" in _words(process)
            ]
            command = [word for word in _words(server) if word]
            os.kill(server, signal.SIGKILL)
            _until(lambda: watched.said("cluster_kind_not_read") > 0)
            assert watched.counted("kept") == {3}
            assert service.get("/readyz").status == 200

            with (tmp_path / "again.log").open("wb") as log:
                again = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                wait_until(lambda: made.kubectl("get", "--raw", "/readyz").stdout == "ok", again)
                watched.apply("new", 2)
                watched.until("new", 2, seconds=60)
                assert watched.counted("kept") == {3}
                assert watched.said("watcher_replaced") == 0
            finally:
                # Told to end it would wait for the watches of a service that still runs.
                again.kill()
                again.wait()


def _replica_set(name: str, replicas: int, limits: dict[str, str]) -> dict[str, Any]:
    container = {"name": "main", "image": "app", "resources": {"limits": limits}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def _change(client: Client, served: Served, name: str, chance: random.Random) -> None:
    """Make, change or delete the object *name*, whichever is possible."""
    found = client.read(served, _NAMESPACE, name)
    if found is None:
        limits = {"nvidia.com/gpu": "1"} if chance.random() < 0.5 else {"cpu": "1"}
        client.create(served, _NAMESPACE, _replica_set(name, 1, limits))
    elif chance.random() < 0.5:
        client.delete(served, _NAMESPACE, name)
    else:
        found["spec"]["replicas"] = chance.randrange(9)
        client.update(served, _NAMESPACE, name, found)


def _is_there(client: Client, served: Served) -> dict[str, Any]:
    items = [item for page in client.pages(served, limit=7) for item in page.items]
    kind = kinds.shipped().find(served.group, served.kind)
    return {item["metadata"]["name"]: prune(item, kind) for item in items}


def _is_held(held: Held) -> dict[str, Any]:
    found = {item["metadata"]["name"]: item for item in held.all(REPLICA_SET)}
    for item in found.values():
        item["metadata"].pop("resourceVersion")
    return found


async def test_after_any_history_all_listeners_hold_what_is_there(
    running_cluster: Cluster,
) -> None:
    client = Client.connect(running_cluster.kubeconfig)
    (served,) = [one for one in client.served() if one.kind == "ReplicaSet"]
    chance = random.Random(3)
    one, two = Held(), Held()

    def churn() -> None:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            _change(client, served, f"r{chance.randrange(20)}", chance)

    async with (
        watched_by(str(running_cluster.kubeconfig), None, "info") as address,
        following(address, one, says=False),
        following(address, two, says=False),
    ):
        for _ in range(3):
            await asyncio.to_thread(churn)
            for child in _children(os.getpid()):
                if "service.cluster.process" in _words(child):
                    os.kill(child, signal.SIGKILL)
        await asyncio.to_thread(churn)
        expected = await asyncio.to_thread(_is_there, client, served)
        async with asyncio.timeout(30):
            while not _is_held(one) == _is_held(two) == expected:  # noqa: ASYNC110  # any change
                await asyncio.sleep(0.1)
    assert expected
    client.close()


def test_what_the_manifests_permit_is_enough_and_no_more(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    parts = (Component.NAMESPACE, Component.RBAC)
    options = Options("prod-eu", components=parts, watch=True)
    for document in documents(options):
        if document.content["kind"] == "ClusterRole":
            # One kind is kept from it: the others do not wait for that.
            for rule in document.content["rules"]:
                if rule["apiGroups"] == ["batch"]:
                    rule["resources"].remove("cronjobs")
        running_cluster.apply(document.content)
    account = "system:serviceaccount:portreeve:portreeve"
    done = running_cluster.kubectl("-n", "portreeve", "create", "token", "portreeve")
    assert done.returncode == 0, done.stderr
    kubeconfig = json.loads(running_cluster.kubeconfig.read_text())
    kubeconfig["users"][0]["user"]["token"] = done.stdout.strip()
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))

    with portreeve(tmp_path, env={"PORTREEVE_KUBERNETES_WATCH": str(path)}) as service:
        watched = Watched(running_cluster, service, Relay(0, 0))
        _until(lambda: watched.health()["as_of"] is not None)
        _until(lambda: watched.said("cluster_kind_not_read") > 0)
        time.sleep(1)
        failed = [line for line in service.lines() if line["event"] == "cluster_kind_not_read"]
    assert [line["kind"] for line in failed] == ["CronJob"]
    assert f'User "{account}" cannot list resource "cronjobs"' in failed[0]["error"]
    for asked in ("list secrets", "list configmaps", "get nodes", "update deployments.apps"):
        done = running_cluster.kubectl("auth", "can-i", *asked.split(), "-A", f"--as={account}")
        assert done.stdout.strip() == "no", asked


def test_the_watcher_ends_with_its_service(running_cluster: Cluster, tmp_path: Path) -> None:
    settings = {"PORTREEVE_KUBERNETES_WATCH": str(running_cluster.kubeconfig)}
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with portreeve(tmp_path, env=settings) as service:
            watched = Watched(running_cluster, service, Relay(0, 0))
            _until(lambda watched=watched: watched.health()["as_of"] is not None)
            (watcher,) = watched.watchers()
            service.process.send_signal(sent)
            service.process.wait(20)
        _until(lambda watcher=watcher: not Path(f"/proc/{watcher}/fd").exists())


def test_a_cluster_that_cannot_be_found_leaves_the_service_as_it_is(tmp_path: Path) -> None:
    settings = {"PORTREEVE_KUBERNETES_WATCH": str(tmp_path / "missing")}
    with portreeve(tmp_path, env=settings) as service:
        watched = Watched(Cluster(tmp_path), service, Relay(0, 0))
        _until(lambda: watched.said("cluster_not_watched") == 1)
        assert watched.health() == {"name": None, "as_of": None, "age_seconds": None}
        assert service.get("/readyz").status == 200
