from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.devices import Device, device_of
from adapters.kubernetes.kinds import shipped
from adapters.kubernetes.quantities import mebibytes, whole
from adapters.kubernetes.workloads import describe
from service.errors import RequestRefused
from service.model.base import Reason
from service.model.resource import ResourceState, Sharing


@pytest.mark.parametrize(
    ("quantity", "count"),
    [
        (8, 8),
        (0, 0),
        ("8", 8),
        ("+8", 8),
        ("1k", 1000),
        ("1Ki", 1024),
        ("2000m", 2),
        ("0.5k", 500),
        (".5k", 500),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18 if 10**18 < 2**53 else None),
        (2.0, 2),
        ("500m", None),
        ("1.5", None),
        (0.5, None),
        (-1, None),
        ("-1", None),
        ("", None),
        (None, None),
        (True, None),
        ("$GPU_PER_NODE", None),
        ("{{ gpus }}", None),
        ("eight", None),
        ("\uff11", None),
        ("1 ", None),
        ("9" * 30, None),
        ("1e99", None),
        (2**53, None),
        ([], None),
    ],
)
def test_a_quantity_counts_or_is_not_known(quantity: Any, count: int | None) -> None:
    assert count == whole(quantity)


def test_sizes_are_rounded_down_to_mebibytes() -> None:
    assert [mebibytes(size) for size in ("16Gi", "1G", "1048576", 1 << 20, "all")] == [
        16384,
        953,
        1,
        1,
        None,
    ]


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("nvidia.com/gpu", Device("device", "nvidia")),
        ("nvidia.com/gpu.shared", Device("device", "nvidia", Sharing.TIME_SLICED)),
        ("nvidia.com/mig-1g.10gb", Device("device", "nvidia", Sharing.MIG, "1g.10gb")),
        ("nvidia.com/mig-1g.10gb.me", Device("device", "nvidia", Sharing.MIG, "1g.10gb+me")),
        (
            "nvidia.com/mig-3g.20gb.shared",
            Device("device", "nvidia", Sharing.TIME_SLICED, "3g.20gb"),
        ),
        ("amd.com/cpx_nps4", Device("device", "amd", Sharing.FRACTION, "cpx_nps4")),
        ("amd.com/spx_nps1", Device("device", "amd", Sharing.WHOLE)),
        ("gpu.intel.com/i915", Device("device", "intel")),
        ("gpu.intel.com/i915_monitoring", Device("privilege", "intel")),
        ("gpu.intel.com/monitoring", Device("privilege", "intel")),
        ("habana.ai/gaudi", Device("device", "intel", Sharing.WHOLE)),
        ("huawei.com/Ascend910B4", Device("device", "huawei")),
        ("huawei.com/Ascend910B4-memory", Device("fraction", "huawei")),
        ("rdma/ib", Device("network")),
        ("vendor.example/gpu-large", Device("device")),
        ("vendor.example/vgpu", Device("device")),
        ("vendor.example/uinput", None),
        ("vendor.example/widget", None),
    ],
)
def test_the_name_of_a_resource_says_what_it_counts(name: str, device: Device | None) -> None:
    assert device == device_of(name)


GROUPS = {"Pod": "", "Deployment": "apps", "DaemonSet": "apps", "Job": "batch"}


def container(limits: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "c", "image": "i", "resources": {"limits": limits}, **more}


def state_of(pod: dict[str, Any], kind: str = "Pod", **spec: Any) -> ResourceState:
    document = {"spec": pod} if kind == "Pod" else {"spec": {"template": {"spec": pod}}}
    document["spec"].update(spec)
    return state_in(document, kind)


def state_in(document: dict[str, Any], kind: str) -> ResourceState:
    known = shipped().find(GROUPS[kind], kind)
    assert known is not None
    return ResourceState.model_validate(describe(document, known, shipped()).state)


def totals(state: ResourceState) -> dict[str | None, int | None]:
    return {item.resource: item.total.max for item in state.accelerators or ()}


GPU = "nvidia.com/gpu"


def test_containers_are_added_and_init_containers_are_not() -> None:
    pod = {
        "initContainers": [container({GPU: 1}), container({GPU: "3"})],
        "containers": [container({GPU: 1}), container({GPU: 1}), container({"cpu": 4})],
    }

    assert totals(state_of(pod)) == {GPU: 3}


