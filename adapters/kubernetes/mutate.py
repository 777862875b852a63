"""Additions to an object as a JSON Patch (RFC 6902), and the answer that carries it.

A patch only adds. What an object states itself stays as it is, and what it has already is not added
again, so that a patched object needs no patch: the API server may ask as often as it likes
(``reinvocationPolicy: IfNeeded``). Each operation finds what it stands on: one that does not would
have the API server refuse the object.

What is left alone, and why:

- What a controller makes, except for pods. A controller compares what it finds with what it meant:
  a ReplicaSet unlike its Deployment's template is never found again, and another one is made.
- Pods of a DaemonSet, each of which is meant for one node, and copies of pods that a node runs by
  itself: kept off its node, such a pod would wait for ever.
- Pod templates that an update does not change, because to change one restarts all of its pods; and
  all of a pod or a job that exists, because those may not be changed.
- What is being deleted, and subresources.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from adapters.kubernetes.answer import cleaned
from adapters.kubernetes.devices import DEVICE, FRACTION, MEMORY, PERCENT, device_of
from adapters.kubernetes.nodes import REGION
from adapters.kubernetes.payload import mapping, objects, text, texts
from adapters.kubernetes.review import API_VERSION, KIND

if TYPE_CHECKING:
    from adapters.kubernetes.additions import Additions
    from adapters.kubernetes.review import Asked
    from service.errors import GovernanceError

_DEVICES = frozenset({DEVICE, FRACTION, MEMORY, PERCENT})
_REGIONS = frozenset({REGION, "failure-domain.beta.kubernetes.io/region"})
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # a mount point inside a container
_VOLUME = "portreeve-shm"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_UNMADE = frozenset({"DaemonSet", "Node"})

Operation = dict[str, Any]


class _Layout(NamedTuple):
    """Where a kind keeps its pods, and what it runs.

    Attributes:
        pod: Keys on the way to the pod specification.
        job: Keys on the way to what has a deadline.
        is_pod: Whether it is a pod itself.
        is_fixed: Whether its pods cannot be changed once it exists.
    """

    pod: tuple[str, ...]
    job: tuple[str, ...] = ()
    is_pod: bool = False
    is_fixed: bool = False


_TEMPLATE = _Layout(("spec", "template", "spec"))
_RUN = ("spec", "jobTemplate", "spec")
_LAYOUTS = {
    ("", "Pod"): _Layout(("spec",), is_pod=True, is_fixed=True),
    ("", "ReplicationController"): _TEMPLATE,
    ("apps", "Deployment"): _TEMPLATE,
    ("apps", "StatefulSet"): _TEMPLATE,
    ("apps", "ReplicaSet"): _TEMPLATE,
    ("apps", "DaemonSet"): _TEMPLATE,
    ("batch", "Job"): _Layout(_TEMPLATE.pod, ("spec",), is_fixed=True),
    ("batch", "CronJob"): _Layout((*_RUN, "template", "spec"), _RUN),
}
"""The kinds of Kubernetes itself; those of others are reached where they make pods."""


class Patch(NamedTuple):
    """Operations, and what each group of them is called in the audit annotation."""

    operations: list[Operation]
    added: list[str]


def patch(asked: Asked, added: Additions) -> Patch:
    """What gives the object of *asked* all that is *added* and that it has not.

    Raises:
        RequestRefused: A part of the object has another type than the API has there.
    """
    done = Patch([], [])
    document, layout = asked.new, _LAYOUTS.get((asked.group, asked.kind))
    if document is None or layout is None or asked.subresource or asked.operation == "CONNECT":
        return done
    metadata = mapping(document, "metadata")
    owner = _controller(metadata)
    if metadata.get("deletionTimestamp") is not None:
        return done
    if owner is not None and (not layout.is_pod or owner in _UNMADE):
        return done
    if owner is None:
        _keep(done, "annotations", _annotations(metadata, added))
    if asked.old is not None and _stays(asked.old, document, layout):
        return done
    at, pod = _at(layout.pod), _inside(document, layout.pod)
    if not pod:
        return done
    _keep(done, "region-affinity", _affinity(at, pod, added.region))
    _keep(done, "tolerations", _tolerations(at, pod, added.taints))
    _keep(done, "runtime-class", _runtime_class(at, pod, added.runtime_class))
    _keep(done, "shared-memory", _memory(at, pod, added.shm_mib))
    _keep(done, "deadline", _deadline(document, layout, added.deadline_seconds))
    return done


def answer_patch(uid: str, done: Patch) -> dict[str, Any]:
    """The AdmissionReview that answers *uid* with what was *done*, which may be nothing."""
    response: dict[str, Any] = {"uid": uid, "allowed": True}
    if done.operations:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(to_json(done.operations)).decode()
        response["auditAnnotations"] = {"added": ",".join(done.added)}
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def answer_unpatched(uid: str, error: GovernanceError) -> dict[str, Any]:
    """The AdmissionReview that adds nothing, because of *error*, and says so.

    It never refuses: what must not run is refused by the validating webhook, which decides about
    the object as it is.
    """
    warning = cleaned(f"portreeve added nothing: {error.code}: {error.message}")
    response = {"uid": uid, "allowed": True, "warnings": [warning]}
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def _keep(done: Patch, name: str, operations: list[Operation]) -> None:
    if operations:
        done.operations.extend(operations)
        done.added.append(name)


def _escaped(key: str) -> str:
    """*key* as a part of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _add(path: str, value: Any) -> Operation:
    return {"op": "add", "path": path, "value": value}


