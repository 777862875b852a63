"""One resource's attributes at one time, read through the masks that say what is hidden.

A mask has the shape of the values; ``true`` at a leaf or at any parent hides all below it.
``after_sensitive`` does not remove the value it marks, so no other module touches the raw values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from service.errors import RequestRefused
from service.model.base import Reason
from service.model.sensitive import redact_text

Step = str | int
Path = tuple[Step, ...]
T = TypeVar("T")


class Reading(NamedTuple):
    """A value, or why there is none; neither where the attribute is absent or null."""

    value: Any
    reason: Reason | None


class Text(NamedTuple):
    """A redacted text, or why there is none."""

    value: str | None
    reason: Reason | None


class Number(NamedTuple):
    """A count, or why there is none."""

    value: int | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of one resource before or after the change.

    ``expressions`` is what the configuration sets for it, ``None`` where that is not known.
    """

    address: str
    values: Mapping[str, Any]
    unknown: Any
    sensitive: Any
    expressions: Mapping[str, Any] | None = None

    def read(self, path: Path) -> Reading:
        """The raw value at *path*.

        Raises:
            RequestRefused: The path leads through something that has no parts.
        """
        value: Any = self.values
        unknown, sensitive = self.unknown, self.sensitive
        for step in path:
            value = self._part(value, step, path)
            sensitive, unknown = _mask(sensitive, step), _mask(unknown, step)
            if sensitive is True:
                return Reading(None, Reason.SENSITIVE)
            if unknown is True:
                return Reading(None, Reason.AFTER_APPLY)
        return Reading(value, None)

    def text(self, path: Path) -> Text:
        """The text at *path*; empty text is no value.

        Raises:
            RequestRefused: It is no text.
        """
        value, reason = self.read(path)
        if value is None or value == "":
            return Text(None, reason)
        if not isinstance(value, str):
            raise self.refusal(path, "text")
        return Text(redact_text(value), None)

    def number(self, path: Path) -> Number:
        """The whole, non-negative number at *path*.

        Raises:
            RequestRefused: It is no such number.
        """
        value, reason = self.read(path)
        if value is None:
            return Number(None, reason)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.refusal(path, "a whole number of at least 0")
        return Number(value, None)

    def flag(self, path: Path) -> bool:
        """Whether the value at *path* is known and true.

        Raises:
            RequestRefused: It is no truth value.
        """
        value = self.read(path).value
        if value is not None and not isinstance(value, bool):
            raise self.refusal(path, "true or false")
        return value is True

    def items(self, path: Path) -> tuple[Sequence[Any], Reason | None]:
        """The list at *path*; its elements are read by their own paths.

        Raises:
            RequestRefused: It is no list.
        """
        value, reason = self.read(path)
        if value is None:
            return (), reason
        if not isinstance(value, list):
            raise self.refusal(path, "a list")
        return value, None

    def pairs(self, path: Path) -> tuple[dict[str, str], dict[str, Reason], Reason | None]:
        """The map of texts at *path*: what is known, which keys are not, and why none is.

        Raises:
            RequestRefused: It is no map of texts.
        """
        value, reason = self.read(path)
        hidden = self._hidden_keys(path)
        if value is None:
            return {}, hidden, reason
        if not isinstance(value, dict):
            raise self.refusal(path, "a map of texts")
        known: dict[str, str] = {}
        for key, text in value.items():
            if key in hidden or text is None:
                continue
            if not isinstance(text, str):
                raise self.refusal((*path, key), "text")
            known[key] = text
        return known, hidden, None

    def is_configured(self, path: Path) -> bool:
        """Whether the configuration may set what is at *path*; true if it is not known."""
        expressions: Any = self.expressions
        for step in path:
            if isinstance(step, int):
                if not isinstance(expressions, list) or step >= len(expressions):
                    return True
                expressions = expressions[step]
            elif isinstance(expressions, dict):
                if step not in expressions:
                    return False
                expressions = expressions[step]
            else:
                return True
        return True

    def refusal(self, path: Path, expected: str) -> RequestRefused:
        """The error for a value at *path* that is not *expected*; it does not show the value."""
        where = ".".join(str(step) for step in path)[:128]
        return RequestRefused(
            f"`{redact_text(self.address)[:256]}` has an unreadable `{where}`: expected {expected}",
            hint="Write the plan with `terraform show -json`.",
        )

    def _part(self, value: Any, step: Step, path: Path) -> Any:
        if value is None:
            return None
        if isinstance(step, int):
            if not isinstance(value, list):
                raise self.refusal(path, "a list of blocks")
            return value[step] if step < len(value) else None
        if not isinstance(value, dict):
            raise self.refusal(path, "an object")
        return value.get(step)

    def _hidden_keys(self, path: Path) -> dict[str, Reason]:
        hidden: dict[str, Reason] = {}
        for mask, reason in (
            (self.unknown, Reason.AFTER_APPLY),
            (self.sensitive, Reason.SENSITIVE),
        ):
            part = mask
            for step in path:
                part = _mask(part, step)
            if isinstance(part, dict):
                hidden.update({key: reason for key, flag in part.items() if flag is True})
        return hidden


def _mask(mask: Any, step: Step) -> Any:
    if mask is True:
        return True
    if isinstance(step, int):
        return mask[step] if isinstance(mask, list) and step < len(mask) else None
    return mask.get(step) if isinstance(mask, dict) else None
