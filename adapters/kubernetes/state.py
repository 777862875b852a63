"""A resource's state while it is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.model.base import Reason


class State:
    """The fields of a ``ResourceState`` to be, as one plain document that is validated once.

    Attributes:
        fields: The document.
        unknown: By pointer, why a value is not known.
        provenance: By pointer, where a value comes from if not from the object's own fields.
    """

    __slots__ = ("fields", "provenance", "unknown")

    def __init__(self) -> None:
        self.unknown: dict[str, Reason] = {}
        self.provenance: dict[str, str] = {}
        self.fields: dict[str, Any] = {"unknown": self.unknown, "provenance": self.provenance}

    def put(self, pointer: str, value: Any, source: str) -> None:
        """Set the field, or the field of a part, that *pointer* names, unless it is set already.

        A value that is known to be unknown stays so: whoever spoke first is believed.
        """
        if pointer in self.provenance or pointer in self.unknown:
            return
        _, part, *field = pointer.split("/")
        if field:
            self.fields.setdefault(part, {})[field[0]] = value
        else:
            self.fields[part] = value
        self.provenance[pointer] = source

    def hide(self, pointer: str, reason: Reason) -> None:
        """Say that the value at *pointer* is not known, unless somebody already said it."""
        if pointer not in self.provenance:
            self.unknown.setdefault(pointer, reason)
