"""What the nodes of a watched cluster say about a workload that leaves it open.

Where every node on which a workload may run is of one vendor, lies in one region, or has one model
of accelerators, the workload has that too; not the model where other nodes may be added for it.
Provenance says ``inferred:cluster``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.model.base import Reason, Role

if TYPE_CHECKING:
    from service.model.cluster import NodeGroup
    from service.model.resource import Accelerator
    from service.resolve.accelerators import Accelerators
    from service.resolve.draft import Draft

SOURCE = "inferred:cluster"
_FILLED = frozenset({None, Reason.UNDECLARED, Reason.ELSEWHERE})

Groups = tuple["NodeGroup", ...]


class Nodes:
    """Reads nodes with the catalog's names of accelerators."""

    def __init__(self, accelerators: Accelerators) -> None:
        self._accelerators = accelerators

    def identified(self, groups: Groups) -> Groups:
        """*groups* with the catalog's ids of what their labels name."""
        return tuple(
            group.model_copy(update={"model": self._id(group.product)})
            if group.product is not None
            else group
            for group in groups
        )

    def apply(self, draft: Draft, groups: Groups, *, grows: bool) -> None:
        """Write into *draft* what all of its nodes among *groups* have; these are identified.

        *grows* says that nodes with other accelerators may be added.
        """
        if draft.role is not Role.WORKLOAD or draft.accelerators == ():
            return
        excluded = draft.state.region_constraint.excluded
        possible = [group for group in groups if group.region not in excluded]
        if draft.accelerators is None:
            self._place(draft, possible)
            return
        found = [self._nodes_of(item, possible) for item in draft.accelerators]
        if all(found):
            self._place(draft, [group for part in found for group in part])
        if grows:
            return
        draft.accelerators = tuple(
            self._with_model(draft, index, item, part)
            for index, (item, part) in enumerate(zip(draft.accelerators, found, strict=True))
        )

    def _nodes_of(self, item: Accelerator, groups: list[NodeGroup]) -> list[NodeGroup]:
        """Nodes that may have *item*; a class of devices is known by who makes them."""
        if item.resource is not None and "/" in item.resource:
            found = [group for group in groups if group.resource == item.resource]
        elif item.manufacturer is not None:
            found = [group for group in groups if group.manufacturer == item.manufacturer]
        else:
            return []
        model = self._id(item.model) if item.model is not None else None
        return [group for group in found if None in (model, group.model) or group.model == model]

    def _place(self, draft: Draft, groups: list[NodeGroup]) -> None:
        vendors = {group.vendor for group in groups}
        if draft.vendor is None and len(vendors) == 1 and draft.reason("/vendor") in _FILLED:
            draft.vendor = vendors.pop()
            if draft.vendor is not None:
                draft.learn("/vendor", SOURCE)
        regions = {group.region for group in groups}
        if draft.region is None and len(regions) == 1 and draft.reason("/region") in _FILLED:
            draft.region = regions.pop()
            if draft.region is not None:
                draft.learn("/region", SOURCE)

    def _with_model(
        self, draft: Draft, index: int, item: Accelerator, groups: list[NodeGroup]
    ) -> Accelerator:
        pointer = f"/accelerators/{index}/model"
        # A label that is hidden or unknown may say more than the card: that it is partitioned.
        if item.model is not None or draft.reason(pointer) not in (None, Reason.UNDECLARED):
            return item
        products = {group.product for group in groups}
        product = products.pop() if len(products) == 1 else None
        identified = self._accelerators.identify(product) if product is not None else None
        if identified is None or not self._accelerators.made_by(identified.id, item.manufacturer):
            return item
        draft.learn(pointer, SOURCE)
        return item.model_copy(update=self._accelerators.described(item, identified))

    def _id(self, label: str | None) -> str | None:
        identified = self._accelerators.identify(label) if label is not None else None
        return identified.id if identified is not None else None
