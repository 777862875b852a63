"""What is asked about, and what is left out because something else answers for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapters.kubernetes.kinds import in_use
from service.model.base import Binding, Change
from service.scan.asking import Asking, LeftOut
from service.scan.reading import read_cluster

DEPLOYMENTS, PODS = "/apis/apps/v1/deployments", "/api/v1/pods"


def asked(cluster: Any, *, is_watched: bool = True) -> tuple[Asking, dict[str, Any]]:
    found = read_cluster(cluster, in_use(), progress=lambda *_: None)
    asking = Asking(found, "prod-eu", in_use(), is_watched=is_watched)
    return asking, {
        f"{each.candidate.key.kind.kind} {each.candidate.key.name}": each
        for each in asking.questions()
    }


def test_subjects_are_asked_about_once_and_their_children_are_not(recorded: Any) -> None:
    asking, questions = asked(recorded)

    assert set(questions) == {
        "Deployment llama-70b",
        "Deployment llama-large",
        "HorizontalPodAutoscaler llama-large",
        "Job running",
        "DaemonSet agents",
        "Pod notebook",
        "Pod forged",
        "ResourceClaim pair",
    }
    # The ReplicaSet and its Pod; the autoscaler of what takes nothing; the finished and the going.
    assert asking.left_out == {LeftOut.CHILD: 2, LeftOut.NOTHING: 1, LeftOut.OVER: 2}


def test_a_question_is_what_the_webhook_would_be_asked_today(recorded: Any) -> None:
    _, questions = asked(recorded)

    question = questions["Deployment llama-70b"]
    request = question.request
    [resource] = request.resources
    assert (request.binding, request.operation) == (Binding.SCAN, "scan")
    assert request.key.startswith(question.candidate.uid + "/")
    assert (request.scope.cluster, request.scope.namespace) == ("prod-eu", "language-serving")
    assert resource.subject == "prod-eu/language-serving/Deployment/llama-70b"
    assert resource.change is Change.CREATE
    assert request.actor.name is None


def test_what_the_cluster_holds_is_used_unless_told_otherwise(recorded: Any) -> None:
    _, watched = asked(recorded)
    _, alone = asked(recorded, is_watched=False)

    name = "HorizontalPodAutoscaler llama-large"
    assert [item.total.max for item in watched[name].request.resources[0].accelerators] == [12]
    assert alone[name].request.resources[0].accelerators is None
    assert not watched[name].counts
    assert watched["Job running"].counts


def test_an_object_that_cannot_be_read_is_asked_about_all_the_same(recorded: Any) -> None:
    [page, *_] = recorded.pages[DEPLOYMENTS]
    odd = copy.deepcopy(page.items[-1])
    odd["metadata"] = {**odd["metadata"], "name": "odd", "uid": "u"}
    odd["spec"]["template"]["spec"]["containers"] = "nvidia.com/gpu"
    page.items.append(odd)

    _, questions = asked(recorded)

    assert questions["Deployment odd"].request is None
    assert questions["Deployment odd"].error is not None


@pytest.mark.parametrize(
    ("change", "is_child"),
    [
        (lambda _: None, True),
        (
            lambda spec: spec["containers"][0]["resources"]["limits"].update({"amd.com/gpu": 1}),
            False,
        ),
        (
            lambda spec: spec["containers"][0]["resources"].update(limits={"nvidia.com/gpu": 2}),
            False,
        ),
        (lambda spec: spec["containers"][0]["resources"].update(limits={"amd.com/gpu": 0}), True),
        (
            lambda spec: spec["containers"].append(
                {"name": "x", "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}
            ),
            False,
        ),
    ],
)
def test_only_what_an_owner_takes_is_its_child(recorded: Any, change: Any, is_child: Any) -> None:
    [pod] = [
        item
        for page in recorded.pages[PODS]
        for item in page.items
        if item["metadata"]["name"] == "llama-70b-1-a"
    ]
    change(pod["spec"])

    _, questions = asked(recorded)

    assert ("Pod llama-70b-1-a" not in questions) is is_child


def test_a_child_whose_owner_was_not_read_is_asked_about(recorded: Any) -> None:
    recorded.kinds = [one for one in recorded.kinds if one.kind != "ReplicaSet"]

    _, questions = asked(recorded)

    assert "Pod llama-70b-1-a" in questions


def named(recorded: Any, path: str, name: str) -> dict[str, Any]:
    [document] = [
        item
        for page in recorded.pages[path]
        for item in page.items
        if item["metadata"]["name"] == name
    ]
    found: dict[str, Any] = document["metadata"]
    return found


def test_owners_in_a_circle_answer_for_nothing(recorded: Any) -> None:
    deployment = named(recorded, DEPLOYMENTS, "llama-70b")
    made = named(recorded, "/apis/apps/v1/replicasets", "llama-70b-1")
    notebook = named(recorded, PODS, "notebook")
    for metadata, owner in ((deployment, made), (notebook, notebook)):
        metadata["ownerReferences"] = [{"uid": owner["uid"], "controller": True}]

    _, questions = asked(recorded)

    assert {"Deployment llama-70b", "ReplicaSet llama-70b-1", "Pod notebook"} <= set(questions)


def test_what_outlives_its_owner_is_asked_about(recorded: Any) -> None:
    named(recorded, DEPLOYMENTS, "llama-70b")["deletionTimestamp"] = "2026-05-04T12:00:00Z"

    _, questions = asked(recorded)

    assert "Deployment llama-70b" not in questions
    assert "ReplicaSet llama-70b-1" in questions
    assert "Pod llama-70b-1-a" not in questions
