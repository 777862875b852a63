"""What of a watched cluster lies on the path of a request."""

from __future__ import annotations

from typing import Any

import pytest
from views import MemoryView

from adapters.kubernetes import fleet
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.surroundings import cluster_facts
from adapters.kubernetes.view import UNWATCHED
from adapters.kubernetes.watched import CLUSTER_QUEUE, LOCAL_QUEUE, NODE
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.cluster import ClusterFacts, Flavor, NodeGroup, QueueFacts, Quota, Taint
from service.model.request import Request

H100 = {
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
    "topology.kubernetes.io/region": "eu-central-1",
    "topology.kubernetes.io/zone": "eu-central-1a",
    "node.kubernetes.io/instance-type": "p5.48xlarge",
    "nvidia.com/gpu.clique": "domain.1",
}


def node(name: str = "n1", labels: dict[str, str] | None = None, **parts: Any) -> dict[str, Any]:
    offers = parts.pop("offers", {"nvidia.com/gpu": "8"})
    spec = {"providerID": "aws:///eu-central-1a/i-0", **parts.pop("spec", {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": H100 if labels is None else labels},
        "spec": spec,
        "status": {"allocatable": {"cpu": "64", **offers}},
    }


def namespace(labels: Any = None, **metadata: Any) -> dict[str, Any]:
    metadata = {"name": "prod", "labels": labels or {}, **metadata}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def asks(
    limits: dict[str, Any] | None = None, labels: dict[str, str] | None = None, **spec: Any
) -> Request:
    resources = {"limits": {"nvidia.com/gpu": 1} if limits is None else limits}
    pod = {"containers": [{"name": "m", "image": "i", "resources": resources}], **spec}
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "p",
            "namespace": "prod",
            "operation": "CREATE",
            "userInfo": {"username": "jane"},
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "p", "namespace": "prod", "labels": labels or {}},
                "spec": pod,
            },
        },
    }
    return normalise_review(review, cluster="lab", caller="test")


def facts(view: MemoryView, request: Request | None = None) -> ClusterFacts:
    found = cluster_facts(view, request or asks())
    assert found is not None
    return found


def groups(view: MemoryView, request: Request | None = None) -> tuple[NodeGroup, ...]:
    found = facts(view, request).nodes
    assert found is not None
    return found


def test_nothing_is_known_of_a_cluster_that_nobody_watches() -> None:
    assert cluster_facts(UNWATCHED, asks()) is None
    assert cluster_facts(MemoryView(namespace(), as_of=None), asks()) is None


def test_it_says_until_when_it_was_current() -> None:
    assert facts(MemoryView()).as_of == "2026-11-02T08:59:57.500Z"


def test_a_namespace_declares_by_labels_and_annotations() -> None:
    labels = {
        "portreeve.dev/team": "vision",
        "portreeve.dev/data-class": "health_personal",
        "portreeve.dev/unheard": "x",
        "kubernetes.io/metadata.name": "prod",
    }
    found = facts(MemoryView(namespace(labels, annotations={"portreeve.dev/model": "org/name"})))

    assert found.namespace is not None
    assert found.namespace.name == "prod"
    assert found.namespace.declared == {
        "data-class": "health,personal",
        "model": "org/name",
        "team": "vision",
    }
    assert not found.namespace.admin_access


@pytest.mark.parametrize("label", ["resource.kubernetes.io", "resource.k8s.io"])
def test_a_namespace_may_be_for_administrative_access(label: str) -> None:
    for value, expected in (("true", True), ("True", False), ("false", False)):
        found = facts(MemoryView(namespace({f"{label}/admin-access": value}))).namespace
        assert found is not None
        assert found.admin_access is expected


def test_a_namespace_that_is_not_held_or_cannot_be_read_is_not_known() -> None:
    assert facts(MemoryView()).namespace is None
    assert facts(MemoryView(namespace("none"))).namespace is None


def test_a_request_without_a_namespace_has_none() -> None:
    request = Request(
        key="k",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding=Binding.BINDING,
        scope=Scope(cluster="lab"),
    )
    view = MemoryView(namespace(), node())

    assert facts(view, request).namespace is None
    assert facts(view, request).nodes == ()


