"""Paths into an object, and counts that stand somewhere along them.

A path is keys with dots between them: ``spec.template``. ``[]`` after a key takes each object of
the list there, ``{}`` each value of the map, and a key with dots of its own stands in brackets and
quotes: ``metadata.annotations['autoscaling.knative.dev/max-scale']``.

A count is a path and what may follow it: ``|`` another path, read where the first is absent; ``=``
what holds where all are absent (1 unless stated, ``*`` for no bound, ``?`` where
another object says it); ``<`` a path to a number that
is never exceeded; ``/`` a path to a divisor; ``-`` a whole number to take away. The paths of a
count may pass the same lists and maps as the path to the pods that it counts, and mean the same
entry of them. ``.`` is the object itself.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from adapters.kubernetes.payload import mapping, objects, wrong
from service.model.base import LARGEST_EXACT

UNBOUNDED = -1
"""What a count without a bound is read as."""

_SEGMENT = re.compile(r"(?:\.|^)([A-Za-z][A-Za-z0-9_-]*)(\[\]|\{\})?|\['([^'\]]{1,317})'\]")
_PATHS = r"(?:\['[^']*'\]|[^=</'])+?"
_COUNT = re.compile(
    rf"(?P<paths>{_PATHS})(?:=(?P<default>\d{{1,9}}|\*|\?))?"
    rf"(?:<(?P<cap>{_PATHS}))?(?:/(?P<divisor>{_PATHS}))?(?:-(?P<less>\d{{1,4}}))?"
)
_DEFAULTS = {"*": UNBOUNDED, "?": None}
_MOST_ENTRIES = 1000
"""More roles, groups or steps than any real object has."""


class Segment(NamedTuple):
    """A key, and whether each entry of a list (``[]``) or of a map (``{}``) below it is meant."""

    key: str
    each: str = ""


Path = tuple[Segment, ...]


class Found(NamedTuple):
    """The value at the end of a path, and every object that was passed, the outermost first."""

    value: Any
    passed: tuple[dict[str, Any], ...]


class Number(NamedTuple):
    """A path to a number: from the object that was passed as the one of number ``after``."""

    after: int
    keys: tuple[str, ...]


class Count(NamedTuple):
    """A count as its text says it."""

    numbers: tuple[Number, ...]
    default: int | None = 1
    cap: Number | None = None
    divisor: Number | None = None
    less: int = 0


def parse_path(text: str) -> Path:
    """The path that *text* writes.

    Raises:
        ValueError: It is none; says where it stops being one.
    """
    found: list[Segment] = []
    if text == ".":
        return ()
    at = 0
    while at < len(text):
        match = _SEGMENT.match(text, at)
        if match is None or (at == 0 and match[3] is not None):
            raise ValueError(f"`{text}` is no path: `{text[at:][:64]}` is no key")
        found.append(Segment(match[1] or match[3], match[2] or ""))
        at = match.end()
    if not found:
        raise ValueError("the path is empty, expected keys such as `spec.template`")
    return tuple(found)


def parse_count(text: str, along: Path) -> Count:
    """The count that *text* writes, of pods that are found along the path *along*.

    Raises:
        ValueError: It is none, or passes a list or a map that *along* does not pass.
    """
    match = _COUNT.fullmatch(text.replace(" ", ""))
    if match is None:
        raise ValueError(f"`{text}` is no count, expected one such as `spec.replicas=1`")
    default = match["default"]
    return Count(
        tuple(_number(path, along) for path in match["paths"].split("|")),
        _DEFAULTS[default] if default in _DEFAULTS else int(default or 1),
        _number(match["cap"], along) if match["cap"] else None,
        _number(match["divisor"], along) if match["divisor"] else None,
        int(match["less"] or 0),
    )


def _number(text: str, along: Path) -> Number:
    path = parse_path(text)
    after = 0
    for index, (one, other) in enumerate(zip(path, along, strict=False)):
        if one != other:
            break
        if one.each:
            after = index + 1
    keys = path[after:]
    if not keys or any(segment.each for segment in keys):
        raise ValueError(f"`{text}` passes a list or a map that the path to the pods does not")
    return Number(after, tuple(segment.key for segment in keys))


def walk(document: dict[str, Any], path: Path) -> list[Found]:
    """Every object at *path* in *document*; none where a part of the path is absent.

    Raises:
        RequestRefused: A list, a map or an object is something else, or has too many entries.
    """
    return _walk(document, path, 0, (document,)) if path else [Found(document, (document,))]


def _walk(
    owner: dict[str, Any], path: Path, at: int, passed: tuple[dict[str, Any], ...]
) -> list[Found]:
    last = len(path) - 1
    for index in range(at, len(path)):
        key, each = path[index]
        if each:
            entries = _entries(owner, key, each)
            if index == last:
                return [Found(entry, passed) for entry in entries]
            return [
                found
                for entry in entries
                for found in _walk(entry, path, index + 1, (*passed, entry))
            ]
        value = owner.get(key)
        if value is None:
            return []
        owner = value if type(value) is dict else mapping(owner, key)
        if index < last:
            passed = (*passed, owner)
    return [Found(owner, passed)]


def _entries(owner: dict[str, Any], key: str, each: str) -> list[dict[str, Any]]:
    if each == "[]":
        found = objects(owner, key)
    else:
        found = [mapping(values, name) for values in (mapping(owner, key),) for name in values]
    if len(found) > _MOST_ENTRIES:
        raise wrong(key, owner.get(key), f"at most {_MOST_ENTRIES} entries")
    return found


def read_number(passed: tuple[dict[str, Any], ...], number: Number) -> tuple[bool, int | None]:
    """Whether something stands at *number*, and the number; ``None`` where it counts nothing."""
    if number.after >= len(passed):
        return False, None
    owner = passed[number.after]
    for key in number.keys[:-1]:
        owner = mapping(owner, key)
    value = owner.get(number.keys[-1])
    if value is None:
        return False, None
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= 9:
        value = int(value)
    return True, value if type(value) is int and 0 <= value <= LARGEST_EXACT else None


def read_count(passed: tuple[dict[str, Any], ...], count: Count) -> int | None:
    """What *count* says in an object; ``None`` where a value there counts nothing."""
    result: int | None = count.default
    for number in count.numbers:
        is_there, found = read_number(passed, number)
        if is_there:
            result = found
            break
    if count.default == UNBOUNDED and result == 0:
        return UNBOUNDED  # zero is how kinds that may grow without a bound say so
    if result is None or result == UNBOUNDED:
        return result
    if count.cap is not None:
        is_there, cap = read_number(passed, count.cap)
        if is_there and cap is not None:
            result = min(result, cap)
    if count.divisor is not None:
        is_there, divisor = read_number(passed, count.divisor)
        if is_there and divisor:
            result = max(result // divisor, 1)
    return max(result - count.less, 0)


def is_there(document: dict[str, Any], path: Path) -> bool:
    """Whether anything stands at *path*.

    Raises:
        RequestRefused: A part of the path has another type.
    """
    *above, (key, _) = path
    if not above:
        return document.get(key) is not None
    return any(found.value.get(key) is not None for found in walk(document, tuple(above)))


def value_at(document: dict[str, Any], path: Path) -> Any:
    """The value at *path*, which passes no list and no map; ``None`` where there is none.

    Raises:
        RequestRefused: A part of the path is no object.
    """
    for key, _ in path[:-1]:
        document = mapping(document, key)
    return document.get(path[-1].key)
