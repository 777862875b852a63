"""What a controller makes is covered by what was admitted, and nothing else is."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from views import MemoryView

from adapters.kubernetes.kinds import shipped
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.owners import (
    Alone,
    Cover,
    Surroundings,
    covers_itself,
    find_cover,
)
from adapters.kubernetes.review import read_review
from service.bundle.controllers import KUBERNETES

_SPACE = "prod"
_SYSTEM = "system:serviceaccount:kube-system:{}"
_RS, _DEPLOYMENTS = _SYSTEM.format("replicaset-controller"), _SYSTEM.format("deployment-controller")
_HPA = _SYSTEM.format("horizontal-pod-autoscaler")
_OPERATOR = "system:serviceaccount:operators:operator"
_CONTROLLERS = frozenset({*KUBERNETES, _OPERATOR})


def _pod(cards: int = 1, **spec: Any) -> dict[str, Any]:
    limits = {"limits": {"nvidia.com/gpu": str(cards)}}
    return {"containers": [{"name": "main", "image": "x:1", "resources": limits}], **spec}


def _template(cards: int = 1, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "x"}}, "spec": _pod(cards, **spec)}


def _object(
    version: str,
    kind: str,
    name: str,
    spec: dict[str, Any],
    owner: dict[str, Any] | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    meta = {"name": name, "namespace": _SPACE, "uid": f"uid-of-{kind}-{name}", **metadata}
    if owner is not None:
        meta["ownerReferences"] = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}


def _deployment(cards: int = 1, replicas: int = 2, **spec: Any) -> dict[str, Any]:
    body = {"replicas": replicas, "template": _template(cards), **spec}
    return _object("apps/v1", "Deployment", "llama", body)


def _replica_set(
    owner: dict[str, Any], cards: int = 1, replicas: int = 2, name: str = "llama-1"
) -> dict[str, Any]:
    spec = {"replicas": replicas, "template": _template(cards)}
    return _object("apps/v1", "ReplicaSet", name, spec, owner)


def _made(owner: dict[str, Any], cards: int = 1, **spec: Any) -> dict[str, Any]:
    return _object("v1", "Pod", "llama-1-a", _pod(cards, **spec), owner)


def _review(
    new: dict[str, Any], by: str, old: dict[str, Any] | None = None, **request: Any
) -> dict[str, Any]:
    group, _, version = new["apiVersion"].rpartition("/")
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u",
            "kind": {"group": group, "version": version, "kind": new["kind"]},
            "resource": {"group": group, "resource": f"{new['kind'].lower()}s"},
            "name": new["metadata"]["name"],
            "namespace": _SPACE,
            "operation": "CREATE" if old is None else "UPDATE",
            "userInfo": {"username": by},
            "object": new,
            "oldObject": old,
            **request,
        },
    }


def _around(*documents: dict[str, Any]) -> Surroundings:
    return Surroundings(shipped(), MemoryView(*documents), "east", _CONTROLLERS)


def _found(review: dict[str, Any], *documents: dict[str, Any]) -> Cover | Alone:
    return find_cover(read_review(review), _around(*documents))


def _by(found: Cover | Alone) -> tuple[str, str]:
    assert isinstance(found, Cover), found
    return found.by.kind, found.by.name


def test_a_pod_of_a_deployment_is_covered_by_the_deployment() -> None:
    owner = _deployment()
    middle = _replica_set(owner)

    found = _found(_review(_made(middle), _RS), owner, middle)

    assert isinstance(found, Cover)
    assert (found.by.kind, found.by.name) == ("Deployment", "prod/llama")
    assert found.by.uid == owner["metadata"]["uid"]


def test_its_subject_is_the_one_that_the_deployment_has() -> None:
    owner = _deployment()
    middle = _replica_set(owner)
    found = _found(_review(_made(middle), _RS), owner, middle)

    (resource,) = normalise_review(_review(owner, "ci"), cluster="east", caller="c").resources

    assert isinstance(found, Cover)
    assert found.subject == resource.subject


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"by": "mallory"}, Alone.REQUESTER),
        ({"by": "system:serviceaccount:prod:replicaset-controller"}, Alone.REQUESTER),
        ({"uid": "another"}, Alone.UID),
        ({"uid": ""}, Alone.UID),
        ({"cards": 2}, Alone.TEMPLATE),
        ({"spec": {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-H100"}}}, Alone.TEMPLATE),
        ({"spec": {"nodeSelector": {"topology.kubernetes.io/region": "us-1"}}}, Alone.TEMPLATE),
        ({"spec": {"tolerations": [{"key": "dedicated"}]}}, Alone.TEMPLATE),
        ({"spec": {"runtimeClassName": "nvidia"}}, Alone.TEMPLATE),
        ({"spec": {"hostNetwork": True}}, Alone.TEMPLATE),
        ({"spec": {"resourceClaims": [{"name": "a", "resourceClaimName": "b"}]}}, Alone.TEMPLATE),
        ({"spec": {"volumes": [{"name": "d", "hostPath": {"path": "/dev/kfd"}}]}}, Alone.TEMPLATE),
        ({"labels": {"portreeve.dev/data-class": "secret"}}, Alone.TEMPLATE),
    ],
)
def test_what_differs_is_decided_on_its_own(change: dict[str, Any], why: Alone) -> None:
    owner = _deployment()
    middle = _replica_set(owner)
    pod = _made(middle, change.get("cards", 1), **change.get("spec", {}))
    pod["metadata"]["labels"] = change.get("labels", {})
    if "uid" in change:
        pod["metadata"]["ownerReferences"][0]["uid"] = change["uid"]

    assert _found(_review(pod, change.get("by", _RS)), owner, middle) is why


_REQUESTERS = st.sampled_from([_RS, "mallory", "system:serviceaccount:prod:x", ""])
_UIDS = st.sampled_from(["uid-of-ReplicaSet-llama-1", "uid-of-Deployment-llama", "u", ""])


@given(_REQUESTERS, _UIDS, st.integers(0, 9), st.integers(0, 9))
def test_only_the_same_of_the_same_owner_by_a_controller_is_covered(
    by: str, uid: str, cards: int, stated: int
) -> None:
    owner = _deployment(stated)
    middle = _replica_set(owner, stated)
    pod = _made(middle, cards)
    pod["metadata"]["ownerReferences"][0]["uid"] = uid

    found = _found(_review(pod, by), owner, middle)

    same = by == _RS and uid == middle["metadata"]["uid"] and cards == stated
    assert same is isinstance(found, Cover)


def test_what_admission_adds_to_any_pod_is_no_difference() -> None:
    owner = _deployment()
    middle = _replica_set(owner)
    keys = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "nvidia.com/gpu")
    pod = _made(middle, tolerations=[{"key": key, "operator": "Exists"} for key in keys])
    pod["spec"]["containers"].append({"name": "proxy", "image": "mesh:1"})
    pod["spec"]["volumes"] = [{"name": "token", "projected": {}}]

    assert _by(_found(_review(pod, _RS), owner, middle))[0] == "Deployment"


def test_a_reference_that_is_not_the_controllers_covers_nothing() -> None:
    owner = _deployment()
    middle = _replica_set(owner)
    pod = _made(middle)
    pod["metadata"]["ownerReferences"][0]["controller"] = False

    assert _found(_review(pod, _RS), owner, middle) is Alone.NO_OWNER


def test_an_owner_that_is_not_known_covers_nothing() -> None:
    middle = _replica_set(_deployment())

    assert _found(_review(_made(middle), _RS)) is Alone.UNSEEN


def test_an_owner_that_is_being_deleted_covers_nothing() -> None:
    middle = _replica_set(_deployment())
    middle["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert _found(_review(_made(middle), _RS), middle) is Alone.GOING


def test_an_owner_without_its_own_owner_covers() -> None:
    middle = _replica_set(_deployment())

    assert _by(_found(_review(_made(middle), _RS), middle)) == ("ReplicaSet", "prod/llama-1")


def test_deletions_and_parts_of_pods_are_not_covered() -> None:
    middle = _replica_set(_deployment())
    pod = _made(middle)
    removed = _review(pod, _RS, pod, operation="DELETE", object=None)
    part = _review(pod, _RS, pod, subResource="ephemeralcontainers")

    assert _found(removed, middle) is Alone.NO_OWNER
    assert _found(part, middle) is Alone.NO_OWNER


def test_what_cannot_be_read_covers_nothing() -> None:
    middle = _replica_set(_deployment())
    pod = _made(middle)
    middle = copy.deepcopy(middle)
    middle["spec"]["template"]["spec"]["containers"] = "none"

    assert _found(_review(pod, _RS), middle) is Alone.TEMPLATE


class TestRollingUpdate:
    def test_the_new_replica_set_is_covered(self) -> None:
        owner = _deployment(2)

        found = _found(_review(_replica_set(owner, 2), _DEPLOYMENTS), owner)

        assert _by(found) == ("Deployment", "prod/llama")

    def test_the_old_one_goes_down_and_its_pods_are_replaced(self) -> None:
        owner = _deployment(2)
        old = _replica_set(owner, 1, 2, "llama-0")
        fewer = _replica_set(owner, 1, 1, "llama-0")

        assert _by(_found(_review(fewer, _DEPLOYMENTS, old), owner, old))[0] == "Deployment"
        assert _by(_found(_review(_made(old), _RS), owner, old))[0] == "Deployment"

    def test_the_old_one_does_not_grow(self) -> None:
        owner = _deployment(2)
        old = _replica_set(owner, 1, 2, "llama-0")
        more = _replica_set(owner, 1, 3, "llama-0")

        assert _found(_review(more, _DEPLOYMENTS, old), owner, old) is Alone.COUNT

    @pytest.mark.parametrize(
        ("strategy", "most"),
        [
            ({}, 13),
            ({"rollingUpdate": {"maxSurge": 1}}, 11),
            ({"rollingUpdate": {"maxSurge": "100%"}}, 20),
            ({"rollingUpdate": {"maxSurge": "many"}}, 10),
            ({"type": "Recreate"}, 10),
        ],
    )
    def test_it_has_as_many_pods_as_its_strategy_lets_it(
        self, strategy: dict[str, Any], most: int
    ) -> None:
        owner = _deployment(replicas=10, strategy=strategy)

        def found(replicas: int) -> Cover | Alone:
            return _found(_review(_replica_set(owner, 1, replicas), _DEPLOYMENTS), owner)

        assert isinstance(found(most), Cover)
        assert found(most + 1) is Alone.COUNT


def _autoscaler(most: int, **metadata: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": most}
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", "llama", spec, **metadata)


def _scale(replicas: int) -> dict[str, Any]:
    return _object("autoscaling/v1", "Scale", "llama", {"replicas": replicas})


def _scaling(replicas: int, by: str, before: int = 1) -> dict[str, Any]:
    return _review(
        _scale(replicas),
        by,
        _scale(before),
        subResource="scale",
        resource={"group": "apps", "resource": "deployments"},
    )


class TestScaling:
    def test_within_the_maximum_it_is_covered_by_the_autoscaler(self) -> None:
        assert _by(_found(_scaling(5, _HPA), _autoscaler(5), _deployment())) == (
            "HorizontalPodAutoscaler",
            "prod/llama",
        )

    def test_beyond_it_is_not(self) -> None:
        assert _found(_scaling(6, _HPA), _autoscaler(5), _deployment()) is Alone.COUNT

    def test_what_is_lowered_is_covered_though_it_is_beyond(self) -> None:
        assert isinstance(_found(_scaling(7, _HPA, before=9), _autoscaler(5)), Cover)

    def test_a_person_who_scales_is_decided(self) -> None:
        assert _found(_scaling(5, "mallory"), _autoscaler(5)) is Alone.REQUESTER

    def test_without_an_autoscaler_it_is_decided(self) -> None:
        assert _found(_scaling(5, _HPA), _deployment()) is Alone.UNSEEN

    def test_the_autoscaler_of_another_namespace_or_that_goes_is_none(self) -> None:
        other = _autoscaler(5, namespace="elsewhere")
        going = _autoscaler(5, deletionTimestamp="2026-01-01T00:00:00Z")

        assert _found(_scaling(5, _HPA), other, going) is Alone.UNSEEN

    @pytest.mark.parametrize(("replicas", "is_covered"), [(5, True), (6, False)])
    def test_the_object_itself_may_be_written(self, replicas: int, *, is_covered: bool) -> None:
        old, new = _deployment(replicas=2), _deployment(replicas=replicas)

        found = _found(_review(new, _HPA, old), old, _autoscaler(5))

        assert isinstance(found, Cover) is is_covered

    def test_the_object_itself_may_not_be_written_with_other_pods(self) -> None:
        old, new = _deployment(1, 2), _deployment(2, 2)

        assert _found(_review(new, _HPA, old), old, _autoscaler(5)) is Alone.NO_OWNER

    def test_a_replica_set_may_follow_before_the_scaled_deployment_was_seen(self) -> None:
        owner = _deployment(replicas=1, strategy={"type": "Recreate"})
        old, more = _replica_set(owner, 1, 1), _replica_set(owner, 1, 5)
        beyond = _replica_set(owner, 1, 6)

        assert isinstance(
            _found(_review(more, _DEPLOYMENTS, old), owner, old, _autoscaler(5)), Cover
        )
        assert _found(_review(beyond, _DEPLOYMENTS, old), owner, old, _autoscaler(5)) is Alone.COUNT

    @pytest.mark.parametrize(("most", "why"), [(4, None), (5, None), (6, Alone.COUNT)])
    def test_an_autoscaler_that_keda_makes_is_covered(self, most: int, why: Alone | None) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama"}
        spec = {"scaleTargetRef": target, "maxReplicaCount": 5}
        owner = _object("keda.sh/v1alpha1", "ScaledObject", "llama", spec)
        child = _autoscaler(most)
        child["metadata"]["ownerReferences"] = _object("v1", "x", "x", {}, owner)["metadata"][
            "ownerReferences"
        ]

        found = _found(_review(child, _OPERATOR), owner)

        assert found is why if why else isinstance(found, Cover)


def _chain(*links: dict[str, Any]) -> list[dict[str, Any]]:
    """*links* from the root to the child, each made of the one before."""
    for owner, child in itertools.pairwise(links):
        reference = _object("v1", "x", "x", {}, owner)["metadata"]["ownerReferences"]
        child["metadata"]["ownerReferences"] = reference
    return list(links)


_JOB = {"parallelism": 2, "completions": 2, "template": _template()}
_CHAINS: dict[str, list[dict[str, Any]]] = {
    "schedule": _chain(
        _object("batch/v1", "CronJob", "r", {"jobTemplate": {"spec": _JOB}}),
        _object("batch/v1", "Job", "r-1", _JOB),
        _object("v1", "Pod", "r-1-a", _pod()),
    ),
    "stateful set": _chain(
        _object("apps/v1", "StatefulSet", "r", {"replicas": 2, "template": _template()}),
        _object("v1", "Pod", "r-0", _pod()),
    ),
    "replication controller": _chain(
        _object("v1", "ReplicationController", "r", {"replicas": 2, "template": _template()}),
        _object("v1", "Pod", "r-0", _pod()),
    ),
    "pytorch": _chain(
        _object(
            "kubeflow.org/v1",
            "PyTorchJob",
            "r",
            {
                "pytorchReplicaSpecs": {
                    "Master": {"replicas": 1, "template": _template(2)},
                    "Worker": {"replicas": 3, "template": _template(1)},
                }
            },
        ),
        _object("v1", "Pod", "r-worker-0", _pod(1, initContainers=[{"name": "w", "image": "b"}])),
    ),
    "job set": _chain(
        _object(
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            "r",
            {"replicatedJobs": [{"name": "w", "replicas": 2, "template": {"spec": _JOB}}]},
        ),
        _object("batch/v1", "Job", "r-w-0", _JOB),
        _object("v1", "Pod", "r-w-0-0", _pod()),
    ),
    "leaders": _chain(
        _object(
            "leaderworkerset.x-k8s.io/v1",
            "LeaderWorkerSet",
            "r",
            {"replicas": 2, "leaderWorkerTemplate": {"size": 3, "workerTemplate": _template()}},
        ),
        _object("apps/v1", "StatefulSet", "r", {"replicas": 2, "template": _template()}),
        _object("v1", "Pod", "r-0", _pod()),
    ),
    "ray": _chain(
        _object(
            "ray.io/v1",
            "RayJob",
            "r",
            {
                "rayClusterSpec": (
                    cluster := {
                        "headGroupSpec": {"template": _template(0)},
                        "workerGroupSpecs": [
                            {"replicas": 1, "maxReplicas": 4, "template": _template(1)}
                        ],
                    }
                )
            },
        ),
        _object("ray.io/v1", "RayCluster", "r-x", cluster),
        _object("v1", "Pod", "r-x-worker", _pod()),
    ),
}


@pytest.mark.parametrize("name", _CHAINS)
def test_every_object_of_a_chain_is_covered_by_its_root(name: str) -> None:
    chain = _CHAINS[name]
    root = chain[0]

    for child in chain[1:]:
        found = _found(_review(child, _OPERATOR), *chain[:-1])
        assert _by(found) == (root["kind"], "prod/r")


@pytest.mark.parametrize("name", _CHAINS)
def test_one_card_more_is_not_covered(name: str) -> None:
    chain = copy.deepcopy(_CHAINS[name])
    limits = chain[-1]["spec"]["containers"][0]["resources"]["limits"]
    limits["nvidia.com/gpu"] = "7"

    assert _found(_review(chain[-1], _OPERATOR), *chain[:-1]) is Alone.TEMPLATE


def test_a_job_of_a_schedule_may_not_run_more_at_once() -> None:
    schedule, job = (copy.deepcopy(one) for one in _CHAINS["schedule"][:2])
    job["spec"]["parallelism"] = job["spec"]["completions"] = 3

    assert _found(_review(job, _OPERATOR), schedule) is Alone.COUNT


def test_the_pods_of_a_daemon_set_have_a_node_instead_of_its_affinity() -> None:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    label = {"key": "nvidia.com/gpu.product", "operator": "In", "values": ["NVIDIA-L4"]}
    term = {"nodeSelectorTerms": [{"matchExpressions": [label]}]}
    node = {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name"}]}]}
    owner = _object(
        "apps/v1",
        "DaemonSet",
        "r",
        {"template": _template(affinity={"nodeAffinity": {required: term}})},
    )
    pod = _object("v1", "Pod", "r-a", _pod(affinity={"nodeAffinity": {required: node}}), owner)
    other = _object("v1", "Pod", "r-b", _pod(2), owner)

    assert _by(_found(_review(pod, _OPERATOR), owner)) == ("DaemonSet", "prod/r")
    assert _found(_review(other, _OPERATOR), owner) is Alone.TEMPLATE


def test_the_workers_of_a_group_are_covered_though_their_leader_is_not_watched() -> None:
    group = _CHAINS["leaders"][0]
    leader = _object("v1", "Pod", "r-0", _pod())
    spec = {"replicas": 2, "template": _template()}
    labels = {"leaderworkerset.sigs.k8s.io/name": "r"}
    workers = _object("apps/v1", "StatefulSet", "r-0", spec, leader, labels=labels)
    unnamed = _object("apps/v1", "StatefulSet", "r-0", spec, leader)
    larger = _object(
        "apps/v1", "StatefulSet", "r-0", {**spec, "replicas": 7}, leader, labels=labels
    )

    assert _by(_found(_review(workers, _OPERATOR), group))[0] == "LeaderWorkerSet"
    assert _found(_review(unnamed, _OPERATOR), group) is Alone.UNSEEN
    assert _found(_review(larger, _OPERATOR), group) is Alone.COUNT


def test_claims_are_decided_for_themselves() -> None:
    pod = _object("v1", "Pod", "p", _pod())
    claim = _object("resource.k8s.io/v1", "ResourceClaim", "p-a", {"devices": {}}, pod)
    account = _SYSTEM.format("resource-claim-controller")

    assert _found(_review(claim, account), pod) is Alone.UNGOVERNED


def test_owners_of_kinds_without_pods_cover_nothing() -> None:
    owner = _object("example.org/v1", "Site", "s", {})
    child = _deployment()
    child["metadata"]["ownerReferences"] = _object("v1", "x", "x", {}, owner)["metadata"][
        "ownerReferences"
    ]

    assert _found(_review(child, _OPERATOR), owner) is Alone.UNGOVERNED


class TestOwnWrites:
    @pytest.mark.parametrize(
        ("new", "nothing", "why"),
        [
            (_deployment(1, 2), True, None),
            (_deployment(1, 1), False, None),
            (_deployment(1, 3), False, Alone.COUNT),
            (_deployment(2, 1), False, Alone.COUNT),
        ],
    )
    def test_a_controller_that_takes_no_more_is_covered_by_the_object_itself(
        self, new: dict[str, Any], why: Alone | None, *, nothing: bool
    ) -> None:
        asked = read_review(_review(new, _DEPLOYMENTS, _deployment(1, 2)))

        found = covers_itself(asked, _around(), changes_nothing=nothing)

        assert found is why if why else _by(found) == ("Deployment", "prod/llama")

    def test_nobody_else_is(self) -> None:
        asked = read_review(_review(_deployment(), "mallory", _deployment()))

        assert covers_itself(asked, _around(), changes_nothing=True) is Alone.REQUESTER

    def test_what_is_made_is_not(self) -> None:
        asked = read_review(_review(_deployment(), _DEPLOYMENTS))

        assert covers_itself(asked, _around(), changes_nothing=True) is Alone.NO_OWNER

    def test_what_cannot_be_compared_is_not(self) -> None:
        broken = _deployment()
        broken["spec"]["template"]["spec"]["containers"] = "none"
        pool = _object("karpenter.sh/v1", "NodePool", "p", {})
        unread = read_review(_review(broken, _DEPLOYMENTS, _deployment()))
        capacity = read_review(_review(pool, _DEPLOYMENTS, pool))

        assert covers_itself(unread, _around(), changes_nothing=False) is Alone.TEMPLATE
        assert covers_itself(capacity, _around(), changes_nothing=False) is Alone.COUNT

    def test_an_object_without_a_uid_covers_nothing(self) -> None:
        nameless = _deployment()
        del nameless["metadata"]["uid"]
        asked = read_review(_review(nameless, _DEPLOYMENTS, nameless))

        assert covers_itself(asked, _around(), changes_nothing=True) is Alone.UID


def test_owners_that_own_one_another_are_followed_so_far_only() -> None:
    one, other = _replica_set(_deployment(), name="a"), _replica_set(_deployment(), name="b")
    _chain(one, other, one)

    assert isinstance(_found(_review(_made(one), _RS), one, other), Cover)


def test_an_owner_with_several_sorts_of_pods_makes_no_more_of_one() -> None:
    job = copy.deepcopy(_CHAINS["pytorch"][0])
    spec = {"replicas": 4, "template": _template(1)}
    child = _object("apps/v1", "StatefulSet", "r", spec, job)

    assert _found(_review(child, _OPERATOR), job) is Alone.COUNT


def test_what_is_scaled_of_an_unknown_kind_is_not_covered() -> None:
    review = _scaling(2, _HPA)
    review["request"]["resource"] = {"group": "example.org", "resource": "sites"}

    assert _found(review, _autoscaler(5)) is Alone.UNGOVERNED


def test_an_autoscaler_is_neither_covered_by_pods_nor_for_another_target() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"}
    owner = _object(
        "keda.sh/v1alpha1", "ScaledObject", "x", {"scaleTargetRef": target, "maxReplicaCount": 9}
    )
    of_pods, of_another = copy.deepcopy(_autoscaler(2)), copy.deepcopy(_autoscaler(2))
    _chain(_deployment(), of_pods)
    _chain(owner, of_another)

    assert _found(_review(of_pods, _OPERATOR), _deployment()) is Alone.UNGOVERNED
    assert _found(_review(of_another, _OPERATOR), owner) is Alone.TEMPLATE
