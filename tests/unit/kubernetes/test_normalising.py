from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kubernetes.normalise import normalise_manifests, normalise_review
from service.errors import RequestRefused
from service.intake.documents import read_json, read_yaml_documents
from service.model.base import Binding, Change, Reason, Scope
from service.model.request import ActorKind, Request

CASES = Path(__file__).parents[2] / "contract" / "kubernetes"
REVIEWS = {path.parent.name: path.read_bytes() for path in sorted(CASES.glob("*/request.json"))}


def review(case: str = "scaled_up", **request: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(REVIEWS[case])
    document["request"].update(request)
    return document


def normalised(document: Any) -> Request:
    return normalise_review(document, cluster="prod-eu", caller="test")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "`AdmissionReview` is a list, expected an object"),
        (None, "`AdmissionReview` is null, expected an object"),
        ({}, "the body is a `? ?`, expected `admission.k8s.io/v1 AdmissionReview`"),
        ({**review(), "apiVersion": "admission.k8s.io/v1beta1"}, "the body is a `admission.k8s.io"),
        ({**review(), "kind": "Pod"}, "the body is a `admission.k8s.io/v1 Pod`"),
        ({**review(), "request": None}, "the AdmissionReview has no `request`"),
        ({**review(), "request": []}, "`request` is a list, expected an object"),
        (review(uid=None), "the AdmissionReview has no `request.uid`"),
        (review(uid=""), "the AdmissionReview has no `request.uid`"),
        (review(uid="u" * 129), "the AdmissionReview has no `request.uid`"),
        (review(uid=7), "`uid` is a number, expected a text"),
        (review(kind=None), "`kind` is null, expected a text"),
        (review(operation=None), "`operation` is null, expected a text"),
        (review(operation="PATCH"), "the operation is `PATCH`"),
        (review(dryRun="yes"), "`dryRun` is a text, expected true or false"),
        (review(object=[]), "`object` is a list, expected an object"),
        (review(object=None), "`object` is null, expected an object"),
        (review(oldObject="x"), "`oldObject` is a text, expected an object"),
        (review(oldObject=None), "`oldObject` is null, expected an object"),
        (review("deleted", oldObject=None), "`oldObject` is null, expected an object"),
        (review(userInfo=[]), "`userInfo` is a list, expected an object"),
        (review(userInfo={"groups": [[]]}), "`groups` is a list, expected texts"),
        (review(name="n" * 2000), "`resources/0/address` of the object cannot be used"),
    ],
)
def test_what_is_no_review_is_refused(document: Any, message: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        normalised(document)

    assert refused.value.code == "SYS-INPUT-PAYLOAD"
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("jane@example.com", ActorKind.PERSON),
        ("system:serviceaccount:kube-system:replicaset-controller", ActorKind.SERVICE_ACCOUNT),
        ("system:node:one", ActorKind.NODE),
        ("system:kube-scheduler", ActorKind.SYSTEM),
        (None, ActorKind.UNKNOWN),
    ],
)
def test_the_name_of_an_account_says_its_kind(name: str | None, kind: ActorKind) -> None:
    assert normalised(review(userInfo={"username": name})).actor.kind is kind


@pytest.mark.parametrize(
    "asked",
    [
        {"subResource": "status"},
        {"subResource": "binding"},
        {"subResource": "eviction"},
        {"operation": "CONNECT", "subResource": "exec"},
    ],
)
def test_what_changes_nothing_is_irrelevant(asked: dict[str, Any]) -> None:
    request = normalised(review(**asked))

    assert (request.irrelevant, request.resources, request.not_covered) == (1, (), ())


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"subResource": "scale"}, "deployments/scale"),
        ({"subResource": "resize"}, "deployments/resize"),
        (
            {"kind": {"group": "example.org", "kind": "Job"}, "object": {}, "oldObject": {}},
            "Job.example.org",
        ),
    ],
)
def test_what_is_not_understood_is_reported(asked: dict[str, Any], kind: str) -> None:
    request = normalised(review(**asked))

    assert [item.kind for item in request.not_covered] == [kind]
    assert request.resources == ()


