"""Who says that a controller made an object, and is none, is told so."""

from __future__ import annotations

import pytest

from service.bundle.load import load
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.decide.deciding import decide
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.decision import Outcome
from service.model.finding import Mode
from service.model.request import Actor, ActorKind, Request
from service.model.resource import Owner, Resource

_CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"
_PERSON, _ACCOUNT = ActorKind.PERSON, ActorKind.SERVICE_ACCOUNT


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(shipped("example"))


def _request(name: str, kind: ActorKind, owner: Owner | None, **other: object) -> Request:
    pod = Resource(
        address="Pod prod/x",
        subject="east/prod/Pod/x",
        part_of=owner,
        kind="Pod",
        role="workload",
        change="create",
    )
    return Request(
        key="u",
        enforcement_point=EnforcementPoint.KUBERNETES,
        operation="CREATE",
        binding=Binding.BINDING,
        actor=Actor(name=name, kind=kind),
        scope=Scope(cluster="east", namespace="prod"),
        resources=(pod,),
    ).model_copy(update=other)


_OWNER = Owner(kind="ReplicaSet", name="llama-1")
_CLUSTER = Owner(kind="RayCluster", name="r")


@pytest.mark.parametrize(
    ("name", "kind", "owner"),
    [
        ("mallory", _PERSON, _OWNER),
        ("mallory", _PERSON, _CLUSTER),
        ("system:serviceaccount:prod:x", _ACCOUNT, _OWNER),
    ],
)
def test_whoever_is_no_controller_is_told(
    bundle: Bundle, name: str, kind: ActorKind, owner: Owner
) -> None:
    verdict = decide(_request(name, kind, owner), (), (), bundle)

    (finding,) = verdict.findings
    assert (finding.code, finding.mode, verdict.outcome) == ("COV-002", Mode.WARN, Outcome.WARN)
    assert f"says that `{owner.kind} {owner.name}` controls it, and `{name}`" in finding.message


@pytest.mark.parametrize(
    ("name", "kind", "owner", "other"),
    [
        (_CONTROLLER, _ACCOUNT, _OWNER, {}),
        ("mallory", _PERSON, None, {}),
        ("system:serviceaccount:ray:operator", _ACCOUNT, _CLUSTER, {}),
        ("system:node:a", ActorKind.NODE, Owner(kind="Node", name="a"), {}),
        ("mallory", _PERSON, _OWNER, {"operation": "UPDATE"}),
        ("mallory", _PERSON, _OWNER, {"binding": Binding.SCAN}),
        ("mallory", _PERSON, _OWNER, {"enforcement_point": EnforcementPoint.API}),
    ],
)
def test_nobody_else_is(
    bundle: Bundle, name: str, kind: ActorKind, owner: Owner | None, other: dict[str, object]
) -> None:
    assert decide(_request(name, kind, owner, **other), (), (), bundle).findings == ()
