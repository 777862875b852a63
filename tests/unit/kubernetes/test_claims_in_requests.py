from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kubernetes.normalise import normalise_manifests, normalise_review
from service.errors import RequestRefused
from service.model.base import Change, Reason, Scope
from service.model.request import Request
from service.model.resource import Resource

CASES = Path(__file__).parents[2] / "contract" / "kubernetes"


def review(case: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CASES / case / "request.json").read_text())
    return document


def reviewed(document: dict[str, Any]) -> Request:
    return normalise_review(document, cluster="prod-eu", caller="test")


def applied(*documents: dict[str, Any], scope: Scope | None = None) -> Request:
    return normalise_manifests(documents, scope=scope or Scope(), caller="test", key="k")


def template(name: str = "cards", **exactly: Any) -> dict[str, Any]:
    requests = [{"name": "r", "exactly": {"deviceClassName": "gpu.nvidia.com", **exactly}}]
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": name},
        "spec": {"spec": {"devices": {"requests": requests}}},
    }


def claim(name: str = "cards", **exactly: Any) -> dict[str, Any]:
    document = template(name, **exactly)
    return {**document, "kind": "ResourceClaim", "spec": document["spec"]["spec"]}


def workload(kind: str = "Deployment", by: str = "Template", **spec: Any) -> dict[str, Any]:
    key = "resourceClaimTemplateName" if by == "Template" else "resourceClaimName"
    pod = {
        "resourceClaims": [{"name": "c", key: "cards"}],
        "containers": [{"name": "one", "image": "i", "resources": {"claims": [{"name": "c"}]}}],
        **spec.pop("pod", {}),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "w"},
        "spec": {**spec, "template": {"spec": pod}},
    }


def only(request: Request, kind: str) -> Resource:
    (found,) = (resource for resource in request.resources if resource.kind == kind)
    return found


def totals(resource: Resource) -> list[tuple[int | None, int | None, int | None]]:
    return [
        (item.per_worker, item.total.min, item.total.max) for item in resource.accelerators or ()
    ]


@pytest.mark.parametrize(
    ("spec", "exactly", "expected", "unknown"),
    [
        ({"replicas": 3}, {"count": 2}, (2, 6, 6), {}),
        ({"replicas": 0}, {"count": 2}, (2, 0, 0), {}),
        (
            {"replicas": 0},
            {"allocationMode": "All"},
            (None, 0, 0),
            {"/accelerators/0/per_worker": Reason.ELSEWHERE},
        ),
        (
            {"replicas": "$N"},
            {"count": 2},
            (2, None, None),
            {"/accelerators/0/total": Reason.ELSEWHERE, "/copies": Reason.ELSEWHERE},
        ),
        ({"replicas": 2**40}, {"count": 2**40}, (2**40, 2**53 - 1, 2**53 - 1), {}),
    ],
)
def test_a_template_multiplies_with_its_pods(
    spec: dict[str, Any], exactly: dict[str, Any], expected: Any, unknown: Any
) -> None:
    resource = only(applied(template(**exactly), workload(**spec)), "Deployment")

    assert (totals(resource), resource.unknown) == ([expected], unknown)


def test_nobody_knows_how_many_nodes_a_daemon_set_has_but_a_claim_is_one() -> None:
    each = only(applied(template(count=2), workload("DaemonSet")), "DaemonSet")
    shared = only(applied(claim(count=2), workload("DaemonSet", by="Claim")), "DaemonSet")

    assert totals(each) == [(2, None, None)]
    assert totals(shared) == [(2, 0, 0)]


def test_a_shared_claim_is_counted_at_the_claim() -> None:
    documents = [claim(count=8), workload(by="Claim", replicas=5), workload("StatefulSet", "Claim")]

    request = applied(*documents)

    assert sum(total[2] or 0 for item in request.resources for total in totals(item)) == 8
    assert only(request, "Deployment").provenance == {"/accelerators/0": "inferred:shared_claim"}


def test_the_namespace_of_the_scope_is_that_of_objects_without_one() -> None:
    placed = claim(count=8)
    placed["metadata"]["namespace"] = "research"

    found = applied(placed, workload(by="Claim"), scope=Scope(namespace="research"))
    missed = applied(placed, workload(by="Claim"), scope=Scope(namespace="other"))

    assert totals(only(found, "Deployment")) == [(8, 0, 0)]
    assert only(missed, "Deployment").unknown["/accelerators"] is Reason.ELSEWHERE


