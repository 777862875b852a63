"""Partition of a vendor -> who operates it, and under whose law that company stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.model.base import Reason
from service.resolve.tables import Table, table

if TYPE_CHECKING:
    from datetime import date

    from service.resolve.draft import Draft
    from service.resolve.jurisdictions import Jurisdictions


class Operators:
    """Operators by vendor and partition.

    The law of the operator is another matter than the place: who is at home elsewhere, or belongs
    to a company that is, may be bound to obey there as well.
    """

    def __init__(self, catalog: Table, jurisdictions: Jurisdictions) -> None:
        self._operators = table(catalog, "operators")
        self._regions = table(catalog, "regions")
        self._jurisdictions = jurisdictions

    def apply(self, draft: Draft, day: date) -> None:
        """Write the operator and its countries into *draft*, whose region is named already."""
        operator, reason = self._operator(draft)
        if operator is None:
            draft.update.update(operator=None, operator_countries=(), operator_jurisdictions={})
            draft.hide("/operator", reason)
            draft.hide("/operator_countries", reason)
            return
        homes = (operator.get("home_country"), operator.get("parent_country"))
        countries = tuple(dict.fromkeys(country for country in homes if country is not None))
        draft.update.update(
            operator=operator["operator"],
            operator_countries=countries,
            operator_jurisdictions={
                country: self._jurisdictions.of(country, day) for country in countries
            },
        )
        draft.provenance["/operator"] = "catalog"
        if None in homes:
            # What is known stands, and is not all there is.
            draft.hide("/operator_countries", Reason.NOT_IN_CATALOG)
        else:
            draft.provenance["/operator_countries"] = "catalog"

    def _operator(self, draft: Draft) -> tuple[dict[str, Any] | None, Reason]:
        """The row of the operator, or the reason why it is not known."""
        vendor = draft.vendor
        if vendor is None:
            return None, draft.reason("/vendor") or Reason.UNDECLARED
        partitions = self._operators.get(vendor, {})
        row = self._regions.get(vendor, {}).get(draft.region)
        if row is not None:
            return partitions.get(row["partition"] or ""), Reason.NOT_IN_CATALOG
        if len(partitions) == 1:
            return next(iter(partitions.values())), Reason.NOT_IN_CATALOG
        if draft.region is None:
            return None, draft.reason("/region") or Reason.UNDECLARED
        return None, Reason.NOT_IN_CATALOG
