"""What a finding is about: resources, and the place and the owner that all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.decide.reasons import Reasons
    from service.model.base import Scope
    from service.model.finding import Finding
    from service.model.request import Request
    from service.model.resource import Resource

_BOUND = "scope"


class Whereabouts(NamedTuple):
    """Where something is and whose it is; ``None`` where that is not known or not one thing."""

    cluster: str | None = None
    namespace: str | None = None
    account: str | None = None
    project: str | None = None
    workspace: str | None = None
    team: str | None = None
    environment: str | None = None


def resources_of(finding: Finding, request: Request, reasons: Reasons) -> Sequence[Resource]:
    """The resources that *finding* is about; none for an item that no adapter covers.

    A finding about the request as a whole is about those of the team whose total it points at, or
    which it names in its facts.
    """
    if finding.resource is not None:
        return reasons.at(finding.resource)
    team = reasons.team(finding.undetermined) or finding.facts.get("team")
    own = [item for item in request.resources if item.ownership.team == team]
    return own or request.resources


def claimed(request: Request, resource: Resource | None) -> Whereabouts:
    """Whereabouts of *resource*, or of the whole request, with what labels say of the owner."""
    scope = request.scope
    if resource is None:
        return _place(scope, None, None)
    owner = resource.ownership
    return _place(resource.scope or scope, owner.team, owner.environment)


def bound(request: Request, resource: Resource | None) -> Whereabouts:
    """The same without an owner that the organisation's scopes do not state.

    Whoever writes a manifest writes its labels too, so what only they say loosens nothing.
    """
    whereabouts = claimed(request, resource)
    if resource is None:
        return whereabouts
    return whereabouts._replace(
        team=_if_bound(resource, "/ownership/team", whereabouts.team),
        environment=_if_bound(resource, "/ownership/environment", whereabouts.environment),
    )


def common(whereabouts: Iterable[Whereabouts]) -> Whereabouts:
    """What all of *whereabouts* agree on."""
    first, *others = whereabouts
    if not others:
        return first
    return Whereabouts(
        *(
            values[0] if len(set(values)) == 1 else None
            for values in zip(first, *others, strict=True)
        )
    )


def _place(scope: Scope, team: str | None, environment: str | None) -> Whereabouts:
    return Whereabouts(
        scope.cluster,
        scope.namespace,
        scope.account,
        scope.project,
        scope.workspace,
        team,
        environment,
    )


def _if_bound(resource: Resource, pointer: str, value: str | None) -> str | None:
    return value if resource.provenance.get(pointer) == _BOUND else None
