"""Why the values that a finding misses are not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from service.model.base import Reason
from service.model.pointers import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from service.model.request import Asked, Request, Total
    from service.model.resource import Resource

_TOTALS, _BUDGETS, _USAGE = "/context/totals/", "/context/budgets/", "/context/usage/"

T = TypeVar("T")


class Reasons:
    """Looks pointers of findings up in the resources of one request."""

    def __init__(self, request: Request) -> None:
        self._context = request.context
        self._resources: dict[str, list[Resource]] = {}
        for resource in request.resources:
            self._resources.setdefault(resource.address, []).append(resource)

    def at(self, address: str) -> list[Resource]:
        """The resources with that address: one, unless a request names it twice."""
        return self._resources.get(address, [])

    def of(self, address: str | None, pointer: str) -> tuple[Reason, ...]:
        """Why the value at *pointer* is not known; ``undeclared`` where nothing says why.

        A value that is there, and that a rule cannot judge all the same, is one that a table lacks:
        a misspelt class of data is ``not_in_catalog``, not undeclared.

        Without an *address* the finding is about the request: a pointer at a total's ``unpriced``,
        or at what a budget leaves ``uncounted``, has the reasons of the prices that are missing;
        one at an amount or a currency is about prices that are no firm ones, which is a matter of
        the catalog; what else the context lacks is what the organisation did not state.
        """
        if address is not None:
            found = {why for each in self.at(address) for why in _reasons_at(each.unknown, pointer)}
            if not found and any(_is_stated(each, pointer) for each in self.at(address)):
                found = {Reason.NOT_IN_CATALOG}
            return _listed(found) or (Reason.UNDECLARED,)
        total, asked = self._total(pointer), self._asked(pointer)
        if total is None and asked is None:
            return (Reason.UNDECLARED,)
        unpriced: Sequence[str] = ()
        if total is not None and pointer.endswith("/unpriced"):
            unpriced = total.unpriced
        elif asked is not None and pointer.endswith("/uncounted"):
            unpriced = asked.uncounted
        prices = (each for name in unpriced for each in self.at(name))
        return _listed({why for each in prices for why in _price_reasons(each)}) or (
            Reason.NOT_IN_CATALOG,
        )

    def team(self, pointers: Iterable[str]) -> str | None:
        """The team of the first total or row of usage that one of *pointers* points at."""
        rows = (
            self._total(pointer) or _at(self._context.usage, _USAGE, pointer)
            for pointer in pointers
        )
        return next((row.team for row in rows if row is not None), None)

    def _total(self, pointer: str) -> Total | None:
        return _at(self._context.totals, _TOTALS, pointer)

    def _asked(self, pointer: str) -> Asked | None:
        """What the request adds to the budget whose amounts *pointer* points at."""
        budget = _at(self._context.budgets, _BUDGETS, pointer)
        return budget.asked if budget is not None and "/asked/" in pointer else None


def _at(rows: Sequence[T], prefix: str, pointer: str) -> T | None:
    if not pointer.startswith(prefix):
        return None
    index = pointer.removeprefix(prefix).partition("/")[0]
    if not (index.isascii() and index.isdecimal()) or int(index) >= len(rows):
        return None
    return rows[int(index)]


def _reasons_at(unknown: Mapping[str, Reason], pointer: str) -> set[Reason]:
    """The reason of *pointer* or of what covers it; else those of everything below it."""
    covering = reason_of(unknown, pointer)
    if covering is not None:
        return {covering}
    below = pointer + "/"
    return {reason for at, reason in unknown.items() if at.startswith(below)}


def _is_stated(resource: Resource, pointer: str) -> bool:
    """Whether there is a single value at *pointer*."""
    value: object = resource.model_dump(mode="json")
    for part in pointer[1:].split("/"):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdecimal():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return False
    return value is not None and not isinstance(value, dict | list)


def _price_reasons(resource: Resource) -> set[Reason]:
    """Why the price is not known, now or before the change."""
    found = _reasons_at(resource.unknown, "/cost")
    if not found and resource.before is not None:
        found = _reasons_at(resource.before.unknown, "/cost")
    return found


def _listed(reasons: set[Reason]) -> tuple[Reason, ...]:
    """*reasons* in the order in which the model lists them, so that the result is stable."""
    return tuple(reason for reason in Reason if reason in reasons)
