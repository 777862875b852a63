"""What a watched cluster adds: counts of what objects only name, and owners that are believed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from guarded import TEAM_NAMESPACE, Guarded
from objects import deployment_object, pod, pod_object, taking
from running import wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_BEYOND = "accelerators; team `vision` may take 8 at once"
_UNKNOWN = "GPU-001: it cannot be told"


def _claim(kind: str, name: str, count: int) -> dict[str, Any]:
    exactly = {"deviceClassName": "gpu.nvidia.com", "count": count}
    spec: dict[str, Any] = {"devices": {"requests": [{"name": "cards", "exactly": exactly}]}}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": TEAM_NAMESPACE},
        "spec": {"spec": spec} if kind == "ResourceClaimTemplate" else spec,
    }


def _autoscaler(target: str, most: int) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": target, "namespace": TEAM_NAMESPACE},
        "spec": {
            "maxReplicas": most,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
        },
    }


def _must(watched: Guarded, document: dict[str, Any]) -> None:
    done = watched.create(document)
    assert done.returncode == 0, done.stderr


def _known(
    watched: Guarded, ask: Callable[[], subprocess.CompletedProcess[str]]
) -> subprocess.CompletedProcess[str]:
    """What is said once what was just made has been seen; a moment later than it was made."""
    answers: list[subprocess.CompletedProcess[str]] = []

    def asked() -> bool:
        answers.append(ask())
        return _UNKNOWN not in answers[-1].stderr

    wait_until(asked, watched.service.process, seconds=20)
    return answers[-1]


def test_a_claim_by_name_is_looked_up(watched_cluster: Guarded) -> None:
    _must(watched_cluster, _claim("ResourceClaim", "shared", 2))
    using = pod_object("using", pod(resourceClaims=[{"name": "c", "resourceClaimName": "shared"}]))

    done = _known(watched_cluster, lambda: watched_cluster.create(using, "--dry-run=server"))

    assert done.returncode == 0, done.stderr


def test_claims_of_a_template_are_counted_for_each_pod(watched_cluster: Guarded) -> None:
    _must(watched_cluster, _claim("ResourceClaimTemplate", "each", 4))
    template = pod(resourceClaims=[{"name": "c", "resourceClaimTemplateName": "each"}])
    two, three = (deployment_object("by-template", template, replicas=each) for each in (2, 3))

    admitted = _known(watched_cluster, lambda: watched_cluster.create(two, "--dry-run=server"))
    refused = watched_cluster.create(three, "--dry-run=server")

    assert admitted.returncode == 0, admitted.stderr
    assert refused.returncode != 0
    assert f"takes up to 12 {_BEYOND}" in refused.stderr


def test_a_claim_that_is_not_there_is_not_counted_as_none(watched_cluster: Guarded) -> None:
    absent = pod(resourceClaims=[{"name": "c", "resourceClaimName": "not-made-yet"}])

    done = watched_cluster.create(pod_object("early", absent), "--dry-run=server")

    assert done.returncode == 0, done.stderr
    assert _UNKNOWN in done.stderr


def test_a_resource_of_any_name_is_what_its_device_class_says(watched_cluster: Guarded) -> None:
    limits = {"resources": {"limits": {"cards.example.org/large": "16"}}}
    asking = pod_object("asking", pod(container=limits))

    def is_refused() -> bool:
        done = watched_cluster.create(asking, "--dry-run=server")
        return f"takes up to 16 {_BEYOND}" in done.stderr

    assert not is_refused()
    selectors = [{"cel": {"expression": "device.driver == 'gpu.nvidia.com'"}}]
    _must(
        watched_cluster,
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "DeviceClass",
            "metadata": {"name": "cards-of-our-own"},
            "spec": {"selectors": selectors, "extendedResourceName": "cards.example.org/large"},
        },
    )

    wait_until(is_refused, watched_cluster.service.process, seconds=20)


def test_an_autoscaler_is_decided_by_what_it_may_make_of_its_target(
    watched_cluster: Guarded,
) -> None:
    _must(watched_cluster, deployment_object("autoscaled", taking(2)))

    def create(most: int) -> subprocess.CompletedProcess[str]:
        return watched_cluster.create(_autoscaler("autoscaled", most), "--dry-run=server")

    admitted = _known(watched_cluster, lambda: create(4))
    refused = create(5)

    assert admitted.returncode == 0, admitted.stderr
    assert refused.returncode != 0
    assert f"takes up to 10 {_BEYOND}" in refused.stderr


def test_a_scale_is_decided_by_what_it_makes_of_its_target(watched_cluster: Guarded) -> None:
    _must(watched_cluster, deployment_object("scaled", taking(2)))

    def scale(replicas: int) -> subprocess.CompletedProcess[str]:
        return watched_cluster.cluster.kubectl(
            *("-n", TEAM_NAMESPACE, "scale", "deployment", "scaled", f"--replicas={replicas}")
        )

    admitted = _known(watched_cluster, lambda: scale(4))
    refused = scale(5)
    down = scale(1)

    assert admitted.returncode == 0, admitted.stderr
    assert refused.returncode != 0
    assert f"takes up to 10 {_BEYOND}" in refused.stderr
    assert down.returncode == 0, down.stderr


def test_what_outgrew_its_limit_before_our_time_may_be_scaled_down(
    watched_cluster: Guarded,
) -> None:
    done = watched_cluster.cluster.kubectl(
        *("-n", TEAM_NAMESPACE, "scale", "deployment", "old-to-shrink", "--replicas=3")
    )

    assert done.returncode == 0, done.stderr


def test_an_owner_that_a_user_states_covers_nothing(watched_cluster: Guarded) -> None:
    shown = watched_cluster.must("-n", TEAM_NAMESPACE, "get", "deployment", "old", "-o", "json")
    owner = json.loads(shown.stdout)
    forged = pod_object("forged", taking(16))
    forged["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "old",
            "uid": owner["metadata"]["uid"],
            "controller": True,
        }
    ]

    done = watched_cluster.create(forged)

    assert done.returncode != 0
    assert f"takes up to 16 {_BEYOND}" in done.stderr
