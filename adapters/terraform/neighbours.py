"""Other resources of the same plan that one resource names or refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.terraform.configuration import modules_of
from adapters.terraform.reading import Attributes
from service.errors import RequestRefused
from service.model.sensitive import redact_text

if TYPE_CHECKING:
    from adapters.terraform.configuration import Configuration
    from adapters.terraform.plan import Item, Plan
    from adapters.terraform.reading import Path


class Neighbours:
    """Finds resources of a plan, indexed at the first look-up."""

    def __init__(self, plan: Plan, configuration: Configuration) -> None:
        self._plan = plan
        self._configuration = configuration
        self._by_name: dict[tuple[str, str], list[Item]] | None = None
        self._by_value: dict[tuple[str, str], dict[str, list[Item]]] = {}

    def attributes(self, item: Item, when: str) -> Attributes | None:
        """The attributes of *item* ``after`` the change or ``before`` it; ``None`` without any.

        Raises:
            RequestRefused: They are no values.
        """
        values = item.body.get(when)
        if values is None:
            return None
        if not isinstance(values, dict):
            raise RequestRefused(
                f"`{redact_text(item.address)[:256]}` has an unreadable `{when}`: expected values",
                hint="Write the plan with `terraform show -json`.",
            )
        return Attributes(
            address=item.address,
            values=values,
            unknown=item.body.get("after_unknown") if when == "after" else None,
            sensitive=item.body.get(f"{when}_sensitive"),
            expressions=self._configuration.expressions(item),
        )

    def state(self, item: Item) -> Attributes | None:
        """The attributes of *item* after the change, or before it where it is taken away."""
        return self.attributes(item, "after") or self.attributes(item, "before")

    def referred(self, item: Item, path: Path, kind: str) -> list[Item]:
        """Every instance of the one *kind* of resource that *item* refers to at *path*."""
        found = self._configuration.referenced(item, path, kind)
        if found is None:
            return []
        modules, name = found
        named = self._index().get((kind, name), ())
        return [one for one in named if modules_of(one.module) == modules]

    def called(self, kind: str, attribute: str, value: str) -> list[Item]:
        """Every resource of *kind* whose *attribute* is the text *value*."""
        known = self._by_value.get((kind, attribute))
        if known is None:
            known = self._by_value[kind, attribute] = {}
            for (of_kind, _), named in self._index().items():
                for one in named if of_kind == kind else ():
                    text = _text(self.state(one), attribute)
                    if text is not None:
                        known.setdefault(text, []).append(one)
        return known.get(value, [])

    def _index(self) -> dict[tuple[str, str], list[Item]]:
        if self._by_name is None:
            self._by_name = {}
            for one in self._plan.items:
                if not one.is_data:
                    self._by_name.setdefault((one.type, one.name), []).append(one)
        return self._by_name


def _text(attributes: Attributes | None, attribute: str) -> str | None:
    return None if attributes is None else attributes.text((attribute,)).value
