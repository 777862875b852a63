"""Node pools that are objects of a cluster: capacity that is bought when it is asked for there."""

from __future__ import annotations

import re
from typing import Any

from adapters.kubernetes import declared, labels
from adapters.kubernetes.counting import MOST_RESOURCES
from adapters.kubernetes.devices import DEVICE, device_of
from adapters.kubernetes.kinds import Capacity, Kind, Template
from adapters.kubernetes.managed import in_zones, is_spot, place_of, plain, put_attached
from adapters.kubernetes.nodes import INSTANCE_TYPE, REGION, ZONE, Nodes, read_nodes
from adapters.kubernetes.parts import ONE, Bounds, read_size
from adapters.kubernetes.paths import is_there, value_at
from adapters.kubernetes.payload import mapping, objects, pairs, wrong
from adapters.kubernetes.quantities import whole
from adapters.kubernetes.state import State
from adapters.kubernetes.workloads import Described, put_facts_of_kind
from service.model.base import PriceKind, Reason

_FAMILIES = (
    "karpenter.k8s.aws/instance-category",
    "karpenter.k8s.aws/instance-family",
    "eks.amazonaws.com/instance-category",
    "eks.amazonaws.com/instance-family",
    "karpenter.azure.com/sku-family",
)
_ACCELERATED_FAMILY = re.compile(r"(?:g|p|dl|trn|inf|f|vt|N)\w*", re.ASCII)
"""Families of instances with accelerators: of AWS in small letters, of Azure in capitals."""

_VENDOR_LABELS = {"karpenter.azure.com/": "azure"}
_AZURE_SIZE = "Standard_"


def describe_capacity(document: dict[str, Any], kind: Kind, capacity: Capacity) -> Described:
    """The state that the node pool *document* asks for.

    Raises:
        RequestRefused: A part has another type than its API has there.
    """
    state = State()
    metadata = [mapping(document, "metadata")]
    found = declared.read_declarations(metadata)
    if found:
        declared.apply(found, state)
    if capacity.managed is not None:
        document = plain(document)
    nodes = _required(document, capacity)
    size = _put_nodes(state, document, capacity)
    _put_instance(state, document, kind, nodes)
    if capacity.managed is not None:
        put_attached(state, document, capacity.managed, size)
    if capacity.limits is not None:
        _put_limits(state, document, capacity, nodes)
    _put_place(state, document, capacity, nodes)
    put_facts_of_kind(state, document, kind)
    if shown := declared.shown_labels(metadata[0]):
        state.fields["labels"] = shown
    return Described(state.fields, [])


