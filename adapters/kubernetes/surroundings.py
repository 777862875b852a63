"""What of a watched cluster lies on the path of one request: namespace, nodes, and queue.

Pure over the view: the same view and request give the same facts. What costs time in large clusters
is kept as long as no object of its kind changes.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from adapters.kubernetes import declared
from adapters.kubernetes.devices import DEVICE, device_of
from adapters.kubernetes.fleet import Place, Wanted, fleet_of, place_of
from adapters.kubernetes.payload import mapping, objects, pairs, text
from adapters.kubernetes.pods import read_tolerations
from adapters.kubernetes.quantities import whole
from adapters.kubernetes.view import UNWATCHED
from adapters.kubernetes.watched import CLUSTER_QUEUE, LOCAL_QUEUE, NAMESPACE, RESOURCE_FLAVOR
from service.errors import RequestRefused
from service.model.base import Role
from service.model.cluster import ClusterFacts, Flavor, NamespaceFacts, QueueFacts, Quota
from service.model.declarations import DATA_ASSET, DATA_CLASS, POINTERS
from service.model.sensitive import redact_text

if TYPE_CHECKING:
    from adapters.kubernetes.view import ClusterView
    from service.model.request import Request
    from service.model.resource import ResourceState

QUEUE = "kueue.x-k8s.io/queue-name"
_ADMIN_ACCESS = ("resource.kubernetes.io/admin-access", "resource.k8s.io/admin-access")
"""The label since v1.34, and the one of v1.33 (``DRAAdminNamespaceLabelKey``)."""

_DECLARED = frozenset({*POINTERS, DATA_ASSET})
_MOST_FLAVORS = 16
_MOST_LABELS = 16
_MOST_QUOTAS = 8


def cluster_facts(view: ClusterView, request: Request) -> ClusterFacts | None:
    """What *view* holds on the path of *request*; ``None`` where it holds nothing that is current.

    Objects of others that cannot be read are passed over: they are not what is asked.
    """
    if view is UNWATCHED or (as_of := view.as_of) is None:
        return None
    namespace, moment = request.scope.namespace, as_of.astimezone(UTC)
    fleet, queue = fleet_of(view), _queue(view, request)
    return ClusterFacts(
        as_of=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        namespace=_namespace(view, namespace) if namespace else None,
        nodes=fleet.groups(_wanted(request, queue)),
        grows=fleet.grows(),
        queue=queue,
    )


def surrounded(request: Request, view: ClusterView) -> Request:
    """*request* with what *view* holds on its path; as it is where it asks for nothing."""
    if view is UNWATCHED or not request.resources:
        return request
    context = request.context.model_copy(update={"cluster": cluster_facts(view, request)})
    return request.model_copy(update={"context": context})


def _namespace(view: ClusterView, name: str) -> NamespaceFacts | None:
    found = view.find(NAMESPACE, "", name)
    if found is None:
        return None
    try:
        metadata = mapping(found, "metadata")
        stated = declared.read_declarations([metadata])
        labels = pairs(metadata, "labels")
    except RequestRefused:
        return None
    return NamespaceFacts(
        name=name,
        declared={
            key: redact_text(value.replace(separator, ",") if key == DATA_CLASS else value)
            for key, (value, separator) in sorted(stated.items())
            if key in _DECLARED
        },
        admin_access=any(labels.get(label) == "true" for label in _ADMIN_ACCESS),
    )


def _wanted(request: Request, queue: QueueFacts | None) -> Wanted | None:
    """Which nodes the request may need; ``None`` where it needs none.

    A constraint counts where every resource has it. The former state needs no nodes of its own.
    """
    states = [
        item for item in request.resources if item.role is Role.WORKLOAD and item.accelerators != ()
    ]
    if not states:
        return None
    resources: set[str] = set()
    makers: set[str] = set()
    for item in (item for state in states for item in state.accelerators or ()):
        if item.resource is not None and "/" in item.resource:
            resources.add(item.resource)
        elif item.manufacturer is not None:
            makers.add(item.manufacturer)
    first = states[0] if len(states) == 1 else None
    return Wanted(
        frozenset(resources),
        frozenset(makers),
        is_unknown=any(state.accelerators is None for state in states) or not (resources or makers),
        regions=_regions(first),
        zone=first.zone if first is not None else None,
        instance_type=first.instance_type if first is not None else None,
        flavors=_places(queue, resources) if queue is not None else frozenset(),
    )


def _places(queue: QueueFacts, resources: set[str]) -> frozenset[Place]:
    """Where *queue* puts pods that ask for *resources*; none where that is not known."""
    return frozenset(
        place_of(flavor.node_labels)
        for flavor in queue.flavors
        if not resources or any(quota.resource in resources for quota in flavor.quotas)
    )


def _regions(state: ResourceState | None) -> frozenset[str]:
    if state is None:
        return frozenset()
    if state.region is not None:
        return frozenset({state.region})
    return frozenset(state.region_constraint.required)


def _queue(view: ClusterView, request: Request) -> QueueFacts | None:
    name = next((item.labels[QUEUE] for item in request.resources if QUEUE in item.labels), None)
    if not name:
        return None
    found = view.find(LOCAL_QUEUE, request.scope.namespace or "", name)
    if found is None:
        return QueueFacts(name=name, exists=False if view.is_complete(LOCAL_QUEUE) else None)
    try:
        queue = text(mapping(found, "spec"), "clusterQueue")
        flavors = _flavors(view, queue) if queue is not None else ()
    except RequestRefused:
        return QueueFacts(name=name, exists=True)
    return QueueFacts(name=name, exists=True, cluster_queue=queue, flavors=flavors)


def _flavors(view: ClusterView, queue: str) -> tuple[Flavor, ...]:
    """The flavors of *queue* from which it has accelerators."""
    found = view.find(CLUSTER_QUEUE, "", queue)
    spec = mapping(found, "spec") if found is not None else {}
    flavors: list[Flavor] = []
    for group in objects(spec, "resourceGroups"):
        for entry in objects(group, "flavors"):
            quotas = _quotas(entry)
            name = text(entry, "name")
            if quotas and name is not None and len(flavors) < _MOST_FLAVORS:
                flavors.append(_flavor(view, name, quotas))
    return tuple(flavors)


def _quotas(entry: dict[str, Any]) -> tuple[Quota, ...]:
    found = []
    for resource in objects(entry, "resources"):
        name = text(resource, "name")
        device = device_of(name) if name is not None else None
        if name is not None and device is not None and device.counts == DEVICE:
            found.append(Quota(resource=name, nominal=whole(resource.get("nominalQuota"))))
    return tuple(found[:_MOST_QUOTAS])


def _flavor(view: ClusterView, name: str, quotas: tuple[Quota, ...]) -> Flavor:
    found = view.find(RESOURCE_FLAVOR, "", name)
    spec = mapping(found, "spec") if found is not None else {}
    labels = sorted(pairs(spec, "nodeLabels").items())
    return Flavor(
        name=name,
        node_labels=dict(labels[:_MOST_LABELS]),
        tolerations=tuple(read_tolerations(spec)),
        quotas=quotas,
    )
