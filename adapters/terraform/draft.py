"""A resource's state while it is put together: fields, what is not known, and whence each comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.model.base import Reason

DECLARED = "declared"


@dataclass(slots=True)
class Draft:
    """The arguments of a ``ResourceState`` to be."""

    fields: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, Reason] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: Any, source: str = DECLARED) -> None:
        """Set the top-level field *name* and say where it comes from."""
        self.fields[name] = value
        self.provenance[f"/{name}"] = source

    def hide(self, pointer: str, reason: Reason) -> None:
        """Say that what *pointer* points to is not known."""
        self.unknown[pointer] = reason

    def arguments(self) -> dict[str, Any]:
        """What a ``ResourceState`` is made from."""
        return {**self.fields, "unknown": self.unknown, "provenance": self.provenance}
