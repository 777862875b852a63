"""JSON Patch (RFC 6902) as far as patches of ours use it, as strict as the API server about it."""

from __future__ import annotations

import copy
from typing import Any


def patched(document: Any, operations: list[dict[str, Any]]) -> Any:
    """*document* after *operations*.

    Raises:
        LookupError: An operation does not find what it stands on.
    """
    result = copy.deepcopy(document)
    for operation in operations:
        *way, last = (_unescaped(part) for part in operation["path"].split("/")[1:])
        owner = result
        for key in way:
            owner = owner[int(key)] if isinstance(owner, list) else owner[key]
        if operation["op"] == "remove":
            del owner[last]
        elif operation["op"] != "add":
            raise LookupError(operation["op"])
        elif isinstance(owner, list):
            at = len(owner) if last == "-" else int(last)
            if at > len(owner):
                raise LookupError(last)
            owner.insert(at, copy.deepcopy(operation["value"]))
        elif isinstance(owner, dict):
            owner[last] = copy.deepcopy(operation["value"])
        else:
            raise LookupError(last)
    return result


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
