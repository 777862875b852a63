"""Typed access to a payload that somebody else wrote.

What is absent or ``null`` is empty, as for the API server. What has another type than the API
server would take is refused: read as nothing, it would hide what it holds.
"""

from __future__ import annotations

from typing import Any

from service.errors import RequestRefused

CODE = "SYS-INPUT-PAYLOAD"

_NOTHING: dict[str, Any] = {}
_TYPES = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}


def mapping(owner: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at *key*; an empty one, not to be changed, where there is none.

    Raises:
        RequestRefused: Something else is there.
    """
    value = owner.get(key)
    if type(value) is dict:
        return value
    if value is None:
        return _NOTHING
    raise wrong(key, value, "an object")


def objects(owner: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list at *key*; none where there is no list.

    Raises:
        RequestRefused: Something else is there, or in the list.
    """
    value = owner.get(key)
    if value is None:
        return []
    if type(value) is not list:
        raise wrong(key, value, "a list")
    for item in value:
        if type(item) is not dict:
            raise wrong(key, item, "a list of objects")
    return value


def texts(owner: dict[str, Any], key: str) -> list[str]:
    """The texts in the list at *key*; a number that somebody forgot to quote counts as text.

    Raises:
        RequestRefused: Something else is there, or in the list.
    """
    value = owner.get(key)
    if value is None:
        return []
    if type(value) is not list:
        raise wrong(key, value, "a list")
    return [item if type(item) is str else _scalar(key, item) for item in value]


def text(owner: dict[str, Any], key: str) -> str | None:
    """The text at *key*; ``None`` where there is none or an empty one.

    Raises:
        RequestRefused: Something else is there.
    """
    value = owner.get(key)
    if type(value) is str:
        return value or None
    if value is None:
        return None
    raise wrong(key, value, "a text")


def pairs(owner: dict[str, Any], key: str) -> dict[str, str]:
    """The texts by name at *key*; a number that somebody forgot to quote counts as text.

    Raises:
        RequestRefused: Something else is there, or in it.
    """
    value = mapping(owner, key)
    for item in value.values():
        if type(item) is not str:
            return {name: _scalar(key, item) for name, item in value.items()}
    return value


def count(owner: dict[str, Any], key: str) -> int | None:
    """The number at *key*; ``None`` where there is none, or none that counts anything."""
    value = owner.get(key)
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def wrong(key: str, value: Any, expected: str) -> RequestRefused:
    """The refusal for a value of another type than the API has there."""
    found = _TYPES.get(type(value), "a number" if value is not None else "null")
    return RequestRefused(
        f"`{key}` is {found}, expected {expected}",
        hint="Send the object as the API server would take it.",
        code=CODE,
    )


def _scalar(key: str, value: Any) -> str:
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return str(value)
    raise wrong(key, value, "texts")