def test_nodes_that_are_alike_are_one_group() -> None:
    taints = [
        {"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "present"},
        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"},
        {"key": "lab.example/soon", "effect": "PreferNoSchedule"},
    ]
    view = MemoryView(*(node(f"n{i}", spec={"taints": taints}) for i in range(3)))

    assert groups(view) == (
        NodeGroup(
            resource="nvidia.com/gpu",
            manufacturer="nvidia",
            product="NVIDIA-H100-80GB-HBM3",
            vendor="aws",
            region="eu-central-1",
            zone="eu-central-1a",
            instance_type="p5.48xlarge",
            clique="domain.1",
            taints=(Taint(key="nvidia.com/gpu", effect="NoSchedule"),),
            nodes=3,
            accelerators=24,
        ),
    )


def test_only_nodes_that_have_what_is_asked_for_are_told() -> None:
    amd = node(
        "n2", {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"}, offers={"amd.com/gpu": 8}
    )
    view = MemoryView(node(), amd, node("n3", {}, offers={}))

    assert [one.resource for one in groups(view)] == ["nvidia.com/gpu"]
    assert [one.product for one in groups(view, asks({"amd.com/gpu": 1}))] == [
        "AMD_Instinct_MI300X_OAM"
    ]
    assert groups(view, asks({"cpu": 1})) == ()
    unknown = asks({}, resourceClaims=[{"name": "c", "resourceClaimName": "elsewhere"}])
    assert len(groups(view, unknown)) == 2


def test_a_device_of_a_claim_is_looked_for_by_its_maker() -> None:
    item = {"resource": "gpu.nvidia.com", "manufacturer": "nvidia"}
    request = asks()
    accelerator = (request.resources[0].accelerators or ())[0].model_copy(update=item)
    resource = request.resources[0].model_copy(update={"accelerators": (accelerator,)})
    view = MemoryView(node(offers={}), node("n2", {"amd.com/gpu.family": "AI"}, offers={}))

    (found,) = groups(view, request.model_copy(update={"resources": (resource,)}))

    assert (found.resource, found.manufacturer, found.accelerators) == (None, "nvidia", None)


def test_nodes_may_say_by_labels_how_many_they_have() -> None:
    labels = {"amd.com/gpu.product-name": "x", "amd.com/gpu.count": "4"}
    unknown = asks({}, resourceClaims=[{"name": "c", "resourceClaimName": "elsewhere"}])

    (found,) = groups(MemoryView(node(labels=labels, offers={})), unknown)

    assert (found.manufacturer, found.accelerators) == ("amd", 4)


def test_a_node_of_an_unlisted_maker_is_of_none() -> None:
    unknown = asks({}, resourceClaims=[{"name": "c", "resourceClaimName": "elsewhere"}])
    labels = {"karpenter.k8s.aws/instance-accelerator-name": "inferentia2"}

    (found,) = groups(MemoryView(node(labels=labels, offers={})), unknown)

    assert (found.manufacturer, found.product, found.vendor) == (None, "inferentia2", "aws")


@pytest.mark.parametrize(
    ("provider", "vendor"),
    [
        ("gce://project/europe-west4-a/node", "gcp"),
        ("azure:///subscriptions/0/x", "azure"),
        ("ocid1.instance.oc1.eu-frankfurt-1.x", "oci"),
        ("kind://docker/kind/kind-control-plane", None),
        ("none", None),
        (None, None),
    ],
)
def test_the_vendor_is_known_by_the_labels_or_the_provider(
    provider: str | None, vendor: str | None
) -> None:
    (found,) = groups(MemoryView(node(labels={}, spec={"providerID": provider})))

    assert found.vendor == vendor


def test_old_names_of_labels_are_read_too() -> None:
    old = {
        "failure-domain.beta.kubernetes.io/region": "eu-west-2",
        "beta.kubernetes.io/instance-type": "p4d.24xlarge",
    }
    (found,) = groups(MemoryView(node(labels=old)))

    assert (found.region, found.zone, found.instance_type) == ("eu-west-2", None, "p4d.24xlarge")


def test_what_the_request_rules_out_is_left_out() -> None:
    other = {**H100, "topology.kubernetes.io/region": "us-east-1"}
    nowhere = {"nvidia.com/gpu.product": "NVIDIA-L4"}
    view = MemoryView(node(), node("n2", other), node("n3", nowhere))

    def regions(**labels: str) -> set[str | None]:
        return {one.region for one in groups(view, asks(nodeSelector=labels))}

    assert regions() == {"eu-central-1", "us-east-1", None}
    assert regions(**{"topology.kubernetes.io/region": "us-east-1"}) == {"us-east-1", None}
    assert regions(**{"topology.kubernetes.io/zone": "us-east-1b"}) == {None}
    assert regions(**{"node.kubernetes.io/instance-type": "g6.xlarge"}) == {None}
    required = {
        "key": "topology.kubernetes.io/region",
        "operator": "In",
        "values": ["a", "us-east-1"],
    }
    terms = {"nodeSelectorTerms": [{"matchExpressions": [required]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert {one.region for one in groups(view, asks(affinity=affinity))} == {"us-east-1", None}


def test_nodes_of_which_not_all_are_known_are_not_known() -> None:
    assert facts(MemoryView(node(), partly=[NODE])).nodes is None


def test_a_node_that_cannot_be_read_is_passed_over() -> None:
    assert len(groups(MemoryView(node(), node("n2", spec={"taints": "none"})))) == 1


def test_two_resources_need_the_nodes_of_both() -> None:
    nvidia = asks(nodeSelector={"topology.kubernetes.io/region": "us-east-1"}).resources
    amd = asks({"amd.com/gpu": 1, "lab.example/gpu": 1}).resources
    both = asks().model_copy(update={"resources": nvidia + amd})
    view = MemoryView(node(), node("n2", offers={"amd.com/gpu": 8}))

    assert len(groups(view, both)) == 2


def test_many_sorts_are_told_with_less() -> None:
    cliques = [node(f"c{i}", {**H100, "nvidia.com/gpu.clique": str(i)}) for i in range(40)]
    zones = [node(f"z{i}", {**H100, "topology.kubernetes.io/zone": str(i)}) for i in range(40)]
    regions = [node(f"r{i}", {**H100, "topology.kubernetes.io/region": str(i)}) for i in range(40)]

    (by_clique,) = groups(MemoryView(*cliques))
    (by_zone,) = groups(MemoryView(*zones))

    assert (by_clique.clique, by_clique.zone) == (None, "eu-central-1a")
    assert (by_clique.nodes, by_clique.accelerators) == (40, 320)
    assert (by_zone.clique, by_zone.zone) == ("domain.1", None)
    assert facts(MemoryView(*regions)).nodes is None


def test_nodes_are_read_again_after_a_change_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_QUICK_SECONDS", 60)
    view = MemoryView(node())
    groups(view)
    asked = view.asked
    groups(view)
    assert view.asked == asked + 1  # the namespace

    view.put(node("n2"))
    assert groups(view)[0].nodes == 2


def test_nodes_that_take_long_to_read_are_not_read_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet, "_QUICK_SECONDS", -1)
    monkeypatch.setattr(fleet, "_PATIENCE", 1e9)
    view = MemoryView(node())
    groups(view)

    view.put(node("n2"))

    assert groups(view)[0].nodes == 1


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_REMEMBERED", 1)
    view = MemoryView(node())

    assert len(groups(view)) == len(groups(view, asks({"nvidia.com/gpu": 2}))) == 1
    assert groups(view, asks({"amd.com/gpu": 1})) == ()


def test_a_cluster_grows_where_karpenter_has_pools() -> None:
    metadata = {"name": "any"}
    pool = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": metadata, "spec": {}}
    view = MemoryView(node())

    assert not facts(view).grows
    view.put(pool)
    assert facts(view).grows
    view.drop(pool)
    assert not facts(view).grows


QUEUED = {"kueue.x-k8s.io/queue-name": "team"}


def queue(kind: str, name: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, **metadata}
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


def local(spec: Any = None) -> dict[str, Any]:
    return queue("LocalQueue", "team", spec or {"clusterQueue": "all"}, namespace="prod")


def shared() -> dict[str, Any]:
    quotas = [{"name": "nvidia.com/gpu", "nominalQuota": "64"}, {"name": "cpu", "nominalQuota": 9}]
    flavors = [
        {"name": "h100", "resources": quotas},
        {"name": "gone", "resources": quotas[:1]},
        {"name": "plain", "resources": quotas[1:]},
    ]
    return queue("ClusterQueue", "all", {"resourceGroups": [{"flavors": flavors}]})


def flavor() -> dict[str, Any]:
    spec = {
        "nodeLabels": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
    }
    return queue("ResourceFlavor", "h100", spec)


def test_a_queue_says_which_kinds_of_nodes_it_has() -> None:
    quotas = (Quota(resource="nvidia.com/gpu", nominal=64),)

    found = facts(MemoryView(local(), shared(), flavor()), asks(labels=QUEUED)).queue

    assert found == QueueFacts(
        name="team",
        exists=True,
        cluster_queue="all",
        flavors=(
            Flavor(
                name="h100",
                node_labels={"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
                tolerations=("nvidia.com/gpu",),
                quotas=quotas,
            ),
            Flavor(name="gone", quotas=quotas),
        ),
    )


def test_what_is_not_there_of_a_queue_is_not_made_up() -> None:
    request = asks(labels=QUEUED)

    assert facts(MemoryView(), asks()).queue is None
    assert facts(MemoryView(), request).queue == QueueFacts(name="team", exists=False)
    partly = MemoryView(partly=[LOCAL_QUEUE, CLUSTER_QUEUE])
    assert facts(partly, request).queue == QueueFacts(name="team")
    alone = QueueFacts(name="team", exists=True, cluster_queue="all")
    assert facts(MemoryView(local()), request).queue == alone
    for broken in ({"clusterQueue": 1}, {"other": 1}):
        assert facts(MemoryView(local(broken)), request).queue == QueueFacts(
            name="team", exists=True
        )


def test_only_nodes_of_the_flavors_of_a_queue_are_told() -> None:
    card = {"nvidia.com/gpu.product": "NVIDIA-L4"}
    nodes = node(), node("n2", card), node("n3", {}), node("n4", offers={"amd.com/gpu": 1})
    quota = {"name": "nvidia.com/gpu", "nominalQuota": 1}
    flavors = [{"name": "h100", "resources": [quota]}]
    only = queue("ClusterQueue", "all", {"resourceGroups": [{"flavors": flavors}]})

    def products(*more: dict[str, Any]) -> list[str | None]:
        view = MemoryView(*nodes, local(), only, *more)
        return [one.product for one in groups(view, asks(labels=QUEUED))]

    assert products(flavor()) == ["NVIDIA-H100-80GB-HBM3", None]
    assert products() == ["NVIDIA-H100-80GB-HBM3", "NVIDIA-L4", None]
    amd = asks({"amd.com/gpu": 1}, labels=QUEUED)
    assert len(groups(MemoryView(*nodes, local(), only, flavor()), amd)) == 1
