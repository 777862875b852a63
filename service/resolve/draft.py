"""One resource, or its former state, while it is being resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from service.model.base import LARGEST_EXACT, Reason, Role
from service.model.pointers import reason_of

if TYPE_CHECKING:
    from service.model.resource import Accelerator, ResourceState

T = TypeVar("T")

OWNED = frozenset(
    {
        "contradictions",
        "cost",
        "country",
        "fit",
        "jurisdictions",
        "operator",
        "operator_countries",
        "operator_jurisdictions",
        "places",
        "software_stack",
    }
)
"""Fields that only resolve writes; whatever a payload says of them is replaced."""


class Draft:
    """The values found so far, beside the frozen state they come from.

    ``update`` collects what one ``model_copy`` writes in the end. Fields that one step writes and a
    later step reads have an attribute of their own.
    """

    __slots__ = (
        "accelerators",
        "provenance",
        "region",
        "role",
        "state",
        "unknown",
        "update",
        "vendor",
    )

    def __init__(self, state: ResourceState, role: Role) -> None:
        self.state = state
        self.role = role
        self.vendor = state.vendor
        self.region = state.region
        self.accelerators: tuple[Accelerator, ...] | None = state.accelerators
        self.update: dict[str, Any] = {}
        self.unknown = _not_owned(state.unknown) if state.unknown else {}
        self.provenance = _not_owned(state.provenance) if state.provenance else {}

    def reason(self, pointer: str) -> Reason | None:
        """Why the value at *pointer* is not known; ``None`` if nothing says that it is not."""
        return reason_of(self.unknown, pointer) if self.unknown else None

    def hide(self, pointer: str, reason: Reason) -> None:
        """Record that the value at *pointer* is not known; an earlier reason stands."""
        if self.reason(pointer) is None:
            self.unknown[pointer] = reason

    def learn(self, pointer: str, source: str) -> None:
        """Record that the value at *pointer*, and all below it, is known from *source*."""
        self.provenance[pointer] = source
        if self.unknown:
            below = pointer + "/"
            for known in [p for p in self.unknown if p == pointer or p.startswith(below)]:
                del self.unknown[known]

    def finish(self) -> dict[str, Any]:
        """Everything to be written, ready for one ``model_copy``; pointers are sorted."""
        state, update = self.state, self.update
        if self.vendor != state.vendor:
            update["vendor"] = self.vendor
        if self.region != state.region:
            update["region"] = self.region
        update["accelerators"] = self.accelerators
        update["unknown"] = dict(sorted(self.unknown.items()))
        update["provenance"] = dict(sorted(self.provenance.items()))
        return update


def exact(amount: int) -> int:
    """*amount*, or the largest integer that every engine represents, which exceeds any limit."""
    return min(amount, LARGEST_EXACT)


def times(count: int | None, factor: int) -> int | None:
    """*count* times *factor*, ``None`` where the count is not known."""
    return None if count is None else exact(count * factor)


def _not_owned(entries: dict[str, T]) -> dict[str, T]:
    return {
        pointer: entry
        for pointer, entry in entries.items()
        if pointer[1:].partition("/")[0] not in OWNED
    }