def test_a_deletion_cannot_be_claimed_by_the_new_object_alone() -> None:
    document = review()
    document["request"]["object"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert normalised(document).resources[0].change is Change.UPDATE


def test_a_name_that_is_not_made_up_yet_is_one_of_its_own() -> None:
    document = review("pod_of_a_replica_set_with_a_generated_name", name="", uid="u1")
    del document["request"]["object"]["metadata"]["name"]

    resource = normalised(document).resources[0]

    assert resource.address == "Pod language-serving/llama-70b-6c9f7d8b5-*"
    assert resource.subject == "prod-eu/language-serving/Pod/llama-70b-6c9f7d8b5-*u1"


def test_declarations_are_believed_in_order() -> None:
    document = review()
    new = document["request"]["object"]
    template = new["spec"]["template"]["metadata"]
    new["metadata"]["annotations"] = {
        "portreeve.dev/data-class": "eu, health",
        "portreeve.dev/data-asset": "training",
        "portreeve.dev/activation-checkpointing": "true",
        "portreeve.dev/purpose": "dancing",
    }
    new["metadata"]["labels"] = {"portreeve.dev/team": "one", "portreeve.dev/data-class": "x_y"}
    template["annotations"] = {"portreeve.dev/team": "two", "portreeve.dev/owner": "jane"}
    template["labels"]["portreeve.dev/params-m"] = "seven"
    template["labels"]["portreeve.dev/utilisation-percent"] = "101"

    resource = normalised(document).resources[0]

    assert [(item.data_class, item.asset) for item in resource.data] == [
        ("eu", "training"),
        ("health", "training"),
    ]
    assert (resource.ownership.team, resource.ownership.owner) == ("one", "jane")
    assert resource.model.activation_checkpointing is True
    assert resource.unknown == {
        "/purpose": Reason.UNDECLARED,
        "/model/params_m": Reason.UNDECLARED,
        "/throughput/utilisation_percent": Reason.UNDECLARED,
    }
    assert resource.provenance["/ownership/owner"] == "declared"


def test_values_that_nobody_quoted_are_texts() -> None:
    document = review()
    document["request"]["object"]["metadata"]["labels"] = {
        "portreeve.dev/params-m": 7000,
        "portreeve.dev/activation-checkpointing": False,
        "portreeve.dev/data-class": "_",
        "portreeve.dev/team": None,
    }

    resource = normalised(document).resources[0]

    assert resource.model.params_m == 7000
    assert resource.model.activation_checkpointing is False
    assert resource.ownership.team is None
    assert resource.unknown == {"/data": Reason.UNDECLARED}


def test_an_owner_without_a_name_is_none() -> None:
    document = review()
    document["request"]["object"]["metadata"]["ownerReferences"] = [
        {"kind": "ReplicaSet", "name": "not-the-controller"},
        {"kind": "ReplicaSet", "controller": True},
    ]

    assert normalised(document).resources[0].part_of is None


def test_many_resources_that_nobody_knows_are_counted_and_not_listed() -> None:
    limits = {f"vendor.example/widget-{index}": 1 for index in range(20)}
    pod = {**POD, "spec": {"containers": [{"resources": {"limits": limits}}]}}

    kinds = [item.kind for item in manifests(pod).not_covered]

    assert kinds[0] == "resource vendor.example/widget-0"
    assert kinds[-1] == "12 more resources"


def manifests(*documents: Any, scope: Scope | None = None) -> Request:
    return normalise_manifests(documents, scope=scope or Scope(), caller="test", key="k")


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{}]}}


def test_manifests_are_what_somebody_wants_to_apply() -> None:
    scope = Scope(cluster="c", namespace="team-a")
    service = {"apiVersion": "v1", "kind": "Service"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"}}
    own = {**POD, "metadata": {"generateName": "b-", "namespace": "other"}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [POD, {"items": [service]} | service]}

    request = manifests(listed, POD, own, claim, scope=scope)

    assert [(item.address, item.subject) for item in request.resources] == [
        ("Pod team-a/a", "c/team-a/Pod/a"),
        ("Pod team-a/a (2)", "c/team-a/Pod/a (2)"),
        ("Pod other/b-*", "c/other/Pod/b-*"),
    ]
    assert {item.change for item in request.resources} == {Change.CREATE}
    assert [item.address for item in request.not_covered] == ["PersistentVolumeClaim team-a/disk"]
    assert (request.irrelevant, request.operation, request.key) == (1, "apply", "k")
    assert request.binding is Binding.ADVISORY


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("text", "`document 1` is a text, expected an object of Kubernetes"),
        (7, "`document 1` is a number, expected an object of Kubernetes"),
        ({"replicas": 1}, "document 1 has no `kind`"),
        ({"kind": "Pod"}, "document 1 has no `apiVersion`"),
        ({**POD, "metadata": {"name": {}}}, "`name` is an object, expected a text"),
    ],
)
def test_what_is_no_manifest_is_refused(document: Any, message: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        manifests(document)

    assert refused.value.message.startswith(message)


def test_lists_within_lists_end_somewhere() -> None:
    innermost: dict[str, Any] = copy.deepcopy(POD)
    for _ in range(6):
        innermost = {"apiVersion": "v1", "kind": "List", "items": [innermost]}

    with pytest.raises(RequestRefused, match="no more lists"):
        manifests(innermost)


def test_every_real_manifest_is_read(shared_data: Path) -> None:
    read = 0
    for path in sorted((shared_data / "kubernetes").rglob("*.y*ml")):
        documents = read_yaml_documents(path.read_bytes(), limit=1 << 20, what=path.name)
        request = manifests(*documents)
        assert len(request.resources) + len(request.not_covered) + request.irrelevant >= 1
        read += 1

    assert read > 140


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["$(A)", "9" * 4000, "a" * 3000, "vllm serve ", "-1", "1e30", "\x1b[1m"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in *value* as its container and its key."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    found: list[tuple[Any, Any]] = [(value, key) for key, _ in pairs]
    for _, item in pairs:
        if isinstance(item, dict | list):
            found.extend(_places(item))
    return found


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(REVIEWS)), st.data())
def test_a_review_with_anything_in_it_is_read_or_refused(case: str, data: st.DataObject) -> None:
    document = read_json(REVIEWS[case], limit=1 << 20, what="it")
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(_places(document)))
        container[key] = data.draw(ANYTHING)
    kept = copy.deepcopy(document)

    try:
        request = normalised(document)
    except RequestRefused as refused:
        shown = refused.message
    else:
        shown = request.model_dump_json()

    assert shown
    assert repr(kept) == repr(document), "the payload is not ours to change"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(REVIEWS)), st.data())
def test_a_manifest_with_anything_in_it_is_read_or_refused(case: str, data: st.DataObject) -> None:
    asked = read_json(REVIEWS[case], limit=1 << 20, what="it")["request"]
    documents = [asked["object"] or asked["oldObject"]]
    container, key = data.draw(st.sampled_from(_places(documents)))
    container[key] = data.draw(ANYTHING)

    try:
        shown = manifests(*documents).model_dump_json()
    except RequestRefused as refused:
        shown = refused.message

    assert shown