@pytest.mark.parametrize("selector", [{}, {"node.kubernetes.io/instance-type": "trn2.3xlarge"}])
def test_the_instance_type_is_the_pods_own_before_that_of_its_devices(
    selector: dict[str, str],
) -> None:
    named = "device.attributes['neuron.aws.com'].instanceType == 'trn2.48xlarge'"
    exactly = {"deviceClassName": "neuron.aws.com", "selectors": [{"cel": {"expression": named}}]}
    deployment = workload(pod={"nodeSelector": selector})

    resource = only(applied(template(**exactly), deployment), "Deployment")

    assert resource.instance_type == (next(iter(selector.values()), None) or "trn2.48xlarge")
    assert ("/instance_type" in resource.provenance) is not bool(selector)


def test_devices_that_only_one_cloud_has_say_which_cloud_it_is() -> None:
    request = applied(
        claim("tpus", deviceClassName="tpu.google.com"),
        template(deviceClassName="neuron.aws.com"),
        workload(),
    )

    assert only(request, "ResourceClaim").vendor == "gcp"
    assert only(request, "Deployment").vendor == "aws"


def test_a_class_that_nobody_lists_is_reported() -> None:
    request = applied(template(deviceClassName="fast.example.com"), workload())

    assert [(item.address, item.kind) for item in request.not_covered] == [
        ("Deployment w", "device class fast.example.com")
    ]
    assert totals(only(request, "Deployment")) == [(1, 1, 1)]


def test_a_template_that_cannot_be_read_is_refused_although_it_takes_nothing() -> None:
    broken = template(selectors="all")
    document = review("resource_claim_template_takes_nothing")
    document["request"]["object"]["spec"] = copy.deepcopy(broken["spec"])

    for ask in (lambda: applied(broken), lambda: reviewed(document)):
        with pytest.raises(RequestRefused, match="`selectors` is a text, expected a list"):
            ask()


def test_what_a_claim_is_changed_in_does_not_change_what_it_takes() -> None:
    document = review("resource_claim_of_the_first_available_counts_the_largest")
    asked = document["request"]
    asked.update(operation="UPDATE", oldObject=copy.deepcopy(asked["object"]))

    assert reviewed(document).resources[0].change is Change.NO_OP

    asked["object"]["metadata"]["labels"]["portreeve.dev/team"] = "other"
    changed = reviewed(document).resources[0]

    assert changed.change is Change.UPDATE
    assert changed.before is not None
    assert changed.before.accelerators == changed.accelerators


@pytest.mark.parametrize(("nodes", "expected"), [(18, 18), (0, None), (None, None), ("x", None)])
def test_a_compute_domain_takes_no_cards_and_says_how_many_nodes_it_joins(
    nodes: Any, expected: int | None
) -> None:
    domain = {
        "apiVersion": "resource.nvidia.com/v1beta1",
        "kind": "ComputeDomain",
        "metadata": {"name": "d", "labels": {"portreeve.dev/team": "research"}},
        "spec": {"numNodes": nodes},
    }

    (resource,) = applied(domain).resources

    assert (resource.accelerators, resource.nodes.max) == ((), expected)
    assert resource.ownership.team == resource.labels["portreeve.dev/team"] == "research"


def test_the_status_of_a_claim_is_irrelevant() -> None:
    document = review("resource_claim_of_all_devices_has_no_number")
    document["request"]["subResource"] = "status"

    assert reviewed(document).irrelevant == 1


DOCUMENTS = [
    template(count=2),
    claim(count=4),
    workload(replicas=3),
    workload("StatefulSet", by="Claim", replicas=2),
    {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": "gpu.nvidia.com"},
        "spec": {"extendedResourceName": "nvidia.com/gpu"},
    },
]


@given(st.permutations(DOCUMENTS))
def test_the_order_of_documents_does_not_matter(documents: list[dict[str, Any]]) -> None:
    request = applied(*documents)

    assert {item.kind: totals(item) for item in request.resources} == {
        "ResourceClaim": [(4, 4, 4)],
        "Deployment": [(2, 6, 6)],
        "StatefulSet": [(4, 0, 0)],
    }
    assert request.irrelevant == 2