def _controller(metadata: dict[str, Any]) -> str | None:
    """The kind of the controller that the object says made it."""
    for reference in objects(metadata, "ownerReferences"):
        if reference.get("controller") is True:
            return text(reference, "kind") or ""
    return None


def _stays(old: dict[str, Any], new: dict[str, Any], layout: _Layout) -> bool:
    """Whether the pods of an object that exists must be, or are, left as they were."""
    return layout.is_fixed or _inside(old, layout.pod) == _inside(new, layout.pod)


def _inside(document: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The object that *keys* lead to; an empty one where there is none."""
    for key in keys:
        document = mapping(document, key)
    return document


def _at(keys: tuple[str, ...]) -> str:
    return "".join(f"/{key}" for key in keys)


def _annotations(metadata: dict[str, Any], added: Additions) -> list[Operation]:
    stated = mapping(metadata, "annotations")
    at = "/metadata/annotations"
    if not stated:
        values = {name: value for name, value in added.annotations.items() if value is not None}
        return [_add(at, values)] if values else []
    operations: list[Operation] = []
    for name, value in added.annotations.items():
        path = f"{at}/{_escaped(name)}"
        if value is None:
            if name in stated:
                operations.append({"op": "remove", "path": path})
        elif stated.get(name) != value:
            operations.append(_add(path, value))
    return operations


def _affinity(at: str, pod: dict[str, Any], region: str | None) -> list[Operation]:
    """*region* required of every way in which a node may be fit.

    Terms are alternatives, so each gets it. A term that names regions itself is left alone unless
    it allows this one among others: to add to one that allows it not would leave no node at all,
    where the rules say what is wrong with it. So is one without any condition: it fits no node,
    and would begin to.
    """
    if region is None or any(name in _REGIONS for name in mapping(pod, "nodeSelector")):
        return []
    expression = {"key": REGION, "operator": "In", "values": [region]}
    new_terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    path = f"{at}/affinity"
    affinity = pod.get("affinity")
    if affinity is None:
        return [_add(path, {"nodeAffinity": {_REQUIRED: new_terms}})]
    path = f"{path}/nodeAffinity"
    nodes = mapping(pod, "affinity").get("nodeAffinity")
    if nodes is None:
        return [_add(path, {_REQUIRED: new_terms})]
    path = f"{path}/{_REQUIRED}"
    nodes = mapping(mapping(pod, "affinity"), "nodeAffinity")
    if nodes.get(_REQUIRED) is None:
        return [_add(path, new_terms)]
    operations: list[Operation] = []
    for index, term in enumerate(objects(mapping(nodes, _REQUIRED), "nodeSelectorTerms")):
        conditions = objects(term, "matchExpressions")
        if _is_open(term, conditions, region):
            where = f"{path}/nodeSelectorTerms/{index}/matchExpressions"
            operations.append(
                _add(f"{where}/-", expression) if conditions else _add(where, [expression])
            )
    return operations


def _is_open(term: dict[str, Any], conditions: list[dict[str, Any]], region: str) -> bool:
    """Whether nodes outside of *region* fulfil *term*, and nodes within it too."""
    if not conditions and not objects(term, "matchFields"):
        return False
    allowed: set[str] | None = None
    for condition in conditions:
        if condition.get("key") not in _REGIONS:
            continue
        values, operator = set(texts(condition, "values")), condition.get("operator")
        if operator == "In":
            allowed = values if allowed is None else allowed & values
        elif operator == "DoesNotExist" or (operator == "NotIn" and region in values):
            return False
    return allowed is None or (region in allowed and len(allowed) > 1)


def _tolerations(at: str, pod: dict[str, Any], taints: tuple[str, ...]) -> list[Operation]:
    stated = objects(pod, "tolerations")
    has = {_tolerated(item) for item in stated}
    if "" in has:
        return []
    missing = [{"key": key, "operator": "Exists"} for key in taints if key not in has]
    return _appended(f"{at}/tolerations", stated, missing)


def _tolerated(toleration: dict[str, Any]) -> str | None:
    """The key of the taint; empty for all taints that keep pods from being scheduled."""
    key = text(toleration, "key")
    if key is not None:
        return key
    return "" if text(toleration, "effect") in {None, "NoSchedule"} else None


def _runtime_class(at: str, pod: dict[str, Any], name: str | None) -> list[Operation]:
    if name is None or text(pod, "runtimeClassName") is not None:
        return []
    return [_add(f"{at}/runtimeClassName", name)]


def _memory(at: str, pod: dict[str, Any], mib: int | None) -> list[Operation]:
    """Memory at ``/dev/shm`` of each container with accelerators that mounts nothing there."""
    if mib is None or pod.get("hostIPC") is True:
        return []
    mount = {"name": _VOLUME, "mountPath": _SHARED_MEMORY}
    operations: list[Operation] = []
    for index, container in enumerate(objects(pod, "containers")):
        mounts = objects(container, "volumeMounts")
        paths = {(text(one, "mountPath") or "").rstrip("/") for one in mounts}
        if _SHARED_MEMORY not in paths and _takes_devices(container):
            where = f"{at}/containers/{index}/volumeMounts"
            operations += _appended(where, mounts, [mount])
    if not operations:
        return []
    volumes = objects(pod, "volumes")
    namesakes = [volume for volume in volumes if volume.get("name") == _VOLUME]
    if any(mapping(one, "emptyDir").get("medium") != "Memory" for one in namesakes):
        return []
    memory = {"medium": "Memory", "sizeLimit": f"{mib}Mi"}
    volume = {"name": _VOLUME, "emptyDir": memory}
    return [*([] if namesakes else _appended(f"{at}/volumes", volumes, [volume])), *operations]


def _takes_devices(container: dict[str, Any]) -> bool:
    resources = mapping(container, "resources")
    if objects(resources, "claims"):
        return True
    names = {*mapping(resources, "limits"), *mapping(resources, "requests")}
    devices = (device_of(name) for name in names if "/" in name)
    return any(device is not None and device.counts in _DEVICES for device in devices)


def _deadline(document: dict[str, Any], layout: _Layout, seconds: int | None) -> list[Operation]:
    if seconds is None or not layout.job:
        return []
    if _inside(document, layout.job).get("activeDeadlineSeconds") is not None:
        return []
    return [_add(f"{_at(layout.job)}/activeDeadlineSeconds", seconds)]


def _appended(path: str, stated: list[Any], values: list[Any]) -> list[Operation]:
    """*values* at the end of the list at *path*, which is made where it has nothing yet."""
    if not values:
        return []
    return [_add(f"{path}/-", value) for value in values] if stated else [_add(path, values)]
