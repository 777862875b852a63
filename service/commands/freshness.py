"""The warning of commands that the list prices of a bundle are old."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from service.bundle.freshness import old_prices
from service.bundle.values import Bundle
from service.model.base import Basis
from service.model.decision import DecidedResource

_LIST_PRICES = (Basis.LIST, Basis.LIST_UNCONFIRMED, Basis.LIST_OTHER_REGION)


class Priced(Protocol):
    """What may rest on prices, such as a decision."""

    @property
    def resources(self) -> Sequence[DecidedResource]:
        """What was decided about."""
        ...


def warn_of_old_prices(bundle: Bundle, decisions: Sequence[Priced] | None = None) -> None:
    """Say on standard error whose list prices are older than the organisation allows.

    With *decisions*, only of vendors whose list prices they rest on.
    """
    used = None if decisions is None else _vendors_of_list_prices(decisions)
    for old in old_prices(bundle, datetime.now(UTC).date()):
        if used is None or old.vendor in used:
            print(
                f"portreeve: warning: the newest list price of `{old.vendor}` is of {old.newest},"
                f" more than {old.limit} days ago; `portreeve catalog import` takes newer ones",
                file=sys.stderr,
            )


def _vendors_of_list_prices(decisions: Sequence[Priced]) -> set[str]:
    return {
        resource.vendor
        for decision in decisions
        for resource in decision.resources
        if resource.vendor and resource.cost is not None and resource.cost.basis in _LIST_PRICES
    }
