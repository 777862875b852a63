"""What is kept in memory of an object of a cluster.

Enough for whatever reads objects of a view: the same parts of an object are read there as in a
review. Left out is what nobody reads and what changes all the time. An object whose pods can take
no accelerators is kept without its pods: clusters hold many old ReplicaSets, few of which take any.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import to_json

from adapters.kubernetes.kinds import Kind, Takes, group_of
from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import AUTOSCALER, NODE, POD

_METADATA = ("name", "namespace", "uid", "generation", "deletionTimestamp", "creationTimestamp")
_PARTS = ("apiVersion", "kind", "metadata", "status")
_LONGEST_ANNOTATION = 512
_OWN = "portreeve.dev/"
_NOISE = (
    "kubectl.kubernetes.io/",
    "control-plane.alpha.kubernetes.io/",
    "autoscaling.alpha.kubernetes.io/",
    "deployment.kubernetes.io/",
    "node.alpha.kubernetes.io/",
    "volumes.kubernetes.io/",
    "csi.volume.kubernetes.io/",
)
_NODE_NOISE = "feature.node.kubernetes.io/"
"""Node Feature Discovery writes about a hundred labels to each node; none is about who may use it.

Labels of accelerators have the domain of their maker.
"""
_NO_METRICS = frozenset({"metrics", "behavior"})

_ENDED = frozenset(
    {
        "aborted",
        "complete",
        "completed",
        "error",
        "failed",
        "finished",
        "stopped",
        "submission_failed",
        "succeeded",
        "terminated",
    }
)
"""Words for the end of something, and the types of conditions that tell of it."""
_PHASES = ("phase", "state", "jobStatus", "jobDeploymentStatus")
_ENDINGS = ("completionTime", "observedGeneration")
_NESTED_PHASES = ("state", "applicationState")

_WORDS = {
    word.encode(): re.compile(rb"(?<![a-z])[psv]?" + word.encode())
    for word in (
        *("accelerator", "ascend", "dcu", "gaudi", "gcu", "gpu", "habana", "ipu"),
        *("mlu", "neuron", "npu", "nvidia", "tpu", "xpu"),
    )
}
"""In lower case; `input` is not about an NPU."""
_SIGNS = (
    b'"hostPath":',
    b'"resourceClaims":',
    b'"runtimeClassName":',
    b'"privileged":true',
    b"_VISIBLE_DEVICES",
    b"cdi.k8s.io/",
)
_EXTENDED = re.compile(rb'"(?:limits|requests)":\{[^{}]*?/')


def prune(document: dict[str, Any], kind: Kind | None) -> dict[str, Any] | None:
    """What is kept of *document*, an object of *kind* as the table of kinds knows it.

    ``None`` where nothing is kept: a Pod that another object makes, or that takes nothing.
    ``metadata`` has no ``resourceVersion``, which changes where nothing else does; whoever keeps
    objects keeps it beside them.
    """
    api_version, name = document.get("apiVersion"), document.get("kind")
    named = KindName(group_of(str(api_version)), str(name))
    metadata = document.get("metadata") or {}
    if named == POD and _controller(metadata) is not None:
        return None
    kept: dict[str, Any] = {
        "apiVersion": api_version,
        "kind": name,
        "metadata": _metadata(metadata, named),
    }
    kept.update({part: value for part, value in document.items() if part not in _PARTS})
    spec = kept.get("spec")
    if named == AUTOSCALER and isinstance(spec, dict):
        kept["spec"] = {key: value for key, value in spec.items() if key not in _NO_METRICS}
    elif takes_nothing(kept, kind):
        if named == POD:
            return None
        kept = _without_pods(kept)
    status = document.get("status")
    if isinstance(status, dict) and (told := _node(status) if named == NODE else _status(status)):
        kept["status"] = told
    return kept


def takes_nothing(document: dict[str, Any], kind: Kind | None) -> bool:
    """Whether the pods of *document* can take nothing, and all of them stand in it."""
    return (
        kind is not None
        and kind.takes is Takes.ACCELERATORS
        and not kind.refers
        and not _may_take(to_json(document))
    )


def _may_take(raw: bytes) -> bool:
    """Whether *raw*, the JSON of an object, has any sign of an accelerator or of a way to one.

    Wider than what is judged: an extended resource of whatever domain is one.
    """
    lowered = raw.lower()
    return (
        any(sign in raw for sign in _SIGNS)
        # To look for a text is much faster than to look for a pattern.
        or any(word in lowered and found.search(lowered) for word, found in _WORDS.items())
        or _EXTENDED.search(raw) is not None
    )


def _controller(metadata: dict[str, Any]) -> dict[str, Any] | None:
    owners = metadata.get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller") is True), None)


def _metadata(metadata: dict[str, Any], named: KindName) -> dict[str, Any]:
    kept = {key: metadata[key] for key in _METADATA if metadata.get(key)}
    if labels := metadata.get("labels"):
        kept["labels"] = labels
        if named == NODE:
            kept["labels"] = {
                key: value for key, value in labels.items() if not key.startswith(_NODE_NOISE)
            }
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key.startswith(_OWN) or not (len(value) > _LONGEST_ANNOTATION or key.startswith(_NOISE))
    }
    if annotations:
        kept["annotations"] = annotations
    if (owner := _controller(metadata)) is not None:
        kept["ownerReferences"] = [
            {key: owner.get(key) for key in ("apiVersion", "kind", "name", "uid", "controller")}
        ]
    return kept


def _without_pods(kept: dict[str, Any]) -> dict[str, Any]:
    """*kept* with the numbers and names of its specification only."""
    short: dict[str, Any] = {part: kept[part] for part in ("apiVersion", "kind", "metadata")}
    spec = kept.get("spec")
    if isinstance(spec, dict):
        short["spec"] = {
            key: value for key, value in spec.items() if not isinstance(value, dict | list)
        }
    return short


def _node(status: dict[str, Any]) -> dict[str, Any]:
    """The devices of a node, which its plugins report as extended resources."""
    kept = {}
    for part in ("allocatable", "capacity"):
        amounts = status.get(part) or {}
        if devices := {key: value for key, value in amounts.items() if "/" in key}:
            kept[part] = devices
    return kept


def _status(status: dict[str, Any]) -> dict[str, Any]:
    """What tells that an object ended or failed; nothing of one that goes on."""
    kept: dict[str, Any] = {}
    for key in _PHASES:
        value = status.get(key)
        if isinstance(value, str) and value.lower() in _ENDED:
            kept[key] = value
    for key in _NESTED_PHASES:
        value = status.get(key)
        if isinstance(value, dict):
            ended = {
                name: word
                for name, word in value.items()
                if isinstance(word, str) and word.lower() in _ENDED
            }
            if ended:
                kept[key] = ended
    conditions = [
        {key: one[key] for key in ("type", "status", "reason", "lastTransitionTime") if key in one}
        for one in status.get("conditions") or ()
        if isinstance(one, dict)
        and str(one.get("type")).lower() in _ENDED
        and one.get("status") in ("True", "False")
    ]
    if conditions:
        kept["conditions"] = conditions
    if kept:
        kept.update({key: status[key] for key in _ENDINGS if status.get(key)})
    return kept
