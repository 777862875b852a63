"""Instance types -> the accelerators that they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.model.base import Range, Reason, Role
from service.model.resource import Accelerator, Sharing
from service.resolve.draft import Draft, times
from service.resolve.tables import Table, fold, folded, table

if TYPE_CHECKING:
    from service.resolve.accelerators import Accelerators

_ATTACHED = frozenset({Reason.AFTER_APPLY, Reason.SENSITIVE, Reason.ELSEWHERE})
"""Why accelerators that are attached beside the instance type may not be known."""


class Instances:
    """The instance types of the catalog, and the families that plainly carry no accelerators."""

    def __init__(self, catalog: Table, accelerators: Accelerators) -> None:
        self._types = table(catalog, "instance_types")
        self._families = table(catalog, "instance_families")
        self._spellings = {vendor: folded(rows) for vendor, rows in self._types.items()}
        self._accelerators = accelerators

    def find(self, vendor: str | None, name: str | None) -> Table | None:
        """The row of an instance type; ``None`` if the catalog does not know it."""
        if vendor is None or name is None:
            return None
        rows = self._types.get(vendor, {})
        row: Table | None = rows.get(name)
        if row is None and rows:
            row = rows.get(self._spellings[vendor].get(fold(name), ""))
        return row

    def carries_none(self, vendor: str, name: str) -> bool:
        """Whether the type has no accelerators but those stated beside it.

        The longest prefix decides; families are ``none``, ``attachable`` or ``some``.
        """
        families: dict[str, str] = self._families.get(vendor, {})
        matching = [prefix for prefix in families if name.lower().startswith(prefix.lower())]
        return bool(matching) and families[max(matching, key=len)] != "some"

    def apply(self, draft: Draft) -> str | None:
        """Write the accelerators of capacity into *draft*; the id that the instance type carries.

        Accelerators that a payload states beside a type of the catalog stay when they name the same
        accelerator (a node pool may partition or share it); else the catalog is right.
        """
        name = draft.state.instance_type
        row = self.find(draft.vendor, name)
        carried: str | None = row["accelerator"] if row is not None else None
        if draft.role is Role.CAPACITY:
            if row is not None:
                if not self._agrees(draft.accelerators, row):
                    self._derive(draft, row)
            elif not draft.accelerators:
                self._say_what_is_missing(draft, name)
        return carried

    def _agrees(self, stated: tuple[Accelerator, ...] | None, row: Table) -> bool:
        if not stated:
            return False
        for item in stated:
            if item.model is None:
                return True
            found = self._accelerators.identify(item.model)
            if found is not None and found.id == row["accelerator"]:
                return True
        return False

    def _derive(self, draft: Draft, row: Table) -> None:
        count, nodes = row["count"], draft.state.nodes
        accelerator = row["accelerator"]
        draft.learn("/accelerators", "catalog")
        draft.accelerators = (
            Accelerator(
                manufacturer=self._accelerators.rows[accelerator]["manufacturer"],
                model=accelerator,
                slice=row["slice"],
                sharing=Sharing.FRACTION if row["slice"] else Sharing.WHOLE,
                per_worker=count,
                total=Range(min=times(nodes.min, count), max=times(nodes.max, count)),
            ),
        )
        if nodes.max is None:
            reason = draft.reason("/nodes/max") or Reason.UNDECLARED
            draft.hide("/accelerators/0/total", reason)

    def _say_what_is_missing(self, draft: Draft, name: str | None) -> None:
        if draft.accelerators is None and draft.reason("/accelerators") in _ATTACHED:
            return
        if name is None:
            reason = draft.reason("/instance_type")
            if reason is None and draft.accelerators is not None:
                return  # the payload states that it takes none
            reason = reason or Reason.UNDECLARED
        elif draft.vendor is None:
            reason = draft.reason("/vendor") or Reason.UNDECLARED
        elif self.carries_none(draft.vendor, name):
            draft.accelerators = ()
            draft.learn("/accelerators", "catalog")
            return
        else:
            reason = Reason.NOT_IN_CATALOG
        draft.accelerators = None
        draft.hide("/accelerators", reason)
