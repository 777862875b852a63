"""What the labels of a namespace say about everything in it.

They go before what an object says of itself and after what the organisation states of the place:
whoever may label a namespace answers for it. A class of data is a floor, as that of a scope is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.model.declarations import ASSETS, DATA_ASSET, DATA_CLASS, POINTERS, value_of
from service.model.resource import Contradiction, Data
from service.resolve import scopes
from service.resolve.draft import Draft

if TYPE_CHECKING:
    from service.model.base import Role, Scope
    from service.model.cluster import ClusterFacts
    from service.model.resource import ResourceState
    from service.resolve.scopes import ScopeFacts

SOURCE = "namespace"
DECLARED = "declared"
"""How adapters mark what an object says of itself."""

_COMPARED = frozenset(
    {"/ownership/team", "/ownership/cost_center", "/ownership/project", "/ownership/environment"}
)
_MINUTES = "/lifetime/minutes"

Declared = dict[str, str]
"""Values by name, as in ``NamespaceFacts.declared``."""


def declared_for(cluster: ClusterFacts | None, scope: Scope) -> Declared:
    """What the namespace of *scope* declares; nothing where it is not the one that is known."""
    namespace = cluster.namespace if cluster is not None else None
    if namespace is None or scope.namespace != namespace.name:
        return {}
    return namespace.declared


def begin(state: ResourceState, role: Role, declared: Declared, facts: ScopeFacts) -> Draft:
    """A draft of *state* with what its scope states, and then its namespace has *declared*."""
    changed, overruled, overlaid = _overlaid(state, declared, facts)
    draft = Draft(overlaid, role)
    draft.update.update(changed)
    scopes.apply(draft, facts)
    if overruled:
        draft.update["contradictions"] += tuple(overruled)
    if floor := _floor(declared):
        scopes.raise_to_floor(draft, floor, SOURCE)
    return draft


def _overlaid(
    state: ResourceState, declared: Declared, facts: ScopeFacts
) -> tuple[dict[str, Any], list[Contradiction], ResourceState]:
    """The fields of *state* that the namespace changes, what it overrules, and the result."""
    stated = {pointer for _, pointer, _ in facts.ownership}
    changed: dict[str, Any] = {}
    overruled: list[Contradiction] = []
    unknown, provenance = dict(state.unknown), dict(state.provenance)
    for name, text in declared.items():
        pointer = POINTERS.get(name)
        if pointer is None or pointer in stated or name == DATA_CLASS:
            continue
        if pointer == _MINUTES and _has_deadline(state):
            continue
        value = value_of(name, text)
        if value is None:
            continue
        _, part, *field = pointer.split("/")
        former = getattr(getattr(state, part), field[0]) if field else getattr(state, part)
        if former != value:
            if pointer in _COMPARED and _contradicts(state, pointer, former, value):
                overruled.append(Contradiction(field=pointer, declared=former, stated=value))
            if field:
                base = changed.get(part, getattr(state, part))
                value = base.model_copy(update={field[0]: value})
            changed[part] = value
        unknown.pop(pointer, None)
        provenance[pointer] = SOURCE
    update = {**changed, "unknown": unknown, "provenance": provenance}
    return changed, overruled, state.model_copy(update=update)


def _floor(declared: Declared) -> tuple[Data, ...]:
    """The classes of data that everything in the namespace must be taken to hold."""
    asset = ASSETS.get(declared.get(DATA_ASSET, "").lower())
    names = dict.fromkeys(name.strip() for name in declared.get(DATA_CLASS, "").split(","))
    return tuple(Data(data_class=name, asset=asset) for name in names if name)


def _has_deadline(state: ResourceState) -> bool:
    """Whether the minutes are a deadline that the cluster keeps, which is more than a word."""
    said = state.provenance.get(_MINUTES) in (DECLARED, SOURCE)
    return state.lifetime.minutes is not None and not said


def _contradicts(state: ResourceState, pointer: str, declared: str | None, stated: str) -> bool:
    """Whether the object says otherwise; what was inferred was not said, and capitals are none."""
    return (
        declared is not None
        and declared.casefold() != stated.casefold()
        and not state.provenance.get(pointer, "").startswith("inferred:")
    )
