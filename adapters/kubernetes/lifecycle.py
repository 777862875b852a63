"""What an object of a watched cluster tells of its life: what it asks for, and whether it is over.

Objects that others make are no subjects of their own: a Pod ends with its ReplicaSet all the time,
while the Deployment goes on. Whether that other object is really there is not asked here, because
objects of different kinds are seen in no order; Kubernetes itself deletes what names an owner that
is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from adapters.kubernetes.claims import FORMS
from adapters.kubernetes.kinds import Kind, Kinds, Takes, group_of
from adapters.kubernetes.normalise import normalise_manifests
from adapters.kubernetes.payload import mapping, objects, text
from adapters.kubernetes.scaling import target_of
from adapters.kubernetes.view import UNWATCHED, ClusterView, KindName
from service.errors import RequestRefused
from service.model.base import Scope
from service.model.resource import Purpose

_BOOKKEEPING = {"address", "subject", "part_of", "kind", "role", "change", "before"}
_LONGEST_REASON = 256


class Over(StrEnum):
    """How an object came to have done what it was for."""

    ENDED = "ended"
    FAILED = "failed"


class Outcome(NamedTuple):
    """The end that a status tells of; ``at`` is RFC 3339, ``None`` where it is not stated."""

    over: Over
    reason: str
    at: str | None


class Life(NamedTuple):
    """One object at one moment.

    Attributes:
        uid: Tells it from others of the same name.
        version: Its ``resourceVersion``.
        kind: Group and name of its kind.
        namespace: Where it is; ``None`` for objects of the cluster.
        subject: The subject of decisions about it.
        address: What its user calls it.
        generation: The number of its specification, where its kind counts them.
        state_digest: Digest of what it asks for.
        takes: Whether that is accelerators or nodes, or may be.
        outcome: How it ended, where its status says that it did.
        is_going: Whether it is being deleted.
        created: When it was made.
    """

    uid: str
    version: str
    kind: KindName
    namespace: str | None
    subject: str
    address: str
    generation: int | None
    state_digest: str
    takes: bool
    outcome: Outcome | None
    is_going: bool
    created: str | None


def is_governed(name: KindName, kinds: Kinds) -> bool:
    """Whether objects of this kind have lives of their own that are told of."""
    kind = kinds.find(*name)
    return name in FORMS or (kind is not None and kind.takes is not Takes.NOTHING)


def may_take(document: dict[str, Any], kinds: Kinds, view: ClusterView = UNWATCHED) -> bool:
    """Whether *document* is worth reading: what takes nothing is held without its pods.

    An autoscaler takes what the object in *view* may take that it scales.
    """
    name = KindName(group_of(str(document.get("apiVersion"))), str(document.get("kind")))
    kind = kinds.find(*name)
    if kind is not None and kind.takes is Takes.ELSEWHERE:
        scaled = _scaled(document, view)
        return scaled is None or may_take(scaled, kinds)
    if kind is None or kind.takes is not Takes.ACCELERATORS or kind.refers:
        return is_governed(name, kinds)
    spec = document.get("spec")
    return not isinstance(spec, dict) or any(isinstance(one, dict | list) for one in spec.values())


def _scaled(document: dict[str, Any], view: ClusterView) -> dict[str, Any] | None:
    try:
        target = target_of(document)
        namespace = text(mapping(document, "metadata"), "namespace")
    except RequestRefused:
        return None
    if target is None:
        return None
    return view.find(KindName(target.group, target.kind), namespace or "", target.name)


def read_life(document: dict[str, Any], *, cluster: str | None, kinds: Kinds) -> Life | None:
    """What *document*, as a view of *cluster* holds it, tells.

    ``None`` for what another governed object makes, and for what cannot be read.
    """
    try:
        return _life(document, cluster, kinds)
    except RequestRefused:
        return None


def uid_of(document: dict[str, Any]) -> str:
    """The uid of an object, empty where it has none."""
    metadata = document.get("metadata")
    found = metadata.get("uid") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else ""


def deleted_at(document: dict[str, Any]) -> str | None:
    """When the deletion of an object was asked for, as it says itself."""
    metadata = document.get("metadata")
    found = metadata.get("deletionTimestamp") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None


def _life(document: dict[str, Any], cluster: str | None, kinds: Kinds) -> Life | None:
    metadata = mapping(document, "metadata")
    uid = text(metadata, "uid")
    name = KindName(group_of(text(document, "apiVersion") or ""), text(document, "kind") or "")
    if uid is None or not is_governed(name, kinds) or _is_child(name, metadata, kinds):
        return None
    request = normalise_manifests(
        [document], scope=Scope(cluster=cluster), caller="", key="", kinds=kinds
    )
    if len(request.resources) != 1:
        return None
    (resource,) = request.resources
    state = resource.model_dump_json(exclude=_BOOKKEEPING, exclude_defaults=True).encode()
    kind = kinds.find(*name)
    generation = metadata.get("generation")
    return Life(
        uid=uid,
        version=text(metadata, "resourceVersion") or "",
        kind=name,
        namespace=text(metadata, "namespace"),
        subject=resource.subject,
        address=resource.address,
        generation=generation if type(generation) is int else None,
        state_digest=f"sha256:{hashlib.sha256(state).hexdigest()}",
        takes=may_take(document, kinds)
        and (
            (kind is not None and kind.takes is Takes.CAPACITY)
            or resource.accelerators != ()
            or bool(resource.placement.bypasses)
        ),
        outcome=_outcome(document, name, kind),
        is_going=text(metadata, "deletionTimestamp") is not None,
        created=text(metadata, "creationTimestamp"),
    )


def _is_child(name: KindName, metadata: dict[str, Any], kinds: Kinds) -> bool:
    if name in FORMS:
        return False  # what takes devices by claims is decided at each claim, whoever makes it
    for owner in objects(metadata, "ownerReferences"):
        if owner.get("controller") is True:
            group = group_of(text(owner, "apiVersion") or "")
            return is_governed(KindName(group, text(owner, "kind") or ""), kinds)
    return False


# Status is said differently by each project. The words are those of Kubernetes' own conditions,
# and of the states of JobSet, Kubeflow, Ray, Volcano, Argo, Tekton, Spark and AppWrapper.
_ENDED = frozenset({"complete", "completed", "finished", "stopped", "succeeded", "terminated"})
_FAILED = frozenset({"aborted", "error", "failed", "submission_failed"})
_GO_ON = frozenset({Purpose.INFERENCE, Purpose.NOTEBOOK})
_RAY, _TEKTON = "ray.io", "tekton.dev"


def _outcome(document: dict[str, Any], name: KindName, kind: Kind | None) -> Outcome | None:
    """How the object ended, where its kind has an end and its status says so."""
    status = mapping(document, "status")
    if (
        not status
        or kind is None
        or kind.takes is not Takes.ACCELERATORS
        or kind.repeats
        or kind.purpose in _GO_ON
        or name == KindName(_RAY, "RayCluster")  # it mends itself
    ):
        return None
    at = text(status, "completionTime")
    for condition in objects(status, "conditions"):
        word, value = text(condition, "type") or "", text(condition, "status")
        over = _over(word) if value == "True" else None
        if value == "False" and word == "Succeeded" and name.group == _TEKTON:
            over = Over.FAILED
        if over is not None:
            reason = text(condition, "reason") or word
            return _of(over, reason, at or text(condition, "lastTransitionTime"))
    if name == KindName(_RAY, "RayJob"):
        return _ray_job(status, at)
    for word in _words(status):
        if (over := _over(word)) is not None:
            return _of(over, word, at)
    return None


def _ray_job(status: dict[str, Any], at: str | None) -> Outcome | None:
    """The cluster of a job that failed may be tried again, until the deployment is over too."""
    deployment, job = (text(status, key) or "" for key in ("jobDeploymentStatus", "jobStatus"))
    over = _over(deployment)
    if over is None:
        return None
    if _over(job) is Over.FAILED:
        over, deployment = Over.FAILED, job
    return _of(over, deployment, at)


def _words(status: dict[str, Any]) -> Iterator[str]:
    for key, value in status.items():
        if key in ("phase", "state", "terminalState"):
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict) and isinstance(value.get("phase"), str):
                yield value["phase"]
        elif key == "applicationState" and isinstance(value, dict):
            word = value.get("state")
            if isinstance(word, str):
                yield word


def _over(word: str) -> Over | None:
    lower = word.lower()
    if lower in _ENDED:
        return Over.ENDED
    return Over.FAILED if lower in _FAILED else None


def _of(over: Over, reason: str, at: str | None) -> Outcome:
    return Outcome(over, reason[:_LONGEST_REASON], at)
