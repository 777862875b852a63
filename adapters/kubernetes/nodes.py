"""What node selectors and node affinity say about where a pod may run, and on what.

A pod runs on a node that has every label of ``nodeSelector`` and fulfils at least one term of the
required affinity; within a term every expression holds. So a label is constrained only if the
selector or every term constrains it
(Kubernetes docs, "Assigning Pods to Nodes").
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.kubernetes.payload import mapping, objects, pairs, texts

REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"

_RENAMED = {
    "failure-domain.beta.kubernetes.io/region": REGION,
    "failure-domain.beta.kubernetes.io/zone": ZONE,
    "beta.kubernetes.io/instance-type": INSTANCE_TYPE,
}


class Constraint(NamedTuple):
    """What a label must be: one of ``allowed`` (``None``: anything), none of ``excluded``."""

    allowed: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()

    @property
    def only(self) -> str | None:
        """The single value that is allowed."""
        return self.allowed[0] if self.allowed is not None and len(self.allowed) == 1 else None


class Nodes(NamedTuple):
    """Constraints by label, and the regions that are preferred only."""

    constraints: dict[str, Constraint]
    preferred_regions: tuple[str, ...] = ()

    def only(self, label: str) -> str | None:
        """The single value that *label* must have."""
        found = self.constraints.get(label)
        return found.only if found is not None else None

    def of(self, label: str) -> Constraint:
        """What is required of *label*."""
        return self.constraints.get(label, _ANYTHING)


_ANYTHING = Constraint()


def read_nodes(pod: dict[str, Any]) -> Nodes:
    """The constraints of the pod specification *pod*.

    Raises:
        RequestRefused: A selector or the affinity has another type than the API has there.
    """
    selector = pairs(pod, "nodeSelector")
    constraints = {
        _RENAMED.get(label, label): Constraint((value,)) for label, value in selector.items()
    }
    affinity = mapping(mapping(pod, "affinity"), "nodeAffinity")
    if not affinity:
        return Nodes(constraints)
    required = mapping(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
    for label, found in _any_of(objects(required, "nodeSelectorTerms")).items():
        constraints[label] = _both(constraints.get(label), found)
    preferred: dict[str, None] = {}
    for weighted in objects(affinity, "preferredDuringSchedulingIgnoredDuringExecution"):
        term = _all_of(mapping(weighted, "preference"))
        preferred.update(dict.fromkeys(term.get(REGION, _ANYTHING).allowed or ()))
    return Nodes(constraints, tuple(preferred))


def _any_of(terms: list[dict[str, Any]]) -> dict[str, Constraint]:
    """What holds whichever of *terms* a node fulfils; a term without a condition fits no node."""
    read = [
        _all_of(term) for term in terms if term.get("matchExpressions") or "matchFields" in term
    ]
    if not read:
        return {}
    found: dict[str, Constraint] = {}
    for label in read[0]:
        parts = [term.get(label, _ANYTHING) for term in read]
        excluded = tuple(
            value for value in parts[0].excluded if all(value in part.excluded for part in parts)
        )
        allowed = [part.allowed for part in parts if part.allowed is not None]
        if len(allowed) == len(parts):
            values = tuple(dict.fromkeys(value for part in allowed for value in part))
            found[label] = Constraint(values, excluded)
        else:
            found[label] = Constraint(None, excluded)
    return found


def _all_of(term: dict[str, Any]) -> dict[str, Constraint]:
    """What one term requires, all expressions together."""
    found: dict[str, Constraint] = {}
    for expression in objects(term, "matchExpressions"):
        key, operator = expression.get("key"), expression.get("operator")
        if type(key) is not str or operator not in ("In", "NotIn"):
            continue
        label = _RENAMED.get(key, key)
        values = tuple(texts(expression, "values"))
        part = Constraint(values) if operator == "In" else Constraint(None, values)
        found[label] = _both(found.get(label), part)
    return found


def _both(one: Constraint | None, other: Constraint) -> Constraint:
    """Two constraints at once; the first stays where no value fulfils both."""
    if one is None:
        first = other
    elif one.allowed is None or other.allowed is None:
        allowed = other.allowed if one.allowed is None else one.allowed
        first = Constraint(allowed, (*one.excluded, *other.excluded))
    else:
        common = tuple(value for value in one.allowed if value in other.allowed)
        first = Constraint(common or one.allowed, (*one.excluded, *other.excluded))
    if first.allowed is None or not first.excluded:
        return first
    left = tuple(value for value in first.allowed if value not in first.excluded)
    return Constraint(left or first.allowed, first.excluded)
