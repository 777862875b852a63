"""How many machines of which type a resource takes, how they are bought and what they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.terraform.nodes import count_nodes
from adapters.terraform.types import Counting
from service.model.base import PriceKind, Range, Reason
from service.model.resource import Accelerator, Sharing

if TYPE_CHECKING:
    from adapters.terraform.draft import Draft
    from adapters.terraform.reading import Attributes, Number, Path
    from adapters.terraform.types import Machines

# The one machine family of Compute Engine that accelerators are attached to: all others carry
# theirs by their type or take none (Compute Engine documentation, "About GPUs"). A custom type
# without a family is of this one. Whether a block is configured does not help: a `dynamic` one
# leaves no trace in the plan's configuration.
_ATTACHABLE = ("n1-", "custom-")


def read_machines(covered: Machines, attributes: Attributes, draft: Draft) -> None:
    """Fill type, number, market and accelerators.

    Raises:
        RequestRefused: An attribute has a shape that no provider writes.
    """
    machine, reason = _machine_type(covered, attributes)
    if reason is None:
        draft.put("instance_type", machine)
    else:
        draft.hide("/instance_type", reason)
    nodes = count_nodes(covered.counting, attributes, draft)
    draft.put("nodes", nodes)
    _read_market(covered, attributes, draft)
    if covered.accelerators is not None and not (
        _is_left_open(covered.accelerators, attributes) and not _may_attach(machine)
    ):
        _read_attached(covered.accelerators, attributes, nodes, draft)
    if reason is not None and not draft.fields.get("accelerators"):
        # What the type would bring is not known; `()` would say that there are none.
        draft.fields["accelerators"] = None
        draft.unknown.setdefault("/accelerators", reason)


def _machine_type(covered: Machines, attributes: Attributes) -> tuple[str | None, Reason | None]:
    path = covered.instance_type
    if covered.counting is Counting.EKS:
        names, reason = attributes.items(path)
        if len(names) > 1:
            # Any of them may be started, and only the catalog knows which is the largest.
            return None, Reason.ELSEWHERE
        if reason is None:
            path = (*path, 0)
    value, reason = attributes.text(path)
    if value is not None:
        return value.rpartition("/")[2], None
    if reason is not Reason.SENSITIVE and _has_template(covered, attributes):
        return None, Reason.ELSEWHERE
    return None, reason or Reason.UNDECLARED


def _has_template(covered: Machines, attributes: Attributes) -> bool:
    if covered.template is None:
        return False
    blocks, _ = attributes.items((covered.template,))
    return len(blocks) > 0


def _read_market(covered: Machines, attributes: Attributes, draft: Draft) -> None:
    kinds: set[PriceKind] = set()
    for path, meanings in covered.market:
        value, reason = attributes.read(path)
        if reason is not None:
            # Providers leave what is not configured open until the apply; then it is the default.
            # A `dynamic` block looks the same, and on demand is then the dearer reading.
            if reason is Reason.SENSITIVE or attributes.is_configured(path):
                draft.hide("/price_kind", reason)
            continue
        if value is None or value == "":
            continue
        if not isinstance(value, str | bool):
            raise attributes.refusal(path, "text or a truth value")
        kind = meanings.get(value.lower() if isinstance(value, str) else value)
        if kind is None:
            draft.hide("/price_kind", Reason.NOT_IN_CATALOG)
        else:
            kinds.add(kind)
    for kind in (PriceKind.SPOT, PriceKind.RESERVED):
        if kind in kinds:
            draft.unknown.pop("/price_kind", None)
            draft.put("price_kind", kind)
            return
    if "/price_kind" not in draft.unknown:
        source = "declared" if kinds else "inferred:provider_default"
        draft.put("price_kind", PriceKind.ON_DEMAND, source)


def _is_left_open(path: Path, attributes: Attributes) -> bool:
    return attributes.read(path).reason is Reason.AFTER_APPLY


def _may_attach(machine: str | None) -> bool:
    return machine is None or machine.startswith(_ATTACHABLE)


def _read_attached(path: Path, attributes: Attributes, nodes: Range, draft: Draft) -> None:
    blocks, reason = attributes.items(path)
    if reason is not None:
        draft.fields["accelerators"] = None
        draft.hide("/accelerators", reason)
        return
    attached: list[Accelerator] = []
    for index in range(len(blocks)):
        block = (*path, index)
        count = attributes.number((*block, "count"))
        if count.value == 0:
            continue
        here = f"/accelerators/{len(attached)}"
        name, why = attributes.text((*block, "type"))
        if name is None:
            draft.hide(f"{here}/model", why or Reason.UNDECLARED)
        if count.value is None:
            for part in ("per_worker", "total"):
                draft.hide(f"{here}/{part}", count.reason or Reason.UNDECLARED)
        elif nodes.max is None:
            draft.hide(f"{here}/total", draft.unknown.get("/nodes") or Reason.UNDECLARED)
        attached.append(_attached(name, count, nodes, _sharing(attributes, block)))
    if attached:
        draft.put("accelerators", tuple(attached))


def _attached(name: str | None, count: Number, nodes: Range, sharing: Sharing) -> Accelerator:
    model = name.rpartition("/")[2] if name else None
    per_worker = count.value
    return Accelerator(
        resource=model,
        manufacturer="nvidia" if model and model.startswith("nvidia-") else None,
        model=model,
        sharing=sharing,
        per_worker=per_worker,
        total=Range(min=_times(per_worker, nodes.min), max=_times(per_worker, nodes.max)),
    )


def _sharing(attributes: Attributes, block: Path) -> Sharing:
    """Whether the nodes divide what is attached; bought is the whole device all the same."""
    if attributes.text((*block, "gpu_partition_size")).value:
        return Sharing.MIG
    strategy = (*block, "gpu_sharing_config", 0, "gpu_sharing_strategy")
    return Sharing.TIME_SLICED if attributes.text(strategy).value else Sharing.WHOLE


def _times(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first * second
