"""Where a resource has copies of a store made, where the stores are in the same plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.terraform.draft import Draft
from adapters.terraform.places import read_place
from adapters.terraform.tags import read_tags
from service.model.base import Reason

if TYPE_CHECKING:
    from adapters.terraform.configuration import Configuration
    from adapters.terraform.neighbours import Neighbours
    from adapters.terraform.plan import Item
    from adapters.terraform.reading import Attributes, Path
    from adapters.terraform.types import Copying


class Copies:
    """Reads resources that have copies of a store made.

    Attributes:
        copying: How their type is read.
    """

    def __init__(
        self, copying: Copying, neighbours: Neighbours, configuration: Configuration
    ) -> None:
        self.copying = copying
        self._neighbours = neighbours
        self._configuration = configuration

    def read(
        self, item: Item, attributes: Attributes, draft: Draft, *, provider_adds: bool
    ) -> None:
        """Fill the data that the source holds, and the regions that it is copied to.

        Raises:
            RequestRefused: An attribute has a shape that no provider writes.
        """
        source = self._store(item, attributes, (self.copying.source,))
        held = None if source is None else self._neighbours.state(source)
        if held is None:
            # The store says what data it holds, and it is not in this plan.
            draft.hide("/data", Reason.ELSEWHERE)
        else:
            read_tags(held, self.copying.store.labels, draft, provider_adds=provider_adds)
        targets: dict[str, None] = {}
        for path in self._targets(attributes, draft):
            region = self._region(self._store(item, attributes, path))
            if region is None:
                draft.hide("/replication", Reason.ELSEWHERE)
            else:
                targets[region] = None
        if targets:
            draft.put("replication", tuple(targets))

    def _targets(self, attributes: Attributes, draft: Draft) -> list[Path]:
        """Paths to the names of the stores that copies go to."""
        outer, inner = self.copying.rules
        rules, reason = attributes.items((outer,))
        if reason is not None:
            draft.hide("/replication", reason)
        found: list[Path] = []
        for rule in range(len(rules)):
            destinations, reason = attributes.items((outer, rule, inner))
            if reason is not None:
                draft.hide("/replication", reason)
            found += [
                (outer, rule, inner, index, self.copying.target)
                for index in range(len(destinations))
            ]
        return found

    def _store(self, item: Item, attributes: Attributes, path: Path) -> Item | None:
        """The one store that is named or referred to at *path*."""
        text = attributes.text(path).value
        if text is not None:
            # A name, or arn:aws:s3:::name
            name = text.rpartition(":")[2]
            found = self._neighbours.called(self.copying.store_type, self.copying.name, name)
        else:
            found = self._neighbours.referred(item, path, self.copying.store_type)
        return found[0] if len(found) == 1 else None

    def _region(self, item: Item | None) -> str | None:
        attributes = None if item is None else self._neighbours.state(item)
        if item is None or attributes is None:
            return None
        draft = Draft()
        read_place(self.copying.store, attributes, item, self._configuration, draft)
        region: str | None = draft.fields.get("region")
        return region
