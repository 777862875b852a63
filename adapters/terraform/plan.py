"""A plan as ``terraform show -json`` writes it: which documents are one, and what changes in it.

The format is HashiCorp's (JSON output format, ``format_version`` 0.1 to 1.x): minor versions only
add, so an unknown minor is read and an unknown major is refused.
No value of ``prior_state``, ``planned_values`` or ``output_changes`` is ever read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.errors import RequestRefused
from service.model.base import Change
from service.model.resource import ReplaceOrder
from service.model.sensitive import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WRITE_IT = "Write the plan with `terraform show -json`."
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.|\Z)")

# `forget` ends Terraform's management of something that goes on running: nothing taken changes, and
# a creation beside it comes on top of what was forgotten.
_ACTIONS: dict[tuple[str, ...], tuple[Change, ReplaceOrder | None]] = {
    ("create",): (Change.CREATE, None),
    ("update",): (Change.UPDATE, None),
    ("delete",): (Change.DELETE, None),
    ("read",): (Change.READ, None),
    ("no-op",): (Change.NO_OP, None),
    ("forget",): (Change.NO_OP, None),
    ("create", "delete"): (Change.REPLACE, ReplaceOrder.CREATE_BEFORE_DESTROY),
    ("delete", "create"): (Change.REPLACE, ReplaceOrder.DESTROY_BEFORE_CREATE),
    ("create", "forget"): (Change.CREATE, None),
    ("forget", "create"): (Change.CREATE, None),
}
_TAKES_NOTHING_NEW = frozenset({("no-op",), ("read",), ("delete",), ("forget",)})


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of ``resource_changes``; its values are read only if its type is covered.

    ``address`` names a deposed object apart from the one that took its place.
    """

    address: str
    type: str
    name: str
    module: str
    is_data: bool
    body: Mapping[str, Any]

    @property
    def takes_nothing_new(self) -> bool:
        """Whether the plan leaves it, reads it or takes it away; false if that is not certain."""
        actions = self.body.get("actions")
        return isinstance(actions, list) and tuple(map(str, actions)) in _TAKES_NOTHING_NEW

    def change(self) -> tuple[Change, ReplaceOrder | None]:
        """What happens to it.

        Raises:
            RequestRefused: The actions are none that Terraform writes.
        """
        actions = self.body.get("actions")
        known = _ACTIONS.get(tuple(map(str, actions))) if isinstance(actions, list) else None
        if known is None:
            raise RequestRefused(
                f"`{redact_text(self.address)[:256]}` has unreadable `actions`: "
                "expected those of a Terraform plan",
                hint=_WRITE_IT,
            )
        if known[0] is Change.NO_OP and self.body.get("importing"):
            return Change.IMPORT, None
        return known


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a plan that are read.

    Attributes:
        items: The changes, in the plan's order.
        deferred: Changes that this plan leaves to a later one, so nothing is known about them.
        is_partial: Whether applying it leaves something of the configuration undone.
        configuration: As parsed; only looked at for regions, references and what is configured.
        variables: As parsed; only looked at for a region.
    """

    items: tuple[Item, ...]
    deferred: tuple[Item, ...]
    is_partial: bool
    configuration: Mapping[str, Any]
    variables: Mapping[str, Any]


def read_plan(document: Any) -> Plan:
    """The plan in *document*.

    Raises:
        RequestRefused: It is no plan, is one that failed, or its changes cannot be read.
    """
    if not isinstance(document, dict):
        raise RequestRefused(
            f"the document is {_kind(document)}: expected a Terraform plan", hint=_WRITE_IT
        )
    changes = [] if _is_empty(document) else document.get("resource_changes")
    if changes is None:
        raise _not_a_plan(document)
    _check_version(document.get("format_version"))
    if document.get("errored") not in (None, False):
        raise RequestRefused(
            "the plan failed: `errored` is true, so it does not say all that would change",
            hint="Correct what `terraform plan` reports and write the plan again.",
        )
    items = tuple(_items(changes, "resource_changes"))
    _check_addresses(items)
    deferred = _deferred(document.get("deferred_changes"))
    return Plan(
        items=items,
        deferred=deferred,
        is_partial=bool(deferred) or document.get("complete") is False,
        configuration=_mapping(document.get("configuration")),
        variables=_mapping(document.get("variables")),
    )


def _is_empty(document: Mapping[str, Any]) -> bool:
    """Whether Terraform says that it planned all there is and that this holds no resource.

    It leaves `resource_changes` out then; from any other document the list must not be missing.
    """
    planned = document.get("planned_values")
    return (
        "resource_changes" not in document
        and document.get("complete") is True
        and document.get("errored") is False
        and isinstance(planned, dict)
        and planned.get("root_module") == {}
    )


def _check_version(version: Any) -> None:
    if version is None:
        raise RequestRefused(
            "`format_version` is missing: expected 0.1 or later, below 2.0", hint=_WRITE_IT
        )
    match = _VERSION.match(version) if isinstance(version, str) else None
    if match is None or not (0, 1) <= (int(match[1]), int(match[2])) < (2, 0):
        shown = f"`{version[:32]}`" if isinstance(version, str) else _kind(version)
        raise RequestRefused(
            f"`format_version` is {shown}: expected 0.1 or later, below 2.0", hint=_WRITE_IT
        )


def _not_a_plan(document: Mapping[str, Any]) -> RequestRefused:
    if "values" in document or {"serial", "lineage"} <= document.keys():
        what = "the document is a Terraform state: expected a plan"
    elif document.get("errored") not in (None, False):
        what = "the plan failed: `errored` is true and `resource_changes` is missing"
    elif "planned_values" not in document and document.keys() & {"root_module", "configuration"}:
        what = "the document is a Terraform configuration: expected a plan"
    elif "provider_schemas" in document:
        what = "the document holds provider schemas: expected a plan"
    else:
        what = "`resource_changes` is missing: expected a Terraform plan with changes"
    return RequestRefused(what, hint=_WRITE_IT)


def _items(changes: Any, where: str) -> Iterator[Item]:
    if not isinstance(changes, list):
        raise RequestRefused(f"`{where}` is {_kind(changes)}: expected a list", hint=_WRITE_IT)
    for index, entry in enumerate(changes):
        item = _item(entry)
        if item is None:
            raise RequestRefused(
                f"`{where}[{index}]` cannot be read: expected `address`, `type` and `change`",
                hint=_WRITE_IT,
            )
        yield item


def _item(entry: Any) -> Item | None:
    if not isinstance(entry, dict):
        return None
    address, kind, body = entry.get("address"), entry.get("type"), entry.get("change")
    if not (isinstance(address, str) and address and isinstance(kind, str) and kind):
        return None
    if not isinstance(body, dict):
        return None
    deposed = entry.get("deposed")
    name, module = entry.get("name"), entry.get("module_address")
    return Item(
        address=f"{address} (deposed {deposed})" if isinstance(deposed, str) else address,
        type=kind,
        name=name if isinstance(name, str) else "",
        module=module if isinstance(module, str) else "",
        is_data=entry.get("mode") == "data",
        body=body,
    )


def _check_addresses(items: tuple[Item, ...]) -> None:
    seen: set[str] = set()
    for item in items:
        if item.address in seen:
            raise RequestRefused(
                f"two changes have the address `{redact_text(item.address)[:256]}`: expected one",
                hint=_WRITE_IT,
            )
        seen.add(item.address)


def _deferred(changes: Any) -> tuple[Item, ...]:
    if changes is None:
        return ()
    inner = (
        [entry.get("resource_change") for entry in changes if isinstance(entry, dict)]
        if (isinstance(changes, list))
        else changes
    )
    return tuple(_items(inner, "deferred_changes"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", list: "a list", str: "text", bool: "a truth value"}
    return names.get(type(value), "a number")