def test_sidecars_are_added_and_run_beside_later_init_containers() -> None:
    sidecar = container({GPU: 2}, restartPolicy="Always")
    app = [container({GPU: 1})]

    before = state_of({"initContainers": [sidecar, container({GPU: 4})], "containers": app})
    after = state_of({"initContainers": [container({GPU: 4}), sidecar], "containers": app})

    assert totals(before) == {GPU: 6}
    assert totals(after) == {GPU: 4}


def test_the_limit_is_what_counts_and_a_request_only_without_it() -> None:
    both = {"resources": {"limits": {GPU: 2}, "requests": {GPU: 1}}}
    request = {"resources": {"requests": {GPU: 4}}}

    assert totals(state_of({"containers": [both, request]})) == {GPU: 6}


def test_resources_of_the_whole_pod_count_where_they_are_more() -> None:
    pod = {"containers": [container({GPU: 1})], "resources": {"limits": {GPU: 4}}}

    assert totals(state_of(pod)) == {GPU: 4}


@pytest.mark.parametrize("quantity", ["$GPU_PER_NODE", None, "", "500m", -1, "1.5"])
def test_a_quantity_that_counts_nothing_is_not_none_but_unknown(quantity: Any) -> None:
    state = state_of({"containers": [container({GPU: 1}), container({GPU: quantity})]})

    assert totals(state) == {GPU: None}
    assert state.accelerators is not None
    assert state.accelerators[0].per_worker is None
    assert state.unknown == {
        "/accelerators/0/per_worker": Reason.UNDECLARED,
        "/accelerators/0/total": Reason.UNDECLARED,
    }


def test_asking_for_zero_devices_is_asking_for_none() -> None:
    assert state_of({"containers": [container({GPU: "0"})]}).accelerators == ()


def test_memory_of_a_card_without_a_card_is_of_an_unknown_number_of_cards() -> None:
    state = state_of({"containers": [container({"nvidia.com/gpumem": 3000})]})

    assert totals(state) == {"nvidia.com/gpumem": None}
    assert state.unknown["/accelerators/0/total"] is Reason.UNDECLARED


def test_memory_asked_for_beside_cards_makes_parts_of_them() -> None:
    state = state_of({"containers": [container({GPU: 2, "nvidia.com/gpumem": 3000})]})

    assert state.accelerators is not None
    assert [item.slice for item in state.accelerators] == ["3000MiB"]
    assert [item.sharing for item in state.accelerators] == [Sharing.FRACTION]


def test_each_container_may_take_the_same_part_of_its_own_card() -> None:
    same = container({GPU: 1, "nvidia.com/gpumem": 3000})
    other = container({GPU: 1, "nvidia.com/gpumem": 5000})
    cores = container({GPU: 1, "nvidia.com/gpucores": 30})

    found = [
        state_of({"containers": list(group)}) for group in ((same, same), (same, other), (cores,))
    ]

    slices = [[item.slice for item in state.accelerators or ()] for state in found]
    assert slices == [["3000MiB"], [None], [None]]
    assert {item.sharing for state in found for item in state.accelerators or ()} == {
        Sharing.FRACTION
    }


def test_a_slice_with_a_name_stays_what_its_name_says() -> None:
    pod = {"containers": [container({"nvidia.com/mig-1g.10gb": 1, "nvidia.com/gpucores": 30})]}

    state = state_of(pod)

    assert [item.slice for item in state.accelerators or ()] == ["1g.10gb"]
    assert [item.sharing for item in state.accelerators or ()] == [Sharing.MIG]


@pytest.mark.parametrize(
    ("selector", "sharing", "part"),
    [
        ({"nvidia.com/gpu.sharing-strategy": "mps"}, Sharing.TIME_SLICED, None),
        ({"cloud.google.com/gke-gpu-partition-size": "1g.5gb"}, Sharing.MIG, "1g.5gb"),
        (
            {
                "cloud.google.com/gke-gpu-partition-size": "1g.5gb",
                "cloud.google.com/gke-gpu-sharing-strategy": "time-sharing",
            },
            Sharing.TIME_SLICED,
            "1g.5gb",
        ),
    ],
)
def test_node_labels_say_how_a_card_is_divided(
    selector: dict[str, str], sharing: Sharing, part: str | None
) -> None:
    state = state_of({"containers": [container({GPU: 1})], "nodeSelector": selector})

    assert [(item.sharing, item.slice) for item in state.accelerators or ()] == [(sharing, part)]


