"""What the organisation knows about the place that a request comes from.

The scope goes before whatever a payload says of itself, because a label is a claim of the one who
asks. One thing is not a claim: the vendor and the region of capacity are part of the call that buys
it, so there the scope only fills in what the payload leaves open. A declaration that the scope
overrules is kept as a contradiction, for rules to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.model.base import Reason, Role, Scope
from service.model.resource import Contradiction, Data

if TYPE_CHECKING:
    from service.bundle.values import Org, ScopeRule
    from service.resolve.draft import Draft

_OWNERSHIP = ("team", "cost_center", "project", "environment")
_FILLED = frozenset({None, Reason.UNDECLARED, Reason.ELSEWHERE})
_YET_TO_COME = frozenset({Reason.AFTER_APPLY, Reason.SENSITIVE})
_REMEMBERED = 4096


@dataclass(frozen=True)
class ScopeFacts:
    """What is known of one scope.

    Attributes:
        ownership: Field of ``ownership``, its pointer, and the value.
        vendor: The only vendor there.
        region: The only region there.
        data: The classes of data that anything there must be taken to hold.
    """

    ownership: tuple[tuple[str, str, str], ...]
    vendor: str | None
    region: str | None
    data: tuple[Data, ...]


class Scopes:
    """Finds the facts of a scope.

    For each value the first matching rule that states one wins. Data classes are a floor and not a
    choice: those of every matching rule hold together.
    """

    def __init__(self, org: Org) -> None:
        self._org = org
        self._found: dict[Scope, ScopeFacts] = {}

    def facts(self, scope: Scope) -> ScopeFacts:
        """What the organisation says of *scope*."""
        found = self._found.get(scope)
        if found is None:
            found = self._match(scope)
            if len(self._found) >= _REMEMBERED:  # scopes come from callers: bound what is kept
                self._found.clear()
            self._found[scope] = found
        return found

    def _match(self, scope: Scope) -> ScopeFacts:
        matching = [rule for rule in self._org.scopes if _matches(rule, scope)]
        stated = {"org": self._org.name}
        for name in (*_OWNERSHIP, "vendor", "region"):
            value = next((v for rule in matching if (v := getattr(rule, name)) is not None), None)
            if value is not None:
                stated[name] = value
        vendor, region = stated.pop("vendor", None), stated.pop("region", None)
        classes = dict.fromkeys(name for rule in matching for name in rule.data_classes)
        return ScopeFacts(
            ownership=tuple((name, f"/ownership/{name}", value) for name, value in stated.items()),
            vendor=vendor,
            region=region,
            data=tuple(Data(data_class=name) for name in classes),
        )


def apply(draft: Draft, facts: ScopeFacts) -> None:
    """Write what the scope says into *draft*."""
    _write_ownership(draft, facts)
    if facts.vendor is not None and _yields(draft, "/vendor", draft.vendor):
        draft.vendor = facts.vendor
        draft.learn("/vendor", "scope")
    # What is bought elsewhere from within a place, as by Crossplane, is in no region of that place.
    is_of_vendor = facts.vendor in {None, draft.vendor}
    if facts.region is not None and is_of_vendor and _yields(draft, "/region", draft.region):
        draft.region = facts.region
        draft.learn("/region", "scope")
    if facts.data:
        raise_to_floor(draft, facts.data, "scope")


def _write_ownership(draft: Draft, facts: ScopeFacts) -> None:
    state = draft.state
    ownership = state.ownership
    # A request that was resolved before no longer shows what was declared: what was found stands.
    resolved = _is_resolved(draft)
    overruled = list(state.contradictions) if resolved else []
    if resolved and (earlier := state.unknown.get("/contradictions")) is not None:
        draft.hide("/contradictions", earlier)
    changed = {}
    for name, pointer, value in facts.ownership:
        declared = getattr(ownership, name)
        if declared != value:
            changed[name] = value
            if name in _OWNERSHIP and _contradicts(draft, pointer, declared, value):
                overruled.append(Contradiction(field=pointer, declared=declared, stated=value))
        hidden = draft.reason(pointer)
        draft.learn(pointer, "scope")
        if hidden in _YET_TO_COME and name in _OWNERSHIP:
            draft.hide("/contradictions", hidden)
    if changed:
        draft.update["ownership"] = ownership.model_copy(update=changed)
    draft.update["contradictions"] = tuple(overruled)


def _is_resolved(draft: Draft) -> bool:
    """Whether the state has been through here; no adapter gives a value to the scope."""
    return draft.provenance.get("/ownership/org") == "scope"


def _contradicts(draft: Draft, pointer: str, declared: str | None, stated: str) -> bool:
    """Whether somebody *declared* something else than the scope states.

    What was read from a common tag (``Env``) was not said to us, and capitals are no difference:
    labels of Google Cloud have none.
    """
    return (
        declared is not None
        and declared.casefold() != stated.casefold()
        and not draft.provenance.get(pointer, "").startswith("inferred:")
    )


def _yields(draft: Draft, pointer: str, current: str | None) -> bool:
    """Whether the scope's vendor or region takes the place of the *current* one."""
    if draft.role is Role.WORKLOAD:
        return True
    return current is None and draft.reason(pointer) in _FILLED


def raise_to_floor(draft: Draft, floor: tuple[Data, ...], source: str) -> None:
    """Add those classes of *floor*, which *source* states, that nobody declares in *draft*."""
    declared: tuple[Data, ...] = draft.update.get("data", draft.state.data)
    held = {item.data_class for item in declared}
    added = tuple(item for item in floor if item.data_class not in held)
    if added:
        for index in range(len(declared), len(declared) + len(added)):
            draft.provenance[f"/data/{index}"] = source
        draft.update["data"] = declared + added


def _matches(rule: ScopeRule, scope: Scope) -> bool:
    for name in Scope.model_fields:
        pattern = getattr(rule.match, name)
        if pattern is None:
            continue
        value = getattr(scope, name)
        if value is None:
            return False
        if pattern.endswith("*"):
            if not value.startswith(pattern[:-1]):
                return False
        elif value != pattern:
            return False
    return True
