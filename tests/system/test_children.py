"""What controllers make of admitted objects is covered; what only looks like it is not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from guarded import TEAM_NAMESPACE, Guarded
from objects import pod_object, taking
from running import wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_BEYOND = "takes up to {} accelerators; team `vision` may take 8 at once"
_ACCOUNT = "system:serviceaccount:kube-system:{}-controller"
_OWN_LABELS = {"labels": {"app": "x", "pod-template-hash": "1"}}


@pytest.fixture(scope="module")
def controllers(watched_cluster: Guarded) -> Guarded:
    """The cluster, where controllers may do their work."""
    names = ("deployment", "replicaset", "job")
    accounts = [f"--user={_ACCOUNT.format(name)}" for name in names]
    watched_cluster.must(
        "create", "clusterrolebinding", "controllers", "--clusterrole=cluster-admin", *accounts
    )
    return watched_cluster


def _shown(made: Guarded, kind: str, name: str) -> dict[str, Any]:
    done = made.must("-n", TEAM_NAMESPACE, "get", kind, name, "-o", "json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _of(document: dict[str, Any], owner: Mapping[str, Any], **other: str) -> dict[str, Any]:
    """*document* as made of *owner*."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
        **other,
    }
    document["metadata"]["ownerReferences"] = [reference]
    return document


def _replica_set(name: str, cards: int, *, replicas: int = 1) -> dict[str, Any]:
    template = taking(cards)
    template["metadata"] = _OWN_LABELS
    selector = {"matchLabels": _OWN_LABELS["labels"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": TEAM_NAMESPACE, **_OWN_LABELS},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def _pod(name: str, cards: int) -> dict[str, Any]:
    return pod_object(name, {**taking(cards), "metadata": _OWN_LABELS})


def _as(
    made: Guarded, controller: str, document: Mapping[str, Any], *options: str
) -> subprocess.CompletedProcess[str]:
    return made.create(document, "--as", _ACCOUNT.format(controller), *options)


@pytest.fixture(scope="module")
def replica_set(controllers: Guarded) -> dict[str, Any]:
    """What the Deployment controller made of a Deployment from before our time."""
    owner = _shown(controllers, "deployment", "old")
    document = _of(_replica_set("old-1", 16), owner)

    def is_covered() -> bool:
        return _as(controllers, "deployment", document, "--dry-run=server").returncode == 0

    wait_until(is_covered, controllers.service.process, seconds=20)
    done = _as(controllers, "deployment", document)
    assert done.returncode == 0, done.stderr
    return _shown(controllers, "replicaset", "old-1")


def test_a_pod_that_takes_the_place_of_another_is_covered(
    controllers: Guarded, replica_set: dict[str, Any]
) -> None:
    document = _of(_pod("old-1-a", 16), replica_set)

    def is_covered() -> bool:
        return _as(controllers, "replicaset", document, "--dry-run=server").returncode == 0

    wait_until(is_covered, controllers.service.process, seconds=20)
    done = _as(controllers, "replicaset", document)

    assert done.returncode == 0, done.stderr
    assert "GPU-001" not in done.stderr
    (resource,) = controllers.decisions("--limit", "1")[0]["resources"]
    assert resource["covered_by"]["kind"] == "Deployment"
    assert resource["covered_by"]["name"].endswith("old")


def test_a_pod_that_asks_for_more_than_its_owner_is_not(
    controllers: Guarded, replica_set: dict[str, Any]
) -> None:
    done = _as(controllers, "replicaset", _of(_pod("larger", 17), replica_set))

    assert done.returncode != 0
    assert _BEYOND.format(17) in done.stderr


def test_more_copies_than_the_owner_states_are_not(
    controllers: Guarded, replica_set: dict[str, Any]
) -> None:
    owner = _shown(controllers, "deployment", replica_set["metadata"]["ownerReferences"][0]["name"])

    done = _as(controllers, "deployment", _of(_replica_set("old-2", 16, replicas=5), owner))

    assert done.returncode != 0
    assert _BEYOND.format(80) in done.stderr


def test_a_pod_of_an_owner_that_was_another_one_is_not(
    controllers: Guarded, replica_set: dict[str, Any]
) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    done = _as(controllers, "replicaset", _of(_pod("other", 16), replica_set, uid=other))

    assert done.returncode != 0
    assert _BEYOND.format(16) in done.stderr


def test_a_pod_that_a_user_makes_is_not(controllers: Guarded, replica_set: dict[str, Any]) -> None:
    done = controllers.create(_of(_pod("forged-child", 16), replica_set))

    assert done.returncode != 0
    assert _BEYOND.format(16) in done.stderr


def test_what_a_controller_makes_of_nothing_is_not(controllers: Guarded) -> None:
    done = _as(controllers, "replicaset", _pod("orphan", 16))

    assert done.returncode != 0
    assert _BEYOND.format(16) in done.stderr