def test_no_pod_asks_for_hundreds_of_resources() -> None:
    with pytest.raises(RequestRefused, match="more than 256 different"):
        state_of({"containers": [container({f"a{index}.example/gpu": 1 for index in range(257)})]})


def test_several_instance_types_are_none_that_is_known() -> None:
    label = "node.kubernetes.io/instance-type"
    expressions = [{"key": label, "operator": "In", "values": ["a", "b"]}]
    required = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}

    several = state_of({**POD, "affinity": affinity})
    template = state_of({**POD, "nodeSelector": {label: "${TYPE}"}})
    one = state_of({**POD, "nodeSelector": {label: "g6.xlarge"}})

    assert [state.instance_type for state in (several, template, one)] == [None, None, "g6.xlarge"]
    assert several.unknown == template.unknown == {"/instance_type": Reason.UNDECLARED}


def test_a_claim_hides_nothing_that_is_known() -> None:
    claims = [{"name": "c", "resourceClaimName": "c"}]

    alone = state_of({"containers": [container({})], "resourceClaims": claims})
    beside = state_of({"containers": [container({GPU: 8})], "resourceClaims": claims})

    assert alone.accelerators is None
    assert alone.unknown == {
        "/accelerators": Reason.ELSEWHERE,
        "/placement/fabric": Reason.ELSEWHERE,
    }
    assert totals(beside) == {GPU: 8, "resourceclaims": None}
    assert beside.unknown == {
        "/accelerators/1": Reason.ELSEWHERE,
        "/placement/fabric": Reason.ELSEWHERE,
    }


def test_part_of_an_object_does_not_say_what_it_takes() -> None:
    state = state_of({}, "Deployment", replicas=3)

    assert state.accelerators is None
    assert state.unknown == {"/accelerators": Reason.ELSEWHERE}


POD = {"containers": [container({GPU: 2})]}


@pytest.mark.parametrize(
    ("kind", "spec", "copies", "workers", "total"),
    [
        ("Deployment", {}, 1, 1, 2),
        ("Deployment", {"replicas": 5}, 5, 1, 10),
        ("Deployment", {"replicas": 0}, 0, 1, 0),
        ("Deployment", {"replicas": -1}, None, 1, None),
        ("Deployment", {"replicas": 2**60}, None, 1, None),
        ("DaemonSet", {}, None, 1, None),
        ("Job", {}, 1, 1, 2),
        ("Job", {"parallelism": 4}, 4, 1, 8),
        ("Job", {"parallelism": 4, "completions": 2}, 2, 1, 4),
        ("Job", {"parallelism": 4, "completions": 4, "completionMode": "Indexed"}, 1, 4, 8),
        ("Job", {"parallelism": 0}, 0, 1, 0),
    ],
)
def test_copies_and_workers_multiply_what_a_pod_takes(
    kind: str, spec: dict[str, Any], copies: int | None, workers: int, total: int | None
) -> None:
    state = state_of(POD, kind, **spec)

    assert (state.copies.min, state.copies.max) == (copies, copies)
    assert state.workers_per_copy == workers
    assert totals(state) == {GPU: total}
    assert (state.unknown.get("/accelerators/0/total") is not None) is (total is None)


def test_only_a_deadline_that_kubernetes_keeps_bounds_a_life() -> None:
    metadata = {"annotations": {"portreeve.dev/max-minutes": "30"}}
    job: dict[str, Any] = {"metadata": metadata, "spec": {"template": {"spec": POD}}}
    bounded = {"metadata": metadata, "spec": {**job["spec"], "activeDeadlineSeconds": 61}}

    meant = state_in(job, "Job").lifetime
    kept = state_in(bounded, "Job").lifetime

    assert (meant.minutes, meant.bounded) == (30, False)
    assert (kept.minutes, kept.bounded) == (2, True)


_SHM = {"volumeMounts": [{"name": "shm", "mountPath": "/dev/shm/"}]}  # noqa: S108


