"""Declared product labels -> accelerators of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from service.model.base import Reason
from service.model.resource import Accelerator, Sharing
from service.resolve.tables import Table, table

if TYPE_CHECKING:
    from service.resolve.draft import Draft

_SHARED = "-SHARED"
_MIG = "-MIG-"


class Identified(NamedTuple):
    """What a product label says: which accelerator, which part of it, and how it is shared."""

    id: str
    slice: str | None = None
    sharing: Sharing | None = None


class Accelerators:
    """The catalog's accelerators by the names that node labels and clouds give them.

    NVIDIA's GPU feature discovery appends ``-MIG-1g.5gb`` to the product of a partitioned card and
    ``-SHARED`` to that of a time-sliced one; with both, the slice is shared too.
    """

    def __init__(self, catalog: Table) -> None:
        self.rows = table(catalog, "accelerators")
        self._names = table(catalog, "accelerator_names")
        self._stacks = self._stacks_by_manufacturer()

    def identify(self, label: str) -> Identified | None:
        """The accelerator that *label* names; ``None`` if the catalog does not know it."""
        found = self._named(label)
        if found is not None:
            return Identified(found)
        sharing: Sharing | None = None
        if label.endswith(_SHARED):
            label, sharing = label.removesuffix(_SHARED), Sharing.TIME_SLICED
        label, partitioned, part = label.partition(_MIG)
        found = self._named(label)
        if found is None:
            return None
        if partitioned:
            return Identified(found, part, sharing or Sharing.MIG)
        return Identified(found, None, sharing)

    def apply(self, draft: Draft, of_instance: str | None) -> None:
        """Replace declared labels in *draft* by ids; *of_instance* is what the instance carries."""
        items = draft.accelerators
        if items:
            draft.accelerators = tuple(
                self._resolved(draft, index, item, of_instance) for index, item in enumerate(items)
            )
        self._write_stack(draft)

    def _resolved(
        self, draft: Draft, index: int, item: Accelerator, of_instance: str | None
    ) -> Accelerator:
        pointer = f"/accelerators/{index}/model"
        if item.model is None:
            # A label that is hidden or unknown may say more than the card: that it is partitioned.
            nameless = (draft.reason(pointer) or Reason.UNDECLARED) is Reason.UNDECLARED
            if (
                of_instance is None
                or not nameless
                or not self.made_by(of_instance, item.manufacturer)
            ):
                draft.hide(pointer, Reason.UNDECLARED)
                return item
            draft.learn(pointer, "inferred:instance_type")
            return item.model_copy(update=self.described(item, Identified(of_instance)))
        found = self.identify(item.model)
        if found is None:
            # More is known than what covers it may say: there is a label, and it is not listed.
            draft.unknown[pointer] = Reason.NOT_IN_CATALOG
            return item.model_copy(update={"model": None})
        update = self.described(item, found)
        if pointer not in draft.provenance or update:
            draft.learn(pointer, "catalog")
        return item.model_copy(update=update) if update else item

    def described(self, item: Accelerator, found: Identified) -> dict[str, Any]:
        """The fields of *item* that are others once it is known to be what was *found*."""
        update: dict[str, Any] = {}
        if item.model != found.id:
            update["model"] = found.id
        if item.manufacturer is None:
            update["manufacturer"] = self.rows[found.id]["manufacturer"]
        if found.slice is not None and item.slice is None:
            update["slice"] = found.slice
        if found.sharing is not None and (item.sharing is None or item.sharing is Sharing.WHOLE):
            update["sharing"] = found.sharing
        return update

    def _named(self, label: str) -> str | None:
        if label in self.rows:
            return label
        found: str | None = self._names.get(label.lower())
        return found

    def made_by(self, accelerator: str, manufacturer: str | None) -> bool:
        """Whether *manufacturer* makes *accelerator*; one that is not known may."""
        return manufacturer is None or manufacturer == self.rows[accelerator]["manufacturer"]

    def _write_stack(self, draft: Draft) -> None:
        """The software that the accelerators run, as names with commas where they differ."""
        stacks: dict[str, None] = {}
        source = "catalog"
        for index, item in enumerate(draft.accelerators or ()):
            if item.model is not None:
                stack = self.rows[item.model]["software_stack"]
            else:
                stack, source = self._stacks.get(item.manufacturer), "inferred:manufacturer"
            if stack is None:
                reason = draft.reason(f"/accelerators/{index}/model") or Reason.NOT_IN_CATALOG
                draft.hide("/software_stack", reason)
                stacks.clear()
                break
            stacks[stack] = None
        if draft.accelerators is None:
            reason = draft.reason("/accelerators") or Reason.UNDECLARED
            draft.hide("/software_stack", reason)
        draft.update["software_stack"] = ",".join(sorted(stacks)) or None
        if stacks:
            draft.provenance["/software_stack"] = source

    def _stacks_by_manufacturer(self) -> dict[str | None, str]:
        """The stack of a manufacturer all of whose accelerators run the same."""
        stacks: dict[str | None, set[str | None]] = {}
        for row in self.rows.values():
            stacks.setdefault(row["manufacturer"], set()).add(row["software_stack"])
        return {
            maker: stack
            for maker, kinds in stacks.items()
            if len(kinds) == 1 and (stack := next(iter(kinds))) is not None
        }
