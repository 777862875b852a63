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
        stated = constraints.get(label)
        # The selector is one value: with it the affinity can only agree or contradict.
        allowed = stated.allowed if stated is not None else found.allowed
        constraints[label] = Constraint(allowed, found.excluded)
    preferred: dict[str, None] = {}
    for weighted in objects(affinity, "preferredDuringSchedulingIgnoredDuringExecution"):
        term = _all_of(mapping(weighted, "preference"))
        preferred.update(dict.fromkeys(term.get(REGION, _ANYTHING).allowed or ()))
    return Nodes(constraints, tuple(preferred))


def required_by_all(several: list[Nodes]) -> Nodes:
    """What every one of *several* pods requires: together they may run where any of them may."""
    read = [one.constraints for one in several]
    gathered: dict[str, Constraint] = {}
    for label, first in read[0].items():
        found = [one[label] for one in read if label in one]
        if len(found) < len(read):
            continue
        values = [one.allowed for one in found]
        allowed = None
        if None not in values:
            allowed = tuple(dict.fromkeys(name for one in values if one for name in one))
        excluded = [name for name in first.excluded if all(name in one.excluded for one in found)]
        gathered[label] = Constraint(allowed, tuple(excluded))
    preferred = dict.fromkeys(name for one in several for name in one.preferred_regions)
    return Nodes(gathered, tuple(preferred))


class _Gathered:
    """A constraint while it is read; sets that keep their order, so that nothing is quadratic."""

    __slots__ = ("allowed", "excluded")

    def __init__(self) -> None:
        self.allowed: dict[str, None] | None = None
        self.excluded: dict[str, None] = {}

    def allow(self, values: dict[str, None]) -> None:
        """Require one of *values* too; they are passed over if no value would be left."""
        if self.allowed is None:
            self.allowed = values
            return
        few, many = sorted((values, self.allowed), key=len)
        self.allowed = {value: None for value in few if value in many} or self.allowed

    def finish(self) -> Constraint:
        """The constraint; what is excluded is not allowed, unless nothing else is."""
        excluded = tuple(self.excluded)
        if self.allowed is None:
            return Constraint(None, excluded)
        left = tuple(value for value in self.allowed if value not in self.excluded)
        return Constraint(left or tuple(self.allowed), excluded)


def _any_of(terms: list[dict[str, Any]]) -> dict[str, Constraint]:
    """What holds whichever of *terms* a node fulfils; a term without a condition fits no node."""
    read = [
        _all_of(term) for term in terms if term.get("matchExpressions") or "matchFields" in term
    ]
    if not read:
        return {}
    gathered: dict[str, _Gathered] = {}
    for label, first in read[0].items():
        one = gathered[label] = _Gathered()
        one.allowed = None if first.allowed is None else dict.fromkeys(first.allowed)
        one.excluded = dict.fromkeys(first.excluded)
    for term in read[1:]:
        gathered = {label: gathered[label] for label in term if label in gathered}
        for label, one in gathered.items():
            part = term[label]
            if one.allowed is None or part.allowed is None:
                one.allowed = None
            else:
                one.allowed.update(dict.fromkeys(part.allowed))
            one.excluded = {value: None for value in part.excluded if value in one.excluded}
    return {
        label: Constraint(None if one.allowed is None else tuple(one.allowed), tuple(one.excluded))
        for label, one in gathered.items()
    }


def _all_of(term: dict[str, Any]) -> dict[str, Constraint]:
    """What one term requires, all expressions together."""
    found: dict[str, _Gathered] = {}
    for expression in objects(term, "matchExpressions"):
        key, operator = expression.get("key"), expression.get("operator")
        if type(key) is not str or operator not in ("In", "NotIn", "Exists", "Gt"):
            continue
        one = found.setdefault(_RENAMED.get(key, key), _Gathered())
        if operator in ("Exists", "Gt"):
            continue  # the label must be there, whatever it says
        values = dict.fromkeys(texts(expression, "values"))
        if operator == "In":
            one.allow(values)
        else:
            one.excluded.update(values)
    return {label: one.finish() for label, one in found.items()}
