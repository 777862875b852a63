"""A cluster is read page by page, and what may not be read is told of."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.kinds import in_use
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import NAMESPACE, NODE, POD
from service.errors import ClusterUnavailable
from service.scan.idle import Usage
from service.scan.reading import read_cluster

DEPLOYMENTS, PODS = "/apis/apps/v1/deployments", "/api/v1/pods"


def read(cluster: Any, **more: Any) -> Any:
    told: list[tuple[str, int, int | None]] = []
    waits: list[float] = []
    found = read_cluster(
        cluster,
        in_use(),
        progress=lambda *args: told.append(args),
        pause=waits.append,
        **more,
    )
    return found, told, waits


def test_every_page_is_read_and_told_of(recorded: Any) -> None:
    found, told, waits = read(recorded)

    assert found.read["deployments.apps"] == 4
    assert ("deployments.apps", 3, 4) in told
    assert ("deployments.apps", 4, None) in told
    assert found.unread == []
    assert waits == []
    assert found.view.is_complete(NAMESPACE)
    assert found.view.is_complete(NODE)
    assert not found.view.is_complete(POD)


def test_what_may_take_something_is_a_candidate_and_nothing_else(recorded: Any) -> None:
    found, _, _ = read(recorded)

    names = {(each.key.kind.kind, each.key.name) for each in found.candidates}
    assert ("Deployment", "llama-70b") in names
    assert ("Pod", "forged") in names
    assert ("ResourceClaim", "pair") in names
    assert ("HorizontalPodAutoscaler", "web") in names
    assert ("Deployment", "web") not in names
    assert not {kind for kind, _ in names} & {"Namespace", "Node", "DeviceClass"}
    assert found.view.find(KindName("apps", "Deployment"), "language-serving", "web") is not None


def test_pods_of_others_are_candidates_but_not_in_the_view(recorded: Any) -> None:
    found, _, _ = read(recorded)

    assert found.view.find(POD, "language-serving", "forged") is None
    [forged] = [each for each in found.candidates if each.key.name == "forged"]
    assert forged.owner


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_kind_that_may_not_be_listed_is_told_of(recorded: Any, status: int) -> None:
    def fails(path: str, token: str) -> None:
        if path == DEPLOYMENTS and token:
            raise ClusterUnavailable("deployments is forbidden", answered=status)

    recorded.fails = fails
    found, _, _ = read(recorded)

    assert [tuple(each) for each in found.unread] == [
        ("deployments.apps", "deployments is forbidden")
    ]
    assert "deployments.apps" not in found.read
    assert not any(each.key.kind.kind == "Deployment" for each in found.candidates)
    assert not found.view.is_complete(KindName("apps", "Deployment"))


def test_a_list_that_grew_too_old_is_read_again(recorded: Any) -> None:
    failures = iter([True])

    def fails(path: str, token: str) -> None:
        if path == PODS and token and next(failures, False):
            raise ClusterUnavailable("the continue parameter is too old", answered=410)

    once, _, _ = read(recorded)
    recorded.fails = fails
    found, _, _ = read(recorded)

    assert found.candidates == once.candidates
    assert found.usage.stocks() == once.usage.stocks()


def test_a_server_that_is_away_for_a_moment_is_asked_again(recorded: Any) -> None:
    failures = iter([0, 503, 429])

    def fails(path: str, _: str) -> None:
        if path == DEPLOYMENTS and (status := next(failures, None)) is not None:
            raise ClusterUnavailable("busy", answered=status, retry_after=3 * (status == 429))

    recorded.fails = fails
    found, _, waits = read(recorded)

    assert found.read["deployments.apps"] == 4
    assert waits == [0.5, 1.0, 3.0]


@pytest.mark.parametrize("status", [0, 401, 410, 500])
def test_a_server_that_stays_away_ends_the_scan(recorded: Any, status: int) -> None:
    def fails(path: str, _: str) -> None:
        if path == PODS:
            raise ClusterUnavailable("no", answered=status)

    recorded.fails = fails
    with pytest.raises(ClusterUnavailable):
        read(recorded)


def test_idle_accelerators_are_what_no_pod_has_asked_its_node_for(recorded: Any) -> None:
    found, _, _ = read(recorded)

    first, second = found.usage.stocks()
    assert first._asdict() == {
        "resource": "nvidia.com/gpu",
        "product": "NVIDIA-H100-80GB-HBM3",
        "manufacturer": "nvidia",
        "nodes": 2,
        "offered": 16,
        "asked": 8,
        "idle_nodes": 1,
    }
    assert (second.product, second.offered, second.asked, second.idle) == ("NVIDIA-L4", 4, 1, 3)


def pod(**fields: Any) -> dict[str, Any]:
    container = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "3", "cpu": "1"}}}
    return {"spec": {"nodeName": "a", "containers": [container]}, **fields}


def test_pods_that_are_over_or_nowhere_ask_for_nothing() -> None:
    usage = Usage()
    status = {"allocatable": {"nvidia.com/gpu": "4"}}
    usage.add_node({"metadata": {"name": "a"}, "status": status})
    usage.add_node({"metadata": {"name": "b", "labels": 1}, "status": status})

    usage.add_pod(pod(status={"phase": "Succeeded"}))
    usage.add_pod(pod(spec={"containers": []}))
    usage.add_pod(pod(spec={"nodeName": 1}))
    assert [stock.asked for stock in usage.stocks()] == [0]

    usage.add_pod(pod(status={"phase": "Running"}))
    usage.add_pod(pod())
    [stock] = usage.stocks()
    assert (stock.asked, stock.idle, stock.idle_nodes) == (6, 0, 0)


def test_an_object_that_is_no_object_is_a_candidate_that_cannot_be_read(recorded: Any) -> None:
    [page, *_] = recorded.pages[DEPLOYMENTS]
    page.items.append(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "odd", "namespace": "n", "uid": "u", "labels": 1},
            "spec": "nvidia.com/gpu",
        }
    )

    found, _, _ = read(recorded)

    assert "odd" in {each.key.name for each in found.candidates}
