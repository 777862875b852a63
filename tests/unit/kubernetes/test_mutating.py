"""What is added to objects, where it goes, and that it is added once."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patching import patched

from adapters.kubernetes.additions import COST_BASIS, MONTHLY_COST, NOTHING, Additions
from adapters.kubernetes.mutate import Patch, answer_patch, answer_unpatched, patch
from adapters.kubernetes.nodes import REGION, read_nodes
from adapters.kubernetes.review import Asked
from service.errors import RequestRefused

KINDS = {
    "Pod": ("", ()),
    "ReplicationController": ("", ("template",)),
    "Deployment": ("apps", ("template",)),
    "StatefulSet": ("apps", ("template",)),
    "DaemonSet": ("apps", ("template",)),
    "ReplicaSet": ("apps", ("template",)),
    "Job": ("batch", ("template",)),
    "CronJob": ("batch", ("jobTemplate", "spec", "template")),
}
EVERYTHING = Additions(
    annotations={MONTHLY_COST: "9636.00 USD", COST_BASIS: "list"},
    region="europe-west4",
    taints=("nvidia.com/gpu", "example.com/rack~1/a"),
    runtime_class="nvidia",
    shm_mib=1024,
    deadline_seconds=3600,
)
EXPRESSION = {"key": REGION, "operator": "In", "values": ["europe-west4"]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def gpu_pod(**more: Any) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": "2"}
    containers = [{"name": "a", "resources": {"limits": limits}}, {"name": "b"}]
    return {"containers": containers, **more}


def document(kind: str, pod: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    way = KINDS[kind][1]
    spec: dict[str, Any] = {"spec": pod} if way else pod
    for key in reversed(way):
        spec = {key: spec}
    return {"metadata": {"name": "x", **metadata}, "spec": spec}


def pod_of(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = found["spec"]
    way = KINDS[kind][1]
    for key in way:
        spec = spec[key]
    return spec["spec"] if way else spec


def asked(
    kind: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None, **more: Any
) -> Asked:
    operation = "CREATE" if old is None else "UPDATE" if new is not None else "DELETE"
    stated: dict[str, Any] = {
        "uid": "u",
        "group": KINDS.get(kind, ("example.com", ()))[0],
        "kind": kind,
        "resource": f"{kind.lower()}s",
        "subresource": "",
        "name": "x",
        "namespace": "n",
        "operation": operation,
        "actor": {},
        "is_dry_run": False,
        "new": new,
        "old": old,
    }
    return Asked(**{**stated, **more})


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def condition(key: str, *values: str, operator: str = "In") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gets_everything(kind: str) -> None:
    before = document(kind, gpu_pod())

    done = patch(asked(kind, before), EVERYTHING)

    after = patched(before, done.operations)
    assert after["metadata"]["annotations"] == EVERYTHING.annotations
    pod = pod_of(kind, after)
    assert pod["affinity"] == affinity({"matchExpressions": [EXPRESSION]})
    assert pod["tolerations"] == [
        {"key": key, "operator": "Exists"} for key in ("nvidia.com/gpu", "example.com/rack~1/a")
    ]
    assert pod["runtimeClassName"] == "nvidia"
    assert pod["volumes"] == [
        {"name": "portreeve-shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1024Mi"}}
    ]
    mount = {"name": "portreeve-shm", "mountPath": "/dev/shm"}  # noqa: S108  # in a container
    assert [one.get("volumeMounts") for one in pod["containers"]] == [[mount], None]
    run = {"Job": after["spec"], "CronJob": after["spec"].get("jobTemplate", {}).get("spec")}
    assert (run.get(kind) or {}).get("activeDeadlineSeconds") == (3600 if kind in run else None)
    assert patch(asked(kind, after), EVERYTHING) == Patch([], [])


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "CronJob", "Unheard"])
def test_nothing_to_add_is_no_patch(kind: str) -> None:
    way = kind if kind in KINDS else "Pod"

    assert patch(asked(kind, document(way, gpu_pod())), NOTHING) == Patch([], [])
    assert kind in KINDS or patch(asked(kind, document(way, gpu_pod())), EVERYTHING).added == []


def region_of(pod: dict[str, Any]) -> dict[str, Any]:
    before = document("Pod", pod)
    done = patch(asked("Pod", before), Additions(region="europe-west4"))
    after: dict[str, Any] = patched(before, done.operations)["spec"]
    return after


def test_every_term_gets_the_region_because_terms_are_alternatives() -> None:
    zone = {"matchExpressions": [condition("zone", "a")]}
    node = {"matchFields": [condition("metadata.name", "n1")]}
    bare = {"matchExpressions": [], **node}

    pod = region_of(gpu_pod(affinity=affinity(zone, node, bare)))

    assert pod["affinity"] == affinity(
        {"matchExpressions": [condition("zone", "a"), EXPRESSION]},
        {**node, "matchExpressions": [EXPRESSION]},
        {**node, "matchExpressions": [EXPRESSION]},
    )
    assert read_nodes(pod).only(REGION) == "europe-west4"


@pytest.mark.parametrize(
    "stated",
    [{}, {"podAffinity": {}}, {"nodeAffinity": {}}, {"nodeAffinity": {REQUIRED: None}}],
)
def test_an_affinity_for_something_else_stays(stated: dict[str, Any]) -> None:
    preferred = [{"weight": 1, "preference": {"matchExpressions": [condition("zone", "a")]}}]
    for part in stated.values():
        part["preferredDuringSchedulingIgnoredDuringExecution"] = preferred

    pod = region_of(gpu_pod(affinity=stated))

    assert read_nodes(pod).only(REGION) == "europe-west4"
    for name, part in stated.items():
        assert pod["affinity"][name].items() >= {k: v for k, v in part.items() if v}.items()


def test_a_region_among_others_becomes_the_only_one() -> None:
    several = condition(REGION, "europe-west4", "us-east1")

    pod = region_of(gpu_pod(affinity=affinity({"matchExpressions": [several]})))

    assert pod["affinity"] == affinity({"matchExpressions": [several, EXPRESSION]})


@pytest.mark.parametrize(
    "pod",
    [
        gpu_pod(nodeSelector={REGION: "europe-west4"}),
        gpu_pod(nodeSelector={REGION: "us-east1"}),
        gpu_pod(nodeSelector={"failure-domain.beta.kubernetes.io/region": "us-east1"}),
        gpu_pod(affinity=affinity({"matchExpressions": [EXPRESSION]})),
        gpu_pod(affinity=affinity({"matchExpressions": [condition(REGION, "us-east1")]})),
        gpu_pod(
            affinity=affinity(
                {"matchExpressions": [condition(REGION, "europe-west4", operator="NotIn")]}
            )
        ),
        gpu_pod(
            affinity=affinity({"matchExpressions": [condition(REGION, operator="DoesNotExist")]})
        ),
        gpu_pod(affinity=affinity()),
        gpu_pod(affinity=affinity({}, {"matchExpressions": []})),
    ],
)
def test_what_names_a_region_or_fits_no_node_is_left_to_the_rules(pod: dict[str, Any]) -> None:
    assert region_of(pod) == pod


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "a", "operator": "Exists"},
        {"key": "a", "value": "x", "effect": "NoSchedule"},
        {"operator": "Exists"},
        {"operator": "Exists", "effect": "NoSchedule"},
    ],
)
def test_a_taint_that_is_tolerated_needs_no_other_toleration(toleration: dict[str, Any]) -> None:
    before = document("Pod", gpu_pod(tolerations=[toleration]))

    assert patch(asked("Pod", before), Additions(taints=("a",))).operations == []


def test_a_toleration_comes_after_those_that_are_there() -> None:
    others = [{"key": "b", "operator": "Exists"}, {"operator": "Exists", "effect": "NoExecute"}]
    before = document("Pod", gpu_pod(tolerations=others))

    done = patch(asked("Pod", before), Additions(taints=("a", "b")))

    after = patched(before, done.operations)
    assert after["spec"]["tolerations"] == [*others, {"key": "a", "operator": "Exists"}]
    assert done.added == ["tolerations"]


def test_a_runtime_class_that_is_named_is_a_choice() -> None:
    before = document("Pod", gpu_pod(runtimeClassName="kata"))

    assert patch(asked("Pod", before), Additions(runtime_class="nvidia")).operations == []


def shm_of(pod: dict[str, Any]) -> dict[str, Any]:
    before = document("Pod", pod)
    done = patch(asked("Pod", before), Additions(shm_mib=64))
    after: dict[str, Any] = patched(before, done.operations)["spec"]
    return after


def test_shared_memory_goes_to_containers_with_accelerators_beside_other_mounts() -> None:
    data = {"name": "data", "mountPath": "/data"}
    pod = gpu_pod(volumes=[{"name": "data"}])
    pod["containers"][0]["volumeMounts"] = [data]
    pod["containers"].append({"name": "c", "resources": {"claims": [{"name": "gpu"}]}})
    pod["containers"].append({"name": "d", "resources": {"requests": {"rdma/ib": "1", "cpu": 1}}})

    after = shm_of(pod)

    mount = {"name": "portreeve-shm", "mountPath": "/dev/shm"}  # noqa: S108  # in a container
    mounts = [one.get("volumeMounts") for one in after["containers"]]
    assert mounts == [[data, mount], None, [mount], None]
    assert [volume["name"] for volume in after["volumes"]] == ["data", "portreeve-shm"]


def test_a_volume_of_ours_from_before_is_used_again() -> None:
    ours = {"name": "portreeve-shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}

    after = shm_of(gpu_pod(volumes=[ours]))

    assert after["volumes"] == [ours]
    assert len(after["containers"][0]["volumeMounts"]) == 1


def test_shared_memory_that_is_there_or_cannot_be_is_not_added() -> None:
    theirs = gpu_pod(volumes=[{"name": "portreeve-shm", "hostPath": {"path": "/dev/shm"}}])  # noqa: S108  # in a container
    mounted = gpu_pod()
    mounted["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/dev/shm/"}]  # noqa: S108  # in a container

    for pod in (theirs, mounted, gpu_pod(hostIPC=True), {"containers": [{"name": "a"}]}):
        assert shm_of(pod) == pod


def test_a_deadline_that_is_stated_stands() -> None:
    before = document("Job", gpu_pod())
    before["spec"]["activeDeadlineSeconds"] = 60

    assert patch(asked("Job", before), Additions(deadline_seconds=3600)).operations == []


def test_annotations_of_others_stay_and_ours_cannot_be_forged() -> None:
    stated = {"a/b~c": "1", MONTHLY_COST: "0.01 USD", COST_BASIS: "list"}
    before = document("Pod", gpu_pod(), annotations=stated)

    priced = patch(asked("Pod", before), Additions(annotations={MONTHLY_COST: "5.00 USD"}))
    unpriced = patch(
        asked("Pod", before), Additions(annotations={MONTHLY_COST: None, COST_BASIS: None})
    )

    assert patched(before, priced.operations)["metadata"]["annotations"] == {
        **stated,
        MONTHLY_COST: "5.00 USD",
    }
    assert patched(before, unpriced.operations)["metadata"]["annotations"] == {"a/b~c": "1"}
    bare = asked("Pod", document("Pod", gpu_pod()))
    assert patch(bare, Additions(annotations={MONTHLY_COST: None})).operations == []
    other = asked("Pod", document("Pod", gpu_pod(), annotations={"x": "y"}))
    assert patch(other, Additions(annotations={MONTHLY_COST: None})).operations == []


def owned(kind: str) -> dict[str, Any]:
    references = [
        {"kind": "Other", "name": "o", "uid": "1"},
        {"kind": kind, "name": "o", "uid": "2", "controller": True},
    ]
    return {"ownerReferences": references}


@pytest.mark.parametrize(
    ("kind", "owner", "added"),
    [
        ("ReplicaSet", "Deployment", False),
        ("Deployment", "InferenceService", False),
        ("Job", "CronJob", False),
        ("Pod", "DaemonSet", False),
        ("Pod", "Node", False),
        ("Pod", "ReplicaSet", True),
        ("Pod", "PyTorchJob", True),
    ],
)
def test_of_what_controllers_make_only_pods_are_changed(
    kind: str, owner: str, *, added: bool
) -> None:
    before = document(kind, gpu_pod(), **owned(owner))

    done = patch(asked(kind, before), EVERYTHING)

    assert bool(done.added) is added
    assert "annotations" not in done.added


@pytest.mark.parametrize(
    "more",
    [{"subresource": "scale"}, {"operation": "CONNECT"}, {"group": "batch.volcano.sh"}],
)
def test_subresources_and_strangers_are_left_alone(more: dict[str, str]) -> None:
    assert patch(asked("Job", document("Job", gpu_pod()), **more), EVERYTHING).added == []


def test_a_deletion_is_left_alone() -> None:
    going = document("Deployment", gpu_pod(), deletionTimestamp="2026-01-01T00:00:00Z")

    assert patch(asked("Deployment", None, old=going), EVERYTHING).added == []
    assert patch(asked("Deployment", going, old=going), EVERYTHING).added == []


def test_an_update_that_leaves_the_template_alone_restarts_nothing() -> None:
    old = document("Deployment", gpu_pod())
    scaled = {**old, "spec": {**old["spec"], "replicas": 7}}

    assert patch(asked("Deployment", scaled, old=old), EVERYTHING).added == ["annotations"]


def test_an_update_that_takes_our_additions_away_gets_them_again() -> None:
    plain = document("Deployment", gpu_pod())
    first = patched(plain, patch(asked("Deployment", plain), EVERYTHING).operations)

    again = patched(plain, patch(asked("Deployment", plain, old=first), EVERYTHING).operations)

    assert again == first


@pytest.mark.parametrize("kind", ["Pod", "Job"])
def test_what_may_not_be_changed_is_not(kind: str) -> None:
    old, new = document(kind, gpu_pod()), document(kind, gpu_pod(priority=1))

    assert patch(asked(kind, new, old=old), EVERYTHING).added == ["annotations"]


@pytest.mark.parametrize("spec", [{}, {"template": None}, {"template": {"spec": {}}}])
def test_an_object_without_pods_gets_nothing_but_annotations(spec: dict[str, Any]) -> None:
    before = {"metadata": {"name": "x"}, "spec": spec}

    done = patch(asked("Deployment", before), Additions(region="r", taints=("a",)))

    assert done == Patch([], [])


def test_an_object_that_the_api_would_not_take_is_refused() -> None:
    with pytest.raises(RequestRefused, match="tolerations"):
        patch(asked("Pod", document("Pod", gpu_pod(tolerations="all"))), EVERYTHING)


_KEY = st.sampled_from([REGION, "failure-domain.beta.kubernetes.io/region", "zone", "a/b~c"])
_REGIONS = st.lists(st.sampled_from(["europe-west4", "us-east1"]), max_size=2)
_CONDITIONS = st.lists(
    st.builds(
        lambda key, operator, values: {"key": key, "operator": operator, "values": values},
        _KEY,
        st.sampled_from(["In", "NotIn", "Exists"]),
        _REGIONS,
    ),
    max_size=3,
)
_TERM = st.fixed_dictionaries({}, optional={"matchExpressions": _CONDITIONS})
_AFFINITY = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "nodeAffinity": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                REQUIRED: st.none()
                | st.fixed_dictionaries({"nodeSelectorTerms": st.lists(_TERM, max_size=3)})
            },
        )
    },
)
_TOLERATION = st.fixed_dictionaries(
    {"operator": st.just("Exists")},
    optional={
        "key": st.sampled_from(["nvidia.com/gpu", "other"]),
        "effect": st.sampled_from(["NoSchedule", "NoExecute"]),
    },
)
_MOUNT = st.builds(
    lambda name, path: {"name": name, "mountPath": path},
    st.sampled_from(["portreeve-shm", "data"]),
    st.sampled_from(["/dev/shm", "/dev/shm/", "/data"]),  # noqa: S108  # in a container
)
_CONTAINER = st.fixed_dictionaries(
    {"name": st.just("c")},
    optional={
        "volumeMounts": st.none() | st.lists(_MOUNT, max_size=2),
        "resources": st.sampled_from([{}, {"limits": {"nvidia.com/gpu": "2"}}]),
    },
)
_VOLUME = st.sampled_from(
    [
        {"name": "portreeve-shm", "emptyDir": {"medium": "Memory"}},
        {"name": "portreeve-shm", "emptyDir": {}},
        {"name": "data"},
    ]
)
_POD = st.fixed_dictionaries(
    {"containers": st.lists(_CONTAINER, max_size=3)},
    optional={
        "affinity": _AFFINITY,
        "tolerations": st.none() | st.lists(_TOLERATION, max_size=3),
        "volumes": st.none() | st.lists(_VOLUME, max_size=2),
        "hostIPC": st.booleans(),
        "runtimeClassName": st.sampled_from(["kata", ""]),
        "nodeSelector": st.none() | st.dictionaries(_KEY, st.just("europe-west4"), max_size=1),
    },
)
_ANNOTATIONS = st.none() | st.dictionaries(
    st.sampled_from([MONTHLY_COST, COST_BASIS, "a/b~c"]), st.just("x"), max_size=2
)
_VALUE = st.none() | st.sampled_from(["1.00 USD", "x"])
_ADDED = st.builds(
    Additions,
    st.dictionaries(st.sampled_from([MONTHLY_COST, COST_BASIS]), _VALUE, max_size=2),
    st.none() | st.just("europe-west4"),
    st.lists(st.sampled_from(["nvidia.com/gpu", "a/b~c"]), unique=True).map(tuple),
    st.none() | st.just("nvidia"),
    st.none() | st.just(1024),
    st.none() | st.just(60),
)


@given(kind=st.sampled_from(sorted(KINDS)), pod=_POD, annotations=_ANNOTATIONS, added=_ADDED)
def test_a_patched_object_needs_no_patch(
    kind: str, pod: dict[str, Any], annotations: dict[str, str] | None, added: Additions
) -> None:
    before = document(kind, pod, annotations=annotations)

    done = patch(asked(kind, before), added)

    after = patched(before, done.operations)
    assert patch(asked(kind, after), added) == Patch([], [])
    assert bool(done.operations) is bool(done.added)


@given(kind=st.sampled_from(sorted(KINDS)), pod=_POD, other=_POD, added=_ADDED)
def test_a_patched_update_needs_no_patch(
    kind: str, pod: dict[str, Any], other: dict[str, Any], added: Additions
) -> None:
    old, new = document(kind, pod), document(kind, other)

    after = patched(new, patch(asked(kind, new, old=old), added).operations)

    assert patch(asked(kind, after, old=old), added) == Patch([], [])


@given(pod=_POD)
def test_nodes_that_were_fit_in_the_region_stay_fit_and_no_others_become_so(
    pod: dict[str, Any],
) -> None:
    after = region_of(pod)

    for name in ("europe-west4", "us-east1", None):
        for zone in ("europe-west4", None):
            labels = {key: value for key, value in ((REGION, name), ("zone", zone)) if value}
            if name == "europe-west4" or fits(after, labels):
                assert fits(after, labels) == fits(pod, labels)


def fits(pod: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a node with *labels* would do, as the scheduler sees it."""
    for key, value in (pod.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return False
    required = ((pod.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    if required is None:
        return True
    return any(
        term.get("matchExpressions")
        and all(_holds(one, labels.get(one["key"])) for one in term["matchExpressions"])
        for term in required["nodeSelectorTerms"]
    )


def _holds(stated: dict[str, Any], value: str | None) -> bool:
    if stated["operator"] == "Exists":
        return value is not None
    return (value in stated["values"]) is (stated["operator"] == "In")


def test_the_answer_carries_the_patch_as_the_api_server_wants_it() -> None:
    done = patch(asked("Pod", document("Pod", gpu_pod())), EVERYTHING)

    response = answer_patch("u", done)["response"]

    assert (response["uid"], response["allowed"]) == ("u", True)
    assert response["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(response["patch"])) == done.operations
    names = "annotations,region-affinity,tolerations,runtime-class,shared-memory"
    assert response["auditAnnotations"] == {"added": names}
    assert answer_patch("u", Patch([], []))["response"] == {"uid": "u", "allowed": True}


def test_an_error_adds_nothing_and_says_so() -> None:
    response = answer_unpatched("u", RequestRefused("`spec` is\x1b[2J a list" + "x" * 400))

    assert response["response"]["allowed"] is True
    (warning,) = response["response"]["warnings"]
    assert warning.startswith("portreeve added nothing: SYS-INPUT: `spec` is [2J a list")
    assert len(warning) == 256