def _required(document: dict[str, Any], capacity: Capacity) -> Nodes:
    """Requirements of the pool, which are written as those of a node affinity are."""
    if capacity.requirements is None:
        return Nodes({})
    *above, last = capacity.requirements
    owner = document
    for key, _ in above:
        owner = mapping(owner, key)
    terms = [{"matchExpressions": objects(owner, last.key)}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return read_nodes({"affinity": {"nodeAffinity": required}})


def _put_nodes(state: State, document: dict[str, Any], capacity: Capacity) -> Bounds:
    nodes = ONE
    if capacity.nodes is not None:
        size = Template((), copies=(capacity.nodes,), scaled=capacity.scaled)
        nodes, _ = read_size(size, (document,))
    if capacity.managed is not None:
        nodes = in_zones(nodes, document, capacity.managed, _stated_place(document, capacity))
    state.fields["nodes"] = {"min": nodes.least, "max": nodes.most}
    if nodes.most is None:
        state.hide("/nodes" if nodes.least is None else "/nodes/max", _reason(nodes))
    return nodes


def _reason(bounds: Bounds) -> Reason:
    return bounds.reason or Reason.UNDECLARED


def _put_instance(state: State, document: dict[str, Any], kind: Kind, nodes: Nodes) -> None:
    capacity = kind.capacity
    path = capacity.instance_type if capacity is not None else None
    stated = value_at(document, path) if path is not None else None
    instances = nodes.of(INSTANCE_TYPE)
    name = stated if type(stated) is str and stated else instances.only
    if name is not None and "$" not in name:
        state.fields["instance_type"] = name.rpartition("/")[2]
    elif type(stated) is list or any(is_there(document, path) for path in kind.refers):
        # Of several types any may be started, and only the catalog knows which is the largest.
        state.hide("/instance_type", Reason.ELSEWHERE)
        state.fields["accelerators"] = None
        state.hide("/accelerators", Reason.ELSEWHERE)
    elif path is not None or instances.allowed is not None:
        state.hide("/instance_type", Reason.UNDECLARED)
    vendor = capacity.vendor if capacity is not None else None
    vendor = vendor or labels.vendor(nodes) or _vendor_of(nodes, name)
    if vendor is not None:
        state.put("/vendor", vendor, "inferred:kind")


def _vendor_of(nodes: Nodes, instance_type: str | None) -> str | None:
    for prefix, vendor in _VENDOR_LABELS.items():
        if any(label.startswith(prefix) for label in nodes.constraints):
            return vendor
    return "azure" if instance_type is not None and instance_type.startswith(_AZURE_SIZE) else None


def _put_limits(state: State, document: dict[str, Any], capacity: Capacity, nodes: Nodes) -> None:
    """A pool takes at most its limits; without one it takes as much as pods ask for.

    Raises:
        RequestRefused: The limits are no quantities by name.
    """
    limits = pairs_at(document, capacity)
    if len(limits) > MOST_RESOURCES:
        raise wrong("limits", limits, f"at most {MOST_RESOURCES} resources")
    entries: list[dict[str, Any]] = []
    for name, quantity in limits.items():
        device = device_of(name) if "/" in name else None
        if device is None or device.counts != DEVICE:
            continue
        most = whole(quantity)
        if most is None:
            state.hide(f"/accelerators/{len(entries)}/total", Reason.UNDECLARED)
        entries.append(
            {
                "resource": name,
                "manufacturer": device.manufacturer,
                "model": labels.product(nodes, device.manufacturer),
                "slice": device.slice,
                "sharing": device.sharing,
                "total": {"min": 0, "max": most},
            }
        )
    if entries:
        state.fields["accelerators"] = entries
    elif _may_have_accelerators(nodes):
        state.fields["accelerators"] = None
        state.hide("/accelerators", Reason.UNDECLARED)


def pairs_at(document: dict[str, Any], capacity: Capacity) -> dict[str, str]:
    """The limits by resource, as texts."""
    *above, last = capacity.limits or ()
    owner = document
    for key, _ in above:
        owner = mapping(owner, key)
    return pairs(owner, last.key)


def _may_have_accelerators(nodes: Nodes) -> bool:
    """Whether instances with accelerators fulfil the requirements, as far as can be told."""
    if nodes.of(INSTANCE_TYPE).only is not None:
        return False  # the instance type says it
    for label in _FAMILIES:
        allowed = nodes.of(label).allowed
        if allowed is not None and not any(_ACCELERATED_FAMILY.fullmatch(one) for one in allowed):
            return False
    return True


def _put_place(state: State, document: dict[str, Any], capacity: Capacity, nodes: Nodes) -> None:
    fields = state.fields
    region = nodes.of(REGION)
    if region.allowed is not None or region.excluded:
        fields["region_constraint"] = {
            "required": region.allowed or (),
            "excluded": region.excluded,
        }
        fields["region"] = region.only
    fields["zone"] = nodes.only(ZONE)
    if (stated := _stated_place(document, capacity)) is not None:
        place = place_of(capacity.vendor, stated)
        fields["region"] = place.region
        fields["zone"] = place.zone
    fields["price_kind"] = labels.price_kind(nodes)
    if capacity.managed is not None and is_spot(document, capacity.managed):
        fields["price_kind"] = PriceKind.SPOT


def _stated_place(document: dict[str, Any], capacity: Capacity) -> str | None:
    stated = value_at(document, capacity.region) if capacity.region is not None else None
    return stated if type(stated) is str and stated else None
