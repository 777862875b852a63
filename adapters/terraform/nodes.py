"""How many machines a resource takes at its smallest and at its largest.

The largest size counts: an autoscaler may reach its maximum without asking anybody again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.terraform.reading import Number
from adapters.terraform.types import Counting
from service.model.base import LARGEST_EXACT, Range, Reason

if TYPE_CHECKING:
    from adapters.terraform.draft import Draft
    from adapters.terraform.reading import Attributes

_ONE = Number(1, None)


def count_nodes(counting: Counting, attributes: Attributes, draft: Draft) -> Range:
    """The number of machines; bounds that are not known are ``None`` and hidden in *draft*.

    Raises:
        RequestRefused: An attribute has a shape that no provider writes.
    """
    if counting is Counting.ONE:
        return Range(min=1, max=1)
    bounds = {Counting.EKS: _eks, Counting.GKE: _gke, Counting.AKS: _aks}[counting]
    low, high = bounds(attributes)
    if high.value is None:
        reason = high.reason or low.reason or Reason.UNDECLARED
        draft.hide("/nodes" if low.value is None else "/nodes/max", reason)
    elif low.value is None:
        draft.hide("/nodes/min", low.reason or Reason.UNDECLARED)
    return Range(min=low.value, max=high.value)


def _eks(attributes: Attributes) -> tuple[Number, Number]:
    block = ("scaling_config", 0)
    low = attributes.number((*block, "min_size"))
    high = attributes.number((*block, "max_size"))
    return low if low.value is not None else Number(0, None), high


def _aks(attributes: Attributes) -> tuple[Number, Number]:
    high = attributes.number(("max_count",))
    # `enable_auto_scaling` was renamed in provider version 4.
    scales = attributes.flag(("auto_scaling_enabled",)) or attributes.flag(("enable_auto_scaling",))
    if scales or high.value is not None:
        return attributes.number(("min_count",)), high
    count = attributes.number(("node_count",))
    return count, count


def _gke(attributes: Attributes) -> tuple[Number, Number]:
    blocks, reason = attributes.items(("autoscaling",))
    if reason is not None:
        return Number(None, reason), Number(None, reason)
    zones = _zones(attributes)
    if not blocks:
        count = attributes.number(("node_count",))
        if count.value is None:
            initial = attributes.number(("initial_node_count",))
            count = initial if initial.value is not None else count
        return _in_zones(count, zones)
    block = ("autoscaling", 0)
    total = attributes.number((*block, "total_max_node_count"))
    # 0 is the provider's way to say that a limit is not set.
    if total.value or total.reason is not None:
        low = attributes.number((*block, "total_min_node_count"))
        return low if low.value is not None else Number(0, None), total
    low, _ = _in_zones(attributes.number((*block, "min_node_count")), zones)
    _, high = _in_zones(attributes.number((*block, "max_node_count")), zones)
    return low if low.value is not None else Number(0, None), high


def _in_zones(per_zone: Number, zones: Number) -> tuple[Number, Number]:
    """Bounds of a count per zone; how many zones of a region it runs in may be open."""
    if per_zone.value is None or zones.value is None:
        reason = per_zone.reason or zones.reason
        return (per_zone if per_zone.value is not None else Number(None, reason)), Number(
            None, reason
        )
    total = Number(min(per_zone.value * zones.value, LARGEST_EXACT), None)
    return total, total


def _zones(attributes: Attributes) -> Number:
    names, reason = attributes.items(("node_locations",))
    if names:
        return Number(len(names), None)
    place = attributes.text(("location",)).value or attributes.text(("zone",)).value or ""
    if place.count("-") >= 2:
        return _ONE
    return Number(None, reason or Reason.UNDECLARED)
