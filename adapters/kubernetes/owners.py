"""By whose admission an object is covered that a controller makes of another one.

A Deployment that was admitted makes ReplicaSets, and those make Pods. To decide these again would
count the same thing thrice, and a full budget would keep what was admitted from being replaced. So
what a controller makes is covered by the object that it makes it of, if

- the one who asks is an account that the organisation lists as a controller: anybody may write
  ``ownerReferences``, and the API server admits them;
- the controlling owner is in the view, with the uid that the reference has, and is not being
  deleted;
- each pod asks for what the owner's template asks for, and there are no more of them than the owner
  states, or than an autoscaler of it may make of that.

Everything else is decided as an object of its own. Above the owner only the references are
followed, to name the one that somebody asked for: a ReplicaSet that is on its way out has the
template of an earlier Deployment, which was decided then.

Claims for devices are never covered: what a template of claims says may change between the
admission of a workload and the claim that is made for its pod.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from adapters.kubernetes.kinds import Kind, Kinds, Takes, group_of
from adapters.kubernetes.parts import read_size
from adapters.kubernetes.paths import walk
from adapters.kubernetes.payload import mapping, objects, text
from adapters.kubernetes.review import Asked
from adapters.kubernetes.scaling import Target, target_of
from adapters.kubernetes.taking import Taking, taking_of
from adapters.kubernetes.view import ClusterView, KindName
from service.errors import RequestRefused
from service.model.resource import CoveredBy
from service.model.sensitive import redact_text

_SCALE = "scale"
_HIGHEST = 8
_DAEMON_SET = KindName("apps", "DaemonSet")
_DEPLOYMENT = KindName("apps", "Deployment")
_USUAL_SURGE = "25%"
_POD = KindName("", "Pod")
_THROUGH_A_POD = {
    "leaderworkerset.sigs.k8s.io/name": KindName("leaderworkerset.x-k8s.io", "LeaderWorkerSet"),
}
"""Labels that name the object behind a Pod that owns another object, and itself has an owner."""


class Alone(StrEnum):
    """Why an object is decided as one of its own."""

    UNWATCHED = "nobody watches the cluster"
    REQUESTER = "the account is no controller that the organisation lists"
    NO_OWNER = "no controlling owner is stated"
    UNGOVERNED = "the owner, or the object, is of a kind without pods"
    UNSEEN = "the owner is not in what is known of the cluster"
    UID = "the owner of that name has another uid"
    GOING = "the owner is being deleted"
    TEMPLATE = "its pods ask for something else than the owner's"
    COUNT = "there are more pods than the owner states"

    @property
    def may_pass(self) -> bool:
        """Whether it may be that only what is known of the cluster is a moment behind."""
        return self in {Alone.UNSEEN, Alone.UID, Alone.TEMPLATE, Alone.COUNT}


class Cover(NamedTuple):
    """The object whose admission covers another one, and its subject."""

    by: CoveredBy
    subject: str


class _Owner(NamedTuple):
    """An object of the view."""

    named: KindName
    kind: Kind
    document: dict[str, Any]


class Surroundings(NamedTuple):
    """Where owners are looked for.

    Attributes:
        kinds: What is known of kinds.
        view: What is known of the cluster.
        cluster: What decisions call it.
        controllers: Accounts that are controllers.
    """

    kinds: Kinds
    view: ClusterView
    cluster: str | None
    controllers: Container[str | None]


def find_cover(asked: Asked, around: Surroundings) -> Cover | Alone:
    """The object whose admission covers what is *asked*, or why there is none."""
    if asked.actor["name"] not in around.controllers:
        return Alone.REQUESTER
    if asked.new is None or asked.operation not in {"CREATE", "UPDATE"}:
        return Alone.NO_OWNER
    try:
        if asked.subresource == _SCALE:
            return _scaled(asked, asked.new, around)
        if asked.subresource:
            return Alone.NO_OWNER
        return _owned(asked, asked.new, around)
    except RequestRefused:
        return Alone.TEMPLATE  # of the owner, or of the object, which is refused later then


def covers_itself(asked: Asked, around: Surroundings, *, changes_nothing: bool) -> Cover | Alone:
    """The object itself, for a write of a controller after which it takes no more than before.

    *changes_nothing* says that nothing of what is read of it is another.
    """
    if asked.actor["name"] not in around.controllers:
        return Alone.REQUESTER
    if asked.operation != "UPDATE" or asked.subresource or not (asked.old and asked.new):
        return Alone.NO_OWNER
    try:
        if not changes_nothing and _grows(asked, asked.new, around):
            return Alone.COUNT
        return _cover(KindName(asked.group, asked.kind), asked.old, around.cluster)
    except RequestRefused:
        return Alone.TEMPLATE


def _grows(asked: Asked, document: dict[str, Any], around: Surroundings) -> bool:
    kind = around.kinds.find(asked.group, asked.kind)
    if kind is None or kind.takes is not Takes.ACCELERATORS:
        return True
    new, old = _child(asked, document, kind, around)
    return bool(new.data - old.data) or any(
        sort not in old.pods or not _within(pods, old.pods[sort]) for sort, pods in new.pods.items()
    )


def _within(pods: int | None, most: int | None) -> bool:
    """Whether so many *pods* are no more than *most*; ``None`` is no bound."""
    return most is None or (pods is not None and pods <= most)


def _owned(asked: Asked, document: dict[str, Any], around: Surroundings) -> Cover | Alone:
    reference = _controller_of(document)
    kind = around.kinds.find(asked.group, asked.kind)
    if kind is None or kind.takes not in {Takes.ACCELERATORS, Takes.ELSEWHERE}:
        return Alone.UNGOVERNED
    if reference is None:
        return _rescaled(asked, document, kind, around)
    owner = _find(reference, asked.namespace, around)
    if owner is Alone.UNSEEN and _named(reference) == _POD:
        owner = _behind_a_pod(document, asked.namespace, around)
    if isinstance(owner, Alone):
        return owner
    if mapping(owner.document, "metadata").get("deletionTimestamp") is not None:
        return Alone.GOING
    if kind.takes is Takes.ELSEWHERE or owner.kind.takes is Takes.ELSEWHERE:
        why = _exceeds_autoscaler(document, kind, owner)
    else:
        if owner.named == _DAEMON_SET:
            document, owner = (
                _anywhere(document),
                owner._replace(document=_anywhere(owner.document)),
            )
        why = _exceeds(_child(asked, document, kind, around), owner, around)
    if why is not None:
        return why
    root = _root(owner, asked.namespace, around)
    return _cover(root.named, root.document, around.cluster)


def _root(owner: _Owner, namespace: str, around: Surroundings) -> _Owner:
    """The highest object above *owner* that is known: the one that somebody asked for."""
    for _ in range(_HIGHEST):
        reference = _controller_of(owner.document)
        above = _find(reference, namespace, around) if reference is not None else Alone.NO_OWNER
        if isinstance(above, Alone):
            break
        owner = above
    return owner


def _controller_of(document: dict[str, Any]) -> dict[str, Any] | None:
    for reference in objects(mapping(document, "metadata"), "ownerReferences"):
        if reference.get("controller") is True:
            return reference
    return None


def _named(reference: dict[str, Any]) -> KindName:
    group = group_of(text(reference, "apiVersion") or "")
    return KindName(group, text(reference, "kind") or "")


def _find(reference: dict[str, Any], namespace: str, around: Surroundings) -> _Owner | Alone:
    """The object that *reference* means, which is in the same namespace or in none."""
    named, name = _named(reference), text(reference, "name") or ""
    kind = around.kinds.find(*named)
    if kind is None or kind.takes not in {Takes.ACCELERATORS, Takes.ELSEWHERE}:
        return Alone.UNGOVERNED
    found = around.view.find(named, namespace, name)
    if found is None and namespace:
        found = around.view.find(named, "", name)
    if found is None:
        return Alone.UNSEEN
    uid = mapping(found, "metadata").get("uid")
    if not uid or uid != reference.get("uid"):
        return Alone.UID
    return _Owner(named, kind, found)


def _behind_a_pod(document: dict[str, Any], namespace: str, around: Surroundings) -> _Owner | Alone:
    """The object of which a Pod is that owns *document*, by the label that its controller writes.

    Pods that have an owner are not watched. The account that asks is a controller; what is made is
    still compared with what the object says.
    """
    names = mapping(mapping(document, "metadata"), "labels")
    for label, named in _THROUGH_A_POD.items():
        name = text(names, label)
        kind = around.kinds.find(*named) if name is not None else None
        found = around.view.find(named, namespace, name) if name is not None else None
        if kind is not None and found is not None:
            return _Owner(named, kind, found)
    return Alone.UNSEEN


def _anywhere(document: dict[str, Any]) -> dict[str, Any]:
    """A DaemonSet, or a Pod of it, without affinity.

    The controller chooses the node by the template's affinity, and puts the node's name in place of
    it into the Pod.
    """
    spec = dict(mapping(document, "spec"))
    spec.pop("affinity", None)
    if template := mapping(spec, "template"):
        spec["template"] = _anywhere(template)
    return {**document, "spec": spec}


class _Child(NamedTuple):
    """What an object asks for, and what it asked for before."""

    new: Taking
    old: Taking


_NOTHING = Taking({}, frozenset())


def _child(asked: Asked, document: dict[str, Any], kind: Kind, around: Surroundings) -> _Child:
    new = taking_of(document, kind, around.kinds)
    if asked.operation != "UPDATE" or asked.old is None:
        return _Child(new, _NOTHING)
    return _Child(new, taking_of(asked.old, kind, around.kinds))


def _exceeds(child: _Child, owner: _Owner, around: Surroundings) -> Alone | None:
    """What *child* asks for that neither *owner* states nor it had itself."""
    stated = taking_of(owner.document, owner.kind, around.kinds)
    if child.new.data - stated.data - child.old.data:
        return Alone.TEMPLATE
    for asked, pods in child.new.pods.items():
        known = [side.pods[asked] for side in (stated, child.old) if asked in side.pods]
        if not known:
            return Alone.TEMPLATE
        if any(_within(pods, most) for most in known):
            continue
        if asked not in stated.pods or pods is None or pods > _most(owner, stated, around):
            return Alone.COUNT
    return None


def _most(owner: _Owner, stated: Taking, around: Surroundings) -> int:
    """How many pods there may be of *owner* while it is scaled, or replaces its pods.

    Only of an object with one sort of pods this can be told.
    """
    if len(stated.pods) != 1:
        return 0
    (pods,) = stated.pods.values()
    replicas = mapping(owner.document, "spec").get("replicas", 1)
    most = pods or 0
    if type(replicas) is not int or most != replicas:
        return most
    target = Target(*owner.named, text(mapping(owner.document, "metadata"), "name") or "")
    namespace = text(mapping(owner.document, "metadata"), "namespace") or ""
    bounds = (bound for _, bound in _autoscalers(target, namespace, around))
    most = max((most, *(bound for bound in bounds if bound is not None)))
    return most + (_surge(owner.document, most) if owner.named == _DEPLOYMENT else 0)


def _surge(document: dict[str, Any], replicas: int) -> int:
    """How many pods a Deployment may have beside its *replicas* while it replaces them."""
    strategy = mapping(mapping(document, "spec"), "strategy")
    if strategy.get("type") == "Recreate":
        return 0
    surge = mapping(strategy, "rollingUpdate").get("maxSurge", _USUAL_SURGE)
    if type(surge) is int:
        return max(surge, 0)
    percent = surge[:-1] if type(surge) is str and surge.endswith("%") else ""
    if not percent.isdecimal() or len(percent) > 4:
        return 0
    return -(-replicas * int(percent) // 100)


def _autoscalers(
    target: Target, namespace: str, around: Surroundings
) -> Iterator[tuple[_Owner, int | None]]:
    """Autoscalers of *target*, each with the most that it may make of it."""
    for (group, name), row in around.kinds.rows.items():
        if row.takes is not Takes.ELSEWHERE or name is None or name == "Scale":
            continue
        kind = around.kinds.find(group, name)
        for document in around.view.all(KindName(group, name)):
            metadata = mapping(document, "metadata")
            if (text(metadata, "namespace") or "") != namespace or kind is None:
                continue
            if metadata.get("deletionTimestamp") is None and target_of(document) == target:
                yield _Owner(KindName(group, name), kind, document), _bound(document, kind)


def _bound(document: dict[str, Any], kind: Kind) -> int | None:
    """The most that an autoscaler, or a ``Scale``, asks for; ``None`` where it does not say."""
    template = kind.templates[0]
    sizes = [read_size(template, (*one.passed, one.value)) for one in walk(document, template.pods)]
    return sizes[0][0].most if sizes else None


def _scaled(asked: Asked, document: dict[str, Any], around: Surroundings) -> Cover | Alone:
    """The autoscaler within whose maximum an object is scaled."""
    kind = around.kinds.find(asked.group, asked.kind)
    scaled = around.kinds.kind_of(asked.resource_group, asked.resource)
    if kind is None or kind.takes is not Takes.ELSEWHERE or scaled is None:
        return Alone.UNGOVERNED
    wanted = _bound(document, kind)
    former = _bound(asked.old, kind) if asked.old is not None else None
    target = Target(asked.resource_group, scaled, asked.name)
    found = Alone.UNSEEN
    for autoscaler, most in _autoscalers(target, asked.namespace, around):
        bound = max(most or 0, former or 0)
        if wanted is not None and wanted <= bound:
            return _cover(autoscaler.named, autoscaler.document, around.cluster)
        found = Alone.COUNT
    return found


def _rescaled(
    asked: Asked, document: dict[str, Any], kind: Kind, around: Surroundings
) -> Cover | Alone:
    """The autoscaler within whose maximum the object itself is written with other replicas."""
    if asked.operation != "UPDATE" or kind.takes is not Takes.ACCELERATORS:
        return Alone.NO_OWNER
    new, old = _child(asked, document, kind, around)
    if len(new.pods) != 1 or new.pods.keys() != old.pods.keys() or new.data - old.data:
        return Alone.NO_OWNER
    (wanted,) = new.pods.values()
    found = Alone.NO_OWNER
    target = Target(asked.group, asked.kind, asked.name)
    for autoscaler, most in _autoscalers(target, asked.namespace, around):
        if most is not None and wanted is not None and wanted <= most:
            return _cover(autoscaler.named, autoscaler.document, around.cluster)
        found = Alone.COUNT
    return found


def _exceeds_autoscaler(document: dict[str, Any], kind: Kind, owner: _Owner) -> Alone | None:
    """What an autoscaler asks for that the one of which it is made does not state."""
    if kind.takes is not owner.kind.takes:
        return Alone.UNGOVERNED
    if target_of(document) != target_of(owner.document):
        return Alone.TEMPLATE
    most, stated = _bound(document, kind), _bound(owner.document, owner.kind)
    if most is None or stated is None or most > stated:
        return Alone.COUNT
    return None


def _cover(named: KindName, document: dict[str, Any], cluster: str | None) -> Cover | Alone:
    metadata = mapping(document, "metadata")
    name, uid = redact_text(text(metadata, "name") or ""), text(metadata, "uid")
    namespace = text(metadata, "namespace") or ""
    if not name or not uid:
        return Alone.UID
    by = CoveredBy(kind=named.kind, name=f"{namespace}/{name}" if namespace else name, uid=uid)
    return Cover(by, f"{cluster or ''}/{namespace}/{named.kind}/{name}")
