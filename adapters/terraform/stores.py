"""Where a store of data keeps it besides the place that it is put into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.terraform.places import location_of
from service.model.base import Reason

if TYPE_CHECKING:
    from adapters.terraform.draft import Draft
    from adapters.terraform.reading import Attributes, Path
    from adapters.terraform.types import Store


def read_store(store: Store, attributes: Attributes, draft: Draft) -> None:
    """Fill the targets of replication, and whether the vendor keeps a copy in the region's pair.

    The region is there already.

    Raises:
        RequestRefused: An attribute has a shape that no provider writes.
    """
    if store.locations is not None:
        _read_locations(store.locations, attributes, draft)
    if store.redundancy is not None:
        _read_redundancy(*store.redundancy, attributes, draft)
    if store.replication is not None:
        _read_replication(store.replication, attributes, draft)


def _read_locations(path: Path, attributes: Attributes, draft: Draft) -> None:
    """Several regions that hold the same data: it is put into one and replicated to the others."""
    listed, reason = attributes.items(path)
    if reason is not None and attributes.is_configured(path[:1]):
        draft.hide("/replication", reason)
    names: list[str] = []
    for index in range(len(listed)):
        text, why = attributes.text((*path, index))
        name = location_of(text) if text is not None else None
        if name is None:
            unread = Reason.NOT_IN_CATALOG if text is not None else Reason.UNDECLARED
            draft.hide("/replication", why or unread)
        else:
            names.append(name)
    if names:
        draft.unknown.pop("/region", None)
        draft.put("region", names[0])
        draft.put("replication", tuple(names[1:]))


def _read_redundancy(
    path: Path, meanings: dict[str, bool], attributes: Attributes, draft: Draft
) -> None:
    text, reason = attributes.text(path)
    if reason is not None:
        draft.hide("/geo_redundant", reason)
    elif text is not None and text.upper() in meanings:
        draft.put("geo_redundant", meanings[text.upper()])
    elif text is not None:
        draft.hide("/geo_redundant", Reason.NOT_IN_CATALOG)


def _read_replication(path: Path, attributes: Attributes, draft: Draft) -> None:
    """Whether copies are made; the region of a target is that of another bucket."""
    blocks, reason = attributes.items(path)
    if blocks:
        draft.hide("/replication", Reason.ELSEWHERE)
    elif reason is not None and attributes.is_configured(path):
        draft.hide("/replication", reason)
