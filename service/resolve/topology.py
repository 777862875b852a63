"""How accelerators are joined: those of one node, those behind one fast link, the nodes' network.

Facts of the catalog only; whether a workload suits them is said by rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.model.base import Reason, Role

if TYPE_CHECKING:
    from service.model.resource import Accelerator
    from service.resolve.accelerators import Accelerators
    from service.resolve.draft import Draft
    from service.resolve.instances import Instances
    from service.resolve.tables import Table

_LARGEST_INSTANCE = 16
"""Accelerators of the largest instance types (trn1.32xlarge, a2-megagpu-16g): a domain with more
spans instances, as those of NVL72 racks, TPU pods and Trainium UltraServers do."""


class Topology:
    """What the catalog says about the links of accelerators and the networks of instance types."""

    def __init__(self, accelerators: Accelerators, instances: Instances) -> None:
        self._accelerators = accelerators
        self._instances = instances

    def apply(self, draft: Draft) -> None:
        """Add node size, ``scale_up_domain`` and ``fabric`` to the ``fit`` of *draft*.

        Must run after the accelerators are identified and ``fit`` is written.
        """
        if draft.accelerators == ():
            return
        row = self._instances.find(draft.vendor, draft.state.instance_type)
        item = draft.accelerators[0] if draft.accelerators else None
        found: dict[str, Any] = {"fabric": _fabric(draft, row)}
        if row is not None and item is not None and item.model != row["accelerator"]:
            row = None  # the payload names another accelerator than the type carries
        found["accelerators_per_node"] = per_node = _per_node(draft, item, row)
        found["scale_up_domain"] = self._domain(draft, item, per_node)
        known = {name: value for name, value in found.items() if value is not None}
        if known:
            draft.update["fit"] = draft.update["fit"].model_copy(update=known)
            draft.provenance.update({f"/fit/{name}": "catalog" for name in known})

    def _domain(self, draft: Draft, item: Accelerator | None, per_node: int | None) -> int | None:
        """Accelerators behind one fast link.

        What a type carries of linked accelerators is one domain, though the catalog states the
        usual one of eight (two boards of a2-megagpu-16g are joined). A part of a device has no
        link of its own.
        """
        pointer = "/fit/scale_up_domain"
        if item is None or item.model is None or len(draft.accelerators or ()) > 1:
            reason = draft.reason("/accelerators/0/model") or Reason.UNDECLARED
            draft.hide(pointer, reason)
            return None
        if item.slice is not None:
            return 1
        domain: int | None = self._accelerators.rows[item.model]["scale_up_domain"]
        if domain is None:
            draft.hide(pointer, Reason.NOT_IN_CATALOG)
            return None
        if domain == 1 or domain > _LARGEST_INSTANCE or per_node is None:
            return domain
        return per_node


def _fabric(draft: Draft, row: Table | None) -> str | None:
    """The network between instances; nobody has to say on which type a workload runs."""
    if row is not None:
        fabric: str | None = row["fabric"]
        if fabric is None:
            draft.hide("/fit/fabric", Reason.NOT_IN_CATALOG)
        return fabric
    _hide_with_type(draft, "/fit/fabric")
    return None


def _per_node(draft: Draft, item: Accelerator | None, row: Table | None) -> int | None:
    if row is not None:
        count: int = row["count"]
        return count
    if draft.role is Role.CAPACITY and item is not None and item.per_worker is not None:
        return item.per_worker  # attached beside the type
    _hide_with_type(draft, "/fit/accelerators_per_node")
    return None


def _hide_with_type(draft: Draft, pointer: str) -> None:
    """Say why *pointer* is not known, where an instance type is stated or will be."""
    reason = draft.reason("/instance_type")
    if reason is None and draft.state.instance_type is not None:
        reason = Reason.NOT_IN_CATALOG
    if reason is not None:
        draft.hide(pointer, reason)
