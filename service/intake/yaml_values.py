"""YAML events to plain values, without what makes YAML dangerous.

PyYAML's own constructors recurse, take the last of two equal keys, resolve dates, sexagesimal
numbers and Python tags, and follow aliases without a bound. This reads the events of libyaml one
by one instead and stops at the first thing that JSON could not hold. Plain scalars mean what they
mean to ``kubectl`` (YAML 1.1 without sexagesimal numbers and dates).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from service.errors import RequestRefused
from service.intake.text import MAX_DEPTH, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ALIASED_VALUES = 100_000

_CORE = "tag:yaml.org,2002:"
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_NUMERIC = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|(?:0|[1-9][0-9_]*))\Z", re.ASCII
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_MAX_DIGITS = 400
_RESOLVED = frozenset(_CORE + name for name in ("int", "float", "bool", "null"))
_TEXT_TAGS = frozenset({"!", *(_CORE + name for name in ("str", "binary", "timestamp"))})
_ALIASES = "SYS-INPUT-YAML-ALIASES"
_MERGE = "<<"
_ABSENT = object()


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; *weight* counts its values with aliases expanded."""

    value: Any
    anchor: str | None
    weight: int = 1
    key: Any = _ABSENT
    merging: bool = False
    merged: list[dict[str, Any]] = field(default_factory=list)

    def awaits_key(self) -> bool:
        """Whether the next value is the key of a mapping."""
        return self.key is _ABSENT and type(self.value) is dict


def yaml_values(text: bytes, *, what: str) -> Iterator[Any]:
    """The value of each document of *text*, which is UTF-8.

    Raises:
        RequestRefused: It is no YAML, or holds what JSON cannot hold.
    """
    try:
        loader = yaml.CSafeLoader(text)
        try:
            while (event := loader.get_event()) is not None:
                if type(event) is yaml.DocumentStartEvent:
                    yield _Document(loader, what).read()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _refusal(error, what) from None


class _Document:
    """Reads the events of one document."""

    def __init__(self, loader: yaml.CSafeLoader, what: str) -> None:
        self._loader = loader
        self._what = what
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliased = 0
        self._root: Any = None

    def read(self) -> Any:
        """The document's value; the loader stands behind it afterwards."""
        get_event = self._loader.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._add_scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._begin(event, {}, "map")
            elif kind is yaml.SequenceStartEvent:
                self._begin(event, [], "seq")
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end(event)
            elif kind is yaml.AliasEvent:
                self._add_alias(event)
            else:
                return self._root

    def _add_scalar(self, event: Any) -> None:
        if self._open and self._open[-1].awaits_key():
            self._begin_pair(
                event.value, event, merging=event.value == _MERGE and event.implicit[0]
            )
            if event.anchor is not None:
                self._anchors[event.anchor] = (event.value, 1)
            return
        value = self._scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, 1, event)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if (event.implicit[0] and tag is None) or tag in _RESOLVED:
            try:
                return _plain(event.value)
            except ValueError:
                self._refuse("holds a number that JSON cannot hold", event, "SYS-INPUT-NUMBER")
        if not event.implicit[1] and tag not in _TEXT_TAGS:
            self._refuse_tag(event)
        return event.value

    def _begin(self, event: Any, value: Any, name: str) -> None:
        if event.tag is not None and event.tag not in {"!", _CORE + name}:
            self._refuse_tag(event)
        if len(self._open) >= MAX_DEPTH:
            self._refuse(f"is nested more than {MAX_DEPTH} deep", event, "SYS-INPUT-DEPTH")
        if self._open and self._open[-1].awaits_key():
            self._refuse("has a key that is no text", event, "SYS-INPUT-SYNTAX")
        if event.anchor is not None:
            self._anchors.pop(event.anchor, None)
        self._open.append(_Open(value, event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        for source in done.merged:
            for key, value in source.items():
                done.value.setdefault(key, value)
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.value, done.weight)
        self._add(done.value, done.weight, event)

    def _add_alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._refuse("has an alias to nothing or to itself", event, _ALIASES)
        value, weight = self._anchors[event.anchor]
        self._aliased += weight
        if self._aliased > MAX_ALIASED_VALUES:
            self._refuse(f"has aliases for more than {MAX_ALIASED_VALUES} values", event, _ALIASES)
        if not (self._open and self._open[-1].awaits_key()):
            self._add(value, weight, event)
        elif type(value) is str:
            self._begin_pair(value, event, merging=False)
        else:
            self._refuse("has a key that is no text", event, "SYS-INPUT-SYNTAX")

    def _begin_pair(self, key: str, event: Any, *, merging: bool) -> None:
        parent = self._open[-1]
        if key in parent.value and not merging:
            shown = printable(key)
            self._refuse(f"has the key `{shown}` twice", event, "SYS-INPUT-DUPLICATE-KEY")
        parent.key = key
        parent.merging = merging

    def _add(self, value: Any, weight: int, event: Any) -> None:
        if not self._open:
            self._root = value
            return
        parent = self._open[-1]
        parent.weight += weight
        if type(parent.value) is list:
            parent.value.append(value)
            return
        if parent.merging:
            sources = value if type(value) is list else [value]
            if not all(type(source) is dict for source in sources):
                self._refuse("merges what is no mapping", event, "SYS-INPUT-SYNTAX")
            parent.merged.extend(sources)
        else:
            parent.value[parent.key] = value
        parent.key = _ABSENT
        parent.merging = False

    def _refuse_tag(self, event: Any) -> NoReturn:
        tag = printable(event.tag.replace(_CORE, "!!"))
        self._refuse(f"has the tag `{tag}`, expected plain values", event, "SYS-INPUT-YAML-TAG")

    def _refuse(self, problem: str, event: Any, code: str) -> NoReturn:
        line = event.start_mark.line + 1
        raise RequestRefused(f"{self._what} {problem} at line {line}", code=code)


def _plain(text: str) -> Any:
    """What the plain scalar *text* stands for.

    Raises:
        ValueError: It is a number that JSON cannot hold.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.match(text):
        return _integer(text.replace("_", ""))
    if _FLOAT.match(text):
        number = float(text.replace("_", ""))
        if math.isinf(number):
            raise ValueError
        return number
    if _NOT_FINITE.match(text):
        raise ValueError
    return text


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return int(text, 8 if octal else 0)


def _refusal(error: yaml.YAMLError, what: str) -> RequestRefused:
    """The refusal for an error of libyaml."""
    if isinstance(error, yaml.reader.ReaderError):
        return RequestRefused(
            f"{what} holds a character that YAML does not allow, or is not UTF-8",
            hint="Send it as UTF-8, without control characters.",
            code="SYS-INPUT-ENCODING",
        )
    mark = getattr(error, "problem_mark", None)
    where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    cause = printable(getattr(error, "problem", None) or "no more is known")
    return RequestRefused(f"{what} is not YAML{where}: {cause}", code="SYS-INPUT-SYNTAX")
