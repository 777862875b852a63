"""What objects of a cluster tell of their lives, in the words of each project."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.kinds import extended, shipped
from adapters.kubernetes.lifecycle import (
    Life,
    Outcome,
    Over,
    deleted_at,
    is_governed,
    may_take,
    read_life,
    uid_of,
)
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.pruning import prune
from adapters.kubernetes.view import KindName

AT = "2026-05-04T12:00:00Z"
POD = {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]}
TEMPLATE = {"spec": POD}


def life(document: dict[str, Any], cluster: str | None = "prod-eu") -> Life | None:
    """What *document* tells as it is held."""
    group, _, _ = document["apiVersion"].rpartition("/")
    kept = prune(document, shipped().find(group, document["kind"]))
    return None if kept is None else read_life(kept, cluster=cluster, kinds=shipped())


def thing(api_version: str, kind: str, spec: Any, **parts: Any) -> dict[str, Any]:
    metadata = {"name": "it", "namespace": "prod", "uid": "u1", **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, **parts}


def job(status: Any = None, **metadata: Any) -> dict[str, Any]:
    return thing("batch/v1", "Job", {"template": TEMPLATE}, status=status, metadata=metadata)


def test_a_life_is_called_what_decisions_call_it() -> None:
    found = life(job(generation=3, creationTimestamp=AT, labels={"team": "a"}))
    assert found is not None
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "r",
            "kind": {"group": "batch", "version": "v1", "kind": "Job"},
            "resource": {"group": "batch", "version": "v1", "resource": "jobs"},
            "operation": "CREATE",
            "namespace": "prod",
            "name": "it",
            "userInfo": {"username": "ada"},
            "object": job(),
        },
    }
    (decided,) = normalise_review(review, cluster="prod-eu", caller="").resources

    assert (found.subject, found.address) == (decided.subject, decided.address)
    assert (found.uid, found.kind, found.namespace) == ("u1", KindName("batch", "Job"), "prod")
    assert (found.generation, found.created, found.takes) == (3, AT, True)
    assert (found.outcome, found.is_going) == (None, False)


def test_what_it_asks_for_has_a_digest_and_bookkeeping_has_none() -> None:
    first, same, other = job(), job(generation=2, resourceVersion="9"), job()
    other["spec"] = {"template": TEMPLATE, "parallelism": 4, "completions": 4}
    found = [life(document) for document in (first, same, other)]
    digests = [one.state_digest for one in found if one is not None]

    assert digests[0] == digests[1] != digests[2]


def test_what_takes_nothing_says_so_and_is_not_worth_reading() -> None:
    plain = thing("apps/v1", "Deployment", {"replicas": 2, "template": {"spec": {}}})
    kept = prune(plain, shipped().find("apps", "Deployment"))
    assert kept is not None
    found = read_life(kept, cluster=None, kinds=shipped())

    assert found is not None
    assert not found.takes
    assert not may_take(kept, shipped())
    assert may_take(job(), shipped())
    assert may_take(thing("karpenter.sh/v1", "NodePool", {}), shipped())
    assert not may_take(thing("v1", "ConfigMap", {"a": {}}), shipped())


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ({"apiVersion": "batch/v1", "kind": "CronJob", "controller": True}, False),
        ({"apiVersion": "batch/v1", "kind": "CronJob", "controller": False}, True),
        ({"apiVersion": "example.org/v1", "kind": "Farm", "controller": True}, True),
        ({"apiVersion": "kueue.x-k8s.io/v1", "kind": "Workload", "controller": True}, True),
    ],
)
def test_what_another_governed_object_makes_has_no_life_of_its_own(
    owner: dict[str, Any],
    *,
    expected: bool,
) -> None:
    found = life(job(ownerReferences=[{**owner, "name": "o", "uid": "u0"}]))

    assert (found is not None) is expected


def test_a_claim_has_a_life_whoever_makes_it() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u0", "controller": True}
    requests = [{"name": "r", "exactly": {"deviceClassName": "gpu.nvidia.com", "count": 2}}]
    claim = thing(
        "resource.k8s.io/v1",
        "ResourceClaim",
        {"devices": {"requests": requests}},
        metadata={"ownerReferences": [owner]},
    )
    found = life(claim)

    assert found is not None
    assert found.takes


def test_what_cannot_be_read_has_none() -> None:
    assert life(thing("batch/v1", "Job", {"template": "?"})) is None
    assert life(thing("batch/v1", "Job", {"template": TEMPLATE}, metadata={"uid": 7})) is None
    assert life(thing("v1", "Secret", {})) is None
    assert (uid_of({}), uid_of({"metadata": []}), deleted_at({"metadata": {}})) == ("", "", None)
    assert deleted_at({"metadata": {"deletionTimestamp": AT}}) == AT


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (KindName("apps", "Deployment"), True),
        (KindName("resource.k8s.io", "ResourceClaim"), True),
        (KindName("resource.k8s.io", "DeviceClass"), False),
        (KindName("", "Node"), False),
        (KindName("kueue.x-k8s.io", "LocalQueue"), False),
    ],
)
def test_which_kinds_have_lives(name: KindName, *, expected: bool) -> None:
    assert is_governed(name, shipped()) is expected


def condition(kind: str, value: str = "True", reason: str | None = None) -> dict[str, Any]:
    stated = {"type": kind, "status": value, "lastTransitionTime": AT}
    return {"conditions": [stated if reason is None else {**stated, "reason": reason}]}


RAY = {"rayClusterSpec": {"headGroupSpec": {"template": TEMPLATE}}}
TORCH = {"pytorchReplicaSpecs": {"Worker": {"template": TEMPLATE}}}
VOLCANO = {"tasks": [{"template": TEMPLATE}]}
ARGO = {"templates": [{"container": POD["containers"][0]}]}
TEKTON = {"taskSpec": {"steps": POD["containers"]}}
SPARK = {"driver": {"gpu": {"name": "nvidia.com/gpu", "quantity": 1}}}
JOBSET = {"replicatedJobs": [{"template": {"spec": {"template": TEMPLATE}}}]}
SERVED = {"predictor": {"model": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}}}
WRAPPED = {"components": [{"template": job()}]}
GONE = Outcome(Over.ENDED, "Complete", AT)


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "status", "expected"),
    [
        ("v1", "Pod", POD, {"phase": "Running"}, None),
        ("v1", "Pod", POD, {"phase": "Succeeded"}, Outcome(Over.ENDED, "Succeeded", None)),
        ("v1", "Pod", POD, {"phase": "Failed"}, Outcome(Over.FAILED, "Failed", None)),
        ("batch/v1", "Job", {"template": TEMPLATE}, {"active": 1}, None),
        ("batch/v1", "Job", {"template": TEMPLATE}, condition("Complete"), GONE),
        ("batch/v1", "Job", {"template": TEMPLATE}, condition("Complete", "False"), None),
        (
            "batch/v1",
            "Job",
            {"template": TEMPLATE},
            condition("Failed", reason="BackoffLimitExceeded"),
            Outcome(Over.FAILED, "BackoffLimitExceeded", AT),
        ),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", JOBSET, condition("Completed"), Over.ENDED),
        ("kubeflow.org/v1", "PyTorchJob", TORCH, condition("Succeeded"), Over.ENDED),
        ("kubeflow.org/v1", "PyTorchJob", TORCH, condition("Succeeded", "False"), None),
        ("kubeflow.org/v1", "PyTorchJob", TORCH, condition("Failed"), Over.FAILED),
        ("batch.volcano.sh/v1alpha1", "Job", VOLCANO, {"state": {"phase": "Running"}}, None),
        ("batch.volcano.sh/v1alpha1", "Job", VOLCANO, {"state": {"phase": "Aborted"}}, Over.FAILED),
        (
            "batch.volcano.sh/v1alpha1",
            "Job",
            VOLCANO,
            {"state": {"phase": "Terminated"}},
            Over.ENDED,
        ),
        ("argoproj.io/v1alpha1", "Workflow", ARGO, {"phase": "Error"}, Over.FAILED),
        ("tekton.dev/v1", "TaskRun", TEKTON, condition("Succeeded", "Unknown"), None),
        ("tekton.dev/v1", "TaskRun", TEKTON, condition("Succeeded", "False"), Over.FAILED),
        (
            "sparkoperator.k8s.io/v1beta2",
            "SparkApplication",
            SPARK,
            {"applicationState": {"state": "SUBMISSION_FAILED"}},
            Over.FAILED,
        ),
        (
            "workload.codeflare.dev/v1beta2",
            "AppWrapper",
            WRAPPED,
            {"phase": "Succeeded"},
            Over.ENDED,
        ),
        (
            "ray.io/v1",
            "RayJob",
            RAY,
            {"jobStatus": "FAILED", "jobDeploymentStatus": "Retrying"},
            None,
        ),
        (
            "ray.io/v1",
            "RayJob",
            RAY,
            {"jobStatus": "FAILED", "jobDeploymentStatus": "Complete"},
            Outcome(Over.FAILED, "FAILED", None),
        ),
        ("ray.io/v1", "RayJob", RAY, {"jobDeploymentStatus": "Complete"}, Over.ENDED),
        ("ray.io/v1", "RayCluster", RAY["rayClusterSpec"], {"state": "failed"}, None),
        ("serving.kserve.io/v1beta1", "InferenceService", SERVED, condition("Failed"), None),
        (
            "batch/v1",
            "CronJob",
            {"jobTemplate": {"spec": {"template": TEMPLATE}}},
            condition("Complete"),
            None,
        ),
        ("cluster.x-k8s.io/v1beta2", "MachinePool", {"replicas": 2}, {"phase": "Failed"}, None),
    ],
)
def test_a_status_tells_how_it_ended(
    api_version: str, kind: str, spec: Any, status: Any, expected: Outcome | Over | None
) -> None:
    found = life(thing(api_version, kind, spec, status=status))

    assert found is not None
    assert found.takes
    if isinstance(expected, Over):
        assert found.outcome is not None
        assert found.outcome.over is expected
    else:
        assert found.outcome == expected


def test_the_time_of_completion_goes_before_that_of_the_condition() -> None:
    status = {**condition("Complete"), "completionTime": "2026-05-04T11:59:58Z"}
    found = life(job(status))

    assert found is not None
    assert found.outcome == Outcome(Over.ENDED, "Complete", "2026-05-04T11:59:58Z")


def test_kinds_of_ones_own_have_lives_too() -> None:
    raw = (
        b"kinds: [{group: example.org, kind: Farm, templates: [{pods: spec.template}], source: x}]"
    )
    kinds = extended(raw, name="kinds.yaml")
    farm = thing("example.org/v1", "Farm", {"template": TEMPLATE}, status=condition("Finished"))
    found = read_life(farm, cluster=None, kinds=kinds)

    assert found is not None
    assert found.outcome is not None
    assert found.subject == "/prod/Farm/it"
