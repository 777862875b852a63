"""What becomes of objects that exist: scaled, resized, made smaller or larger, and ended."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from guarded import TEAM_NAMESPACE, Guarded
from objects import deployment_object, pod_object, taking

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_BEYOND = "accelerators; team `vision` may take 8 at once"


def _in_team(guarded: Guarded, *arguments: str) -> subprocess.CompletedProcess[str]:
    return guarded.cluster.kubectl("-n", TEAM_NAMESPACE, *arguments)


def _must(guarded: Guarded, document: dict[str, Any]) -> None:
    done = guarded.create(document)
    assert done.returncode == 0, done.stderr


def _patch(guarded: Guarded, name: str, patch: Any) -> subprocess.CompletedProcess[str]:
    kind = "--type=json" if isinstance(patch, list) else "--type=merge"
    return _in_team(guarded, "patch", "deployment", name, kind, "-p", json.dumps(patch))


def test_an_update_may_make_smaller_what_was_never_admitted(guarded_cluster: Guarded) -> None:
    down = _patch(guarded_cluster, "old-to-shrink", {"spec": {"replicas": 3}})
    up = _patch(guarded_cluster, "old-to-shrink", {"spec": {"replicas": 4}})

    assert down.returncode == 0, down.stderr
    assert up.returncode != 0
    assert f"takes up to 16 {_BEYOND}" in up.stderr


def test_an_update_of_what_was_admitted_may_not_outgrow_its_limit(guarded_cluster: Guarded) -> None:
    _must(guarded_cluster, deployment_object("growing", taking(2), replicas=2))

    up = _patch(guarded_cluster, "growing", {"spec": {"replicas": 4}})
    beyond = _patch(guarded_cluster, "growing", {"spec": {"replicas": 5}})
    down = _patch(guarded_cluster, "growing", {"spec": {"replicas": 1}})

    assert up.returncode == 0, up.stderr
    assert beyond.returncode != 0
    assert f"takes up to 10 {_BEYOND}" in beyond.stderr
    assert down.returncode == 0, down.stderr


def test_a_container_that_is_added_counts(guarded_cluster: Guarded) -> None:
    _must(guarded_cluster, deployment_object("one-container", taking(1)))
    limits = {"resources": {"limits": {"nvidia.com/gpu": "9"}}}
    added = {"containers": [{"name": "second", "image": "busybox:1.37", **limits}]}

    done = _in_team(
        guarded_cluster,
        *("patch", "deployment", "one-container"),
        *("-p", json.dumps({"spec": {"template": {"spec": added}}})),
    )

    assert done.returncode != 0
    assert f"takes up to 10 {_BEYOND}" in done.stderr


def test_what_is_dearer_is_judged_though_it_takes_no_more(guarded_cluster: Guarded) -> None:
    dearer = {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}}

    done = _patch(guarded_cluster, "old", {"spec": {"template": {"spec": dearer}}})

    assert done.returncode != 0
    assert "BUD-001: the request adds " in done.stderr


def test_a_name_that_the_api_server_makes_up_is_shown(guarded_cluster: Guarded) -> None:
    unnamed = pod_object("", taking(16))
    unnamed["metadata"] = {"generateName": "made-up-", "namespace": TEAM_NAMESPACE}

    done = guarded_cluster.create(unnamed)

    assert done.returncode != 0
    assert f"GPU-001: `Pod {TEAM_NAMESPACE}/made-up-" in done.stderr


def test_an_annotation_of_what_was_never_admitted_is_only_warned_of(
    guarded_cluster: Guarded,
) -> None:
    done = _in_team(guarded_cluster, "annotate", "deployment", "old", "example.org/seen=yes")

    assert done.returncode == 0, done.stderr


def test_labels_of_the_api_servers_own_users_change_nothing(guarded_cluster: Guarded) -> None:
    done = _in_team(guarded_cluster, "label", "pod", "old-pod", "example.org/seen=yes")

    assert done.returncode == 0, done.stderr


def test_a_finalizer_comes_off_what_was_never_admitted(guarded_cluster: Guarded) -> None:
    deleted = _in_team(guarded_cluster, "delete", "deployment", "old-to-end", "--wait=false")
    marked = _in_team(guarded_cluster, "annotate", "deployment", "old-to-end", "example.org/a=b")
    done = _patch(guarded_cluster, "old-to-end", {"metadata": {"finalizers": None}})

    assert deleted.returncode == 0, deleted.stderr
    assert marked.returncode == 0, marked.stderr
    assert done.returncode == 0, done.stderr
    gone = _in_team(guarded_cluster, "get", "deployment", "old-to-end")
    assert "NotFound" in gone.stderr


def test_a_deletion_is_admitted_and_recorded(guarded_cluster: Guarded) -> None:
    _must(guarded_cluster, deployment_object("to-delete", taking(1)))

    done = _in_team(guarded_cluster, "delete", "deployment", "to-delete")

    assert done.returncode == 0, done.stderr
    assert guarded_cluster.decisions("--limit", "1")[0]["operation"] == "DELETE"


def test_a_scale_states_how_many_and_not_of_what(guarded_cluster: Guarded) -> None:
    _must(guarded_cluster, deployment_object("scaled", taking(2)))

    up = _in_team(guarded_cluster, "scale", "deployment", "scaled", "--replicas=3")
    none = _in_team(guarded_cluster, "scale", "deployment", "scaled", "--replicas=0")

    assert up.returncode == 0, up.stderr
    assert "GPU-001: it cannot be told whether `Deployment" in up.stderr
    assert none.returncode == 0, none.stderr
    assert "GPU-001" not in none.stderr


def test_a_resize_in_place_passes_us(guarded_cluster: Guarded) -> None:
    template = taking(1)
    resources = template["spec"]["containers"][0]["resources"]
    resources.update(requests={"cpu": "100m"}, limits={"nvidia.com/gpu": "1", "cpu": "200m"})
    _must(guarded_cluster, pod_object("resized", template))
    smaller = [{"name": "main", "resources": {"requests": {"cpu": "50m"}}}]

    done = _in_team(
        guarded_cluster,
        *("patch", "pod", "resized", "--subresource=resize"),
        *("-p", json.dumps({"spec": {"containers": smaller}})),
    )

    assert done.returncode == 0, done.stderr
    latest = guarded_cluster.decisions("--limit", "1")[0]
    assert latest["operation"] == "UPDATE"


def test_a_dry_run_is_refused_as_any_other_and_recorded_as_one(guarded_cluster: Guarded) -> None:
    refused = guarded_cluster.create(deployment_object("dry", taking(16)), "--dry-run=server")
    admitted = guarded_cluster.create(deployment_object("dry", taking(1)), "--dry-run=server")

    assert refused.returncode != 0
    assert f"takes up to 16 {_BEYOND}" in refused.stderr
    assert admitted.returncode == 0, admitted.stderr
    latest = guarded_cluster.decisions("--limit", "2")
    assert [each["binding"] for each in latest] == ["dry_run", "dry_run"]
    assert [each["outcome"] for each in latest] == ["allow", "deny"]


def test_a_claim_by_name_is_never_counted_as_none(guarded_cluster: Guarded) -> None:
    template = taking(1)
    del template["spec"]["containers"][0]["resources"]
    template["spec"]["resourceClaims"] = [{"name": "cards", "resourceClaimName": "somewhere"}]

    done = guarded_cluster.create(pod_object("claiming", template), "--dry-run=server")

    assert done.returncode == 0, done.stderr
    assert "GPU-001: it cannot be told whether `Pod" in done.stderr


def test_an_owner_that_a_user_states_covers_nothing(guarded_cluster: Guarded) -> None:
    owner = json.loads(
        guarded_cluster.must(
            *("-n", TEAM_NAMESPACE, "get", "deployment", "old", "-o", "json")
        ).stdout
    )
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "old",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    forged = pod_object("forged", taking(16))
    forged["metadata"]["ownerReferences"] = [reference]

    done = guarded_cluster.create(forged)

    assert done.returncode != 0
    assert f"GPU-001: `Pod {TEAM_NAMESPACE}/forged` takes up to 16 accelerators" in done.stderr
