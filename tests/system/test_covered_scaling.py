"""Autoscalers within what was admitted are covered, and who forges an owner is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from guarded import TEAM_NAMESPACE, Guarded
from objects import deployment_object, pod_object, taking
from running import wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_ACCOUNT = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
_NAME = "covered-scaling"
_MOST = 3


@pytest.fixture(scope="module")
def scaled(watched_cluster: Guarded) -> Guarded:
    """A Deployment with an autoscaler that may make three of it."""
    made = watched_cluster
    made.must(
        "create", "clusterrolebinding", _NAME, "--clusterrole=cluster-admin", f"--user={_ACCOUNT}"
    )
    created = made.create(deployment_object(_NAME, taking(2)))
    assert created.returncode == 0, created.stderr
    made.must("-n", TEAM_NAMESPACE, "autoscale", "deployment", _NAME, f"--max={_MOST}")

    def is_seen() -> bool:
        _scale(made, _MOST, "--dry-run=server")
        return _last(made).get("covered_by") is not None

    wait_until(is_seen, made.service.process, seconds=20)
    return made


def _scale(made: Guarded, replicas: int, *options: str) -> None:
    number = f"--replicas={replicas}"
    made.must(
        "-n", TEAM_NAMESPACE, "scale", number, "deployment", _NAME, *options, "--as", _ACCOUNT
    )


def _last(made: Guarded) -> dict[str, Any]:
    (resource,) = made.decisions("--limit", "1")[0]["resources"]
    found: dict[str, Any] = resource
    return found


def test_within_the_maximum_the_autoscaler_covers_it(scaled: Guarded) -> None:
    _scale(scaled, _MOST)

    found = _last(scaled)
    assert found["covered_by"]["kind"] == "HorizontalPodAutoscaler"
    assert found["covered_by"]["name"] == f"{TEAM_NAMESPACE}/{_NAME}"
    assert found["address"] == f"Deployment {TEAM_NAMESPACE}/{_NAME}"


def test_beyond_it_is_decided(scaled: Guarded) -> None:
    _scale(scaled, _MOST + 1, "--dry-run=server")

    found = _last(scaled)
    assert found.get("covered_by") is None
    assert found["accelerators"][0]["total"]["max"] == 2 * (_MOST + 1)


def test_who_forges_an_owner_is_told_that_it_is_not_believed(scaled: Guarded) -> None:
    document = pod_object("forged-but-small", taking(1))
    owner = scaled.must("-n", TEAM_NAMESPACE, "get", "deployment", _NAME, "-o", "json")
    reference = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": _NAME,
        "uid": json.loads(owner.stdout)["metadata"]["uid"],
        "controller": True,
    }
    document["metadata"]["ownerReferences"] = [reference]

    done = scaled.create(document, "--dry-run=server")

    assert done.returncode == 0, done.stderr
    assert "COV-002" in done.stderr
    assert _last(scaled).get("covered_by") is None