@pytest.mark.parametrize(
    ("volume", "memory", "mib", "reason"),
    [
        ({"emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}, None, 2048, None),
        ({"emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}, "1Gi", 1024, None),
        ({"emptyDir": {"medium": "Memory", "sizeLimit": "0"}}, "1Gi", 1024, None),
        ({"emptyDir": {"medium": "Memory"}}, "1Gi", 1024, None),
        ({"emptyDir": {"medium": "Memory"}}, None, None, Reason.UNDECLARED),
        ({"emptyDir": {}}, "1Gi", None, Reason.UNDECLARED),
        ({"hostPath": {"path": "/dev/shm"}}, "1Gi", None, Reason.UNDECLARED),  # noqa: S108
    ],
)
def test_shared_memory_is_what_is_mounted_at_dev_shm(
    volume: dict[str, Any], memory: str | None, mib: int | None, reason: Reason | None
) -> None:
    limits = {} if memory is None else {"memory": memory}

    state = state_of(
        {"containers": [container(limits, **_SHM)], "volumes": [{"name": "shm", **volume}]}
    )

    assert state.placement.shm_mib == mib
    assert state.unknown.get("/placement/shm_mib") is reason


def test_shared_memory_without_a_mount_is_the_default_of_the_runtime() -> None:
    spare = {"name": "shm", "emptyDir": {"medium": "Memory"}}

    state = state_of({"containers": [container({})], "volumes": [spare]})

    assert state.placement.shm_mib is None
    assert state.unknown == {}


def test_a_pod_has_the_memory_of_all_containers_that_run_at_once() -> None:
    volume = {"name": "shm", "emptyDir": {"medium": "Memory"}}
    sidecar = {**container({"memory": "1Gi"}), "restartPolicy": "Always"}
    app = [container({"memory": "4Gi"}, **_SHM), container({"memory": "2Gi"})]

    def shm(init: list[Any], **more: Any) -> int | None:
        pod = {"containers": app, "initContainers": init, "volumes": [volume], **more}
        return state_of(pod).placement.shm_mib

    assert shm([sidecar, container({"memory": "3Gi"})]) == 7 * 1024
    assert shm([container({"memory": "9Gi"})]) == 9 * 1024
    assert shm([container({})]) is None
    assert shm([], resources={"limits": {"memory": "5Gi"}}) == 5 * 1024


@pytest.mark.parametrize(
    ("pod", "annotations", "fabric"),
    [
        ({"containers": [container({"rdma/ib": 1})]}, {}, "rdma/ib"),
        ({}, {"networking.gke.io/interfaces": "[]"}, "networking.gke.io/interfaces"),
        ({}, {"k8s.v1.cni.cncf.io/networks": "rdma"}, "k8s.v1.cni.cncf.io/networks"),
        ({"volumes": [{"hostPath": {"path": "/dev/infiniband"}}]}, {}, "/dev/infiniband"),
        ({"volumes": [{"hostPath": {"path": "/data"}}]}, {}, None),
        (
            {"containers": [container({}, securityContext={"privileged": True})]},
            {},
            "securityContext.privileged",
        ),
        ({}, {}, None),
    ],
)
def test_a_fabric_is_a_device_an_attached_network_or_the_devices_of_the_node(
    pod: dict[str, Any], annotations: dict[str, str], fabric: str | None
) -> None:
    template = {
        "metadata": {"annotations": annotations},
        "spec": {"containers": [container({})], **pod},
    }

    found = state_in({"spec": {"template": template}}, "Job")

    assert found.placement.fabric == fabric


def test_a_claim_may_be_one_for_a_fabric() -> None:
    claimed = state_of({"containers": [container({})], "resourceClaims": [{"name": "net"}]})

    assert claimed.unknown["/placement/fabric"] is Reason.ELSEWHERE


def test_namespaces_of_the_node_are_shared_only_where_the_pod_says_so() -> None:
    shared = state_of({"containers": [container({})], "hostIPC": True, "hostNetwork": True})
    own = state_of({"containers": [container({})]})

    assert (shared.placement.host_ipc, shared.placement.host_network) == (True, True)
    assert (own.placement.host_ipc, own.placement.host_network) == (False, False)


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        ({"containers": "x"}, "`containers` is a text, expected a list"),
        ({"containers": [1]}, "`containers` is a number, expected a list of objects"),
        ({"containers": [{"resources": []}]}, "`resources` is a list, expected an object"),
        ({"containers": [{"resources": {"limits": True}}]}, "`limits` is true or false"),
        ({"containers": [{"image": 1}]}, "`image` is a number, expected a text"),
        ({"containers": [{"args": [{}]}]}, "`args` is an object, expected texts"),
        ({"nodeSelector": {"a": {}}}, "`nodeSelector` is an object, expected texts"),
    ],
)
def test_what_could_hide_something_is_refused(pod: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestRefused, match="expected") as refused:
        state_of(pod)

    assert refused.value.code == "SYS-INPUT-PAYLOAD"
    assert refused.value.message.startswith(message)
