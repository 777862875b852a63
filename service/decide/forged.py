"""Objects that say that a controller made them, though none asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.decide.builtin import NOT_BELIEVED
from service.model.base import Binding, EnforcementPoint
from service.model.finding import Finding
from service.model.request import ActorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.bundle.values import Org
    from service.model.request import Request

# Only controllers of Kubernetes itself make something of these. What owns objects of another kind
# may be an operator that nobody has listed yet, and makes such objects all day long.
_BUILT_IN = frozenset(
    {
        "CronJob",
        "DaemonSet",
        "Deployment",
        "Job",
        "ReplicaSet",
        "ReplicationController",
        "StatefulSet",
    }
)
_ADMISSIONS = frozenset({Binding.BINDING, Binding.DRY_RUN})


def unbelieved(request: Request, org: Org) -> Iterator[Finding]:
    """What is said of the objects of *request* that name an owner which did not ask for them.

    The kubelet makes a Pod of each static one, and names its own node.
    """
    actor = request.actor
    if (
        request.operation != "CREATE"
        or request.enforcement_point is not EnforcementPoint.KUBERNETES
        or request.binding not in _ADMISSIONS
        or actor.kind is ActorKind.NODE
    ):
        return
    for resource in request.resources:
        owner = resource.part_of
        if owner is None or resource.covered_by is not None:
            continue
        if actor.kind is ActorKind.SERVICE_ACCOUNT and owner.kind not in _BUILT_IN:
            continue
        if actor.name not in org.controllers.accounts():
            yield Finding(
                code=NOT_BELIEVED,
                resource=resource.address,
                facts={"owner": f"{owner.kind} {owner.name}", "account": actor.name or "nobody"},
            )
