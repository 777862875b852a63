"""One form in bytes for equal values, and its digest.

The form of a model is compact JSON in UTF-8: fields in the order in which the model declares them,
keys of maps sorted, and no nulls. ``accelerators`` is the exception, because ``null`` (not known)
and left out (none) mean different things there. A stored body is hashed as it is stored; nobody
has to build the form again in order to check a digest. Declared order and not sorted order, because
pydantic then writes the bytes itself, four times as fast.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from service.model.request import Request

if TYPE_CHECKING:
    from service.model.resource import Resource, ResourceState

_MAPS = ("labels", "provenance", "unknown")


def canonical(value: BaseModel | dict[str, Any] | list[Any]) -> bytes:
    """*value* as bytes that are equal for equal values."""
    if not isinstance(value, BaseModel):
        return _compact(value, sort=True)
    if isinstance(value, Request):
        value = ordered(value)
    if any(_hides_accelerators(item) for item in getattr(value, "resources", ())):
        return _compact(_without_nulls(value.model_dump(mode="json")), sort=False)
    return value.model_dump_json(exclude_none=True).encode()


def digest(content: bytes) -> str:
    """``sha256:`` and the hexadecimal SHA-256 of *content*."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _compact(value: object, *, sort: bool) -> bytes:
    text = json.dumps(value, sort_keys=sort, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _hides_accelerators(resource: Any) -> bool:
    before = getattr(resource, "before", None)
    return resource.accelerators is None or (before is not None and before.accelerators is None)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_nulls(item)
            for key, item in value.items()
            if item is not None or key == "accelerators"
        }
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def ordered(request: Request) -> Request:
    """*request* with its maps sorted by key, so that equal requests have equal bytes."""
    resources = tuple(_sorted_resource(item) for item in request.resources)
    if all(new is old for new, old in zip(resources, request.resources, strict=True)):
        return request
    return request.model_copy(update={"resources": resources})


def _sorted_resource(resource: Resource) -> Resource:
    update: dict[str, Any] = _sorted_maps(resource)
    if resource.before is not None and (former := _sorted_maps(resource.before)):
        update["before"] = resource.before.model_copy(update=former)
    return resource.model_copy(update=update) if update else resource


def _sorted_maps(state: ResourceState) -> dict[str, Any]:
    """Those maps of *state* that are not sorted by key yet, sorted."""
    update = {}
    for name in _MAPS:
        entries = getattr(state, name)
        if len(entries) > 1:
            keys = list(entries)
            ordered = sorted(keys)
            if keys != ordered:
                update[name] = {key: entries[key] for key in ordered}
    return update
