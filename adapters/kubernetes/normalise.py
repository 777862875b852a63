"""Admission reviews and manifests to requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from adapters.kubernetes import claims
from adapters.kubernetes.capacity import describe_capacity
from adapters.kubernetes.claims import ClaimIndex, Near
from adapters.kubernetes.kinds import (
    WITHIN_POD,
    Kinds,
    Takes,
    changes_nothing,
    group_of,
    in_use,
)
from adapters.kubernetes.neighbours import Neighbours, neighbours_in
from adapters.kubernetes.payload import CODE, mapping, objects, text, wrong
from adapters.kubernetes.review import Asked, read_review
from adapters.kubernetes.scaling import Scalable, Target, describe_scaling, target_of
from adapters.kubernetes.view import UNWATCHED, ClusterView
from adapters.kubernetes.workloads import describe, infer
from service.errors import RequestRefused
from service.model.base import Binding, Change, EnforcementPoint, Role, Scope
from service.model.request import Request
from service.model.sensitive import redact_text

_CHANGES = {"CREATE": Change.CREATE, "UPDATE": Change.UPDATE, "DELETE": Change.DELETE}
_DEEPEST_LIST = 4
_MOST_UNLISTED = 8
_LONGEST_SHOWN = 330
_NOT_READ = frozenset({"metadata", "status"})
_SCALE = "scale"
_SCALE_KIND = ("autoscaling", "Scale")


class _Identity(NamedTuple):
    """What an object is called."""

    kind: str
    namespace: str
    name: str
    suffix: str = ""

    def address(self) -> str:
        """As its user would say it: ``Deployment prod/llama``."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"

    def subject(self, cluster: str | None) -> str:
        """The same over all decisions about it."""
        return f"{cluster or ''}/{self.namespace}/{self.kind}/{self.name}{self.suffix}"


def normalise_review(
    review: Mapping[str, Any],
    *,
    cluster: str | None,
    caller: str,
    kinds: Kinds | None = None,
    view: ClusterView = UNWATCHED,
) -> Request:
    """The request that the AdmissionReview *review* of *cluster* asks to be decided.

    *kinds* are those that are understood, those of the process by default. What the object names
    of others is looked for in *view*, which is of the same cluster.

    Raises:
        RequestRefused: It is no AdmissionReview v1, or the object is not what the API has there.
    """
    asked = read_review(review)
    if asked.operation not in {*_CHANGES, "CONNECT"}:
        raise RequestRefused(
            f"the operation is `{asked.operation[:64]}`, expected one of the admission API",
            code=CODE,
        )
    request: dict[str, Any] = {
        "key": asked.uid,
        "enforcement_point": EnforcementPoint.KUBERNETES,
        "operation": asked.operation,
        "binding": Binding.DRY_RUN if asked.is_dry_run else Binding.BINDING,
        "actor": asked.actor,
        "caller": caller,
        "scope": {"cluster": cluster, "namespace": asked.namespace or None},
    }
    known = kinds if kinds is not None else in_use()
    if asked.operation == "CONNECT" or changes_nothing(asked.subresource):
        request["irrelevant"] = 1  # who connects takes no more than what runs already
    elif not _is_understood(asked):
        kind = "/".join(part for part in (asked.resource, asked.subresource) if part)
        request["not_covered"] = [_not_covered(_identity_of(asked), kind)]
    elif _takes_nothing(asked.group, asked.kind, known):
        _check_nothing(asked)
        request["irrelevant"] = 1
    elif not _put_resource(request, _Look(asked, known, neighbours_in(view)), cluster):
        request["not_covered"] = [_not_covered(_identity_of(asked), _full(asked.group, asked.kind))]
    return _validated(request)


def _is_understood(asked: Asked) -> bool:
    """Whether what is written is an object, or a subresource that holds all that counts."""
    if not asked.subresource:
        return True
    if asked.subresource == _SCALE:
        return (asked.group, asked.kind) == _SCALE_KIND
    return asked.subresource in WITHIN_POD and (asked.group, asked.kind) == ("", "Pod")


def _takes_nothing(group: str, name: str, kinds: Kinds) -> bool:
    if (group, name) in claims.TAKE_NOTHING:
        return True
    kind = kinds.find(group, name)
    return kind is not None and kind.takes is Takes.NOTHING


def _check_nothing(asked: Asked) -> None:
    """Refuse an object about claims that cannot be read where it is used."""
    if (asked.group, asked.kind) in claims.TAKE_NOTHING:
        claims.validate(asked.kind, asked.new or asked.old or {})


def normalise_manifests(
    documents: Sequence[Any],
    *,
    scope: Scope,
    caller: str,
    key: str,
    beside: ClaimIndex | None = None,
    kinds: Kinds | None = None,
) -> Request:
    """The request to apply the objects in *documents*; *key* is what identifies them.

    A namespace that an object does not state is that of *scope*. Claims and device classes that
    they name and do not hold are looked for *beside* them. *kinds* are those that are understood,
    those of the process by default.

    Raises:
        RequestRefused: A document is no object of Kubernetes, or is not what the API has there.
    """
    known = kinds if kinds is not None else in_use()
    resources: list[dict[str, Any]] = []
    not_covered: list[dict[str, Any]] = []
    irrelevant = 0
    seen: Counter[str] = Counter()
    flat = list(_flattened(documents))
    index = ClaimIndex(flat, namespace=scope.namespace, beside=beside)
    for document in flat:
        group = group_of(text(document, "apiVersion") or "")
        name = text(document, "kind") or ""
        if _takes_nothing(group, name, known):
            irrelevant += 1
            continue
        identity = _identity_in(document, name, scope.namespace)
        found = _read(document, (group, name), known, index.near(document))
        if found is None:
            not_covered.append(_not_covered(identity, _full(group, name)))
            continue
        resource = _resource(document, identity, found, Change.CREATE, scope.cluster)
        if (identity.namespace or None) != scope.namespace:
            resource["scope"] = scope.model_copy(update={"namespace": identity.namespace})
        seen[resource["address"]] += 1
        if (number := seen[resource["address"]]) > 1:
            resource["address"] += f" ({number})"
            resource["subject"] += f" ({number})"
        resources.append(resource)
        not_covered.extend(_unlisted(identity, found))
    return _validated(
        {
            "key": key,
            "enforcement_point": EnforcementPoint.KUBERNETES,
            "operation": "apply",
            "binding": Binding.ADVISORY,
            "caller": caller,
            "scope": scope,
            "resources": resources,
            "not_covered": not_covered,
            "irrelevant": irrelevant,
        }
    )


class _Found(NamedTuple):
    """What an object asks for, and whether that is capacity or a workload."""

    state: dict[str, Any]
    unlisted: list[str]
    role: Role = Role.WORKLOAD


_NOTHING = _Found({}, [])


def _read(
    document: dict[str, Any],
    kind: tuple[str, str],
    kinds: Kinds,
    near: Near | None = None,
    scalable: Scalable | None = None,
) -> _Found | None:
    """What *document*, of the group and kind *kind*, asks for; ``None`` if nobody can tell.

    *scalable* is what an autoscaler scales.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    known = kinds.find(*kind)
    if known is None:
        form = claims.FORMS.get(kind)
        if form is not None:
            state, unlisted = claims.describe_object(document, form, near)
            return _Found(state.fields, [f"device class {name}" for name in unlisted])
        inferred = infer(document, near)
        return _Found(*inferred) if inferred is not None else None
    if known.takes is Takes.ELSEWHERE:
        return _Found(*describe_scaling(document, known, scalable))
    if known.capacity is not None:
        return _Found(*describe_capacity(document, known, known.capacity), role=Role.CAPACITY)
    return _Found(*describe(document, known, kinds, near))


class _Look(NamedTuple):
    """How the objects of a review are read: with the kinds and the neighbours that are known."""

    asked: Asked
    kinds: Kinds
    neighbours: Neighbours | None

    def read(self, document: dict[str, Any]) -> _Found | None:
        """What *document* asks for; ``None`` if nobody can tell."""
        asked, around = self.asked, self.neighbours
        kind = (asked.group, asked.kind)
        if around is None:
            return _read(document, kind, self.kinds)
        near = around.near(asked.namespace)
        return _read(document, kind, self.kinds, near, self._scalable(document, around))

    def _scalable(self, document: dict[str, Any], around: Neighbours) -> Scalable | None:
        asked = self.asked
        known = self.kinds.find(asked.group, asked.kind)
        if known is None or known.takes is not Takes.ELSEWHERE:
            return None
        if asked.subresource == _SCALE:
            scaled = self.kinds.kind_of(asked.resource_group, asked.resource)
            target = Target(asked.resource_group, scaled, asked.name) if scaled else None
        else:
            target = target_of(document)
        return around.scalable(target, asked.namespace, self.kinds) if target is not None else None


def _put_resource(request: dict[str, Any], look: _Look, cluster: str | None) -> bool:
    """Put what is asked for into *request*; false where nobody can tell what that is."""
    asked, kinds = look.asked, look.kinds
    change = _CHANGES[asked.operation]
    document = asked.old if change is Change.DELETE else asked.new
    if document is None or (change is Change.UPDATE and asked.old is None):
        missing = "oldObject" if change is not Change.CREATE and asked.old is None else "object"
        raise wrong(missing, None, "an object")
    found = look.read(document)
    before = found
    if change is Change.UPDATE and asked.old is not None and not _is_same(asked.old, document):
        before = look.read(asked.old)
    if found is None and before is None:
        return False
    found = found or _NOTHING
    if change is Change.UPDATE and asked.old is not None:
        if _is_going(asked.old) and _is_going(document):
            change = Change.DELETE
        elif before is not None and before.state == found.state:
            change = Change.NO_OP
    identity = _identity_of(asked)
    if asked.subresource == _SCALE:
        scaled = kinds.kind_of(asked.resource_group, asked.resource)
        identity = identity._replace(kind=scaled or asked.resource or asked.kind)
    resource = _resource(document, identity, found, change, cluster)
    if change is not Change.CREATE:
        resource["before"] = (before or _NOTHING).state
    request["resources"] = [resource]
    if found.unlisted and change is not Change.DELETE:
        request["not_covered"] = _unlisted(identity, found)
    return True


def _is_going(document: dict[str, Any]) -> bool:
    """Whether the object is being deleted and waits for its finalizers."""
    return mapping(document, "metadata").get("deletionTimestamp") is not None


def _is_same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether everything that is read of two objects is the same, as in most updates."""
    one, other = mapping(old, "metadata"), mapping(new, "metadata")
    return all(
        old.get(part) == new.get(part) for part in (*old, *new) if part not in _NOT_READ
    ) and all(one.get(part) == other.get(part) for part in ("labels", "annotations"))


def _resource(
    document: dict[str, Any],
    identity: _Identity,
    found: _Found,
    change: Change,
    cluster: str | None,
) -> dict[str, Any]:
    return {
        **found.state,
        "address": identity.address(),
        "subject": identity.subject(cluster),
        "part_of": _owner(mapping(document, "metadata")),
        "kind": identity.kind,
        "role": found.role,
        "change": change,
    }


def _owner(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """The controller that made the object."""
    for reference in objects(metadata, "ownerReferences"):
        if reference.get("controller") is True:
            kind, name = text(reference, "kind"), text(reference, "name")
            if kind is not None and name is not None:
                return {"kind": kind, "name": name}
    return None


def _identity_of(asked: Asked) -> _Identity:
    name, suffix = asked.name, ""
    if not name:
        metadata = mapping(asked.new or asked.old or {}, "metadata")
        name = text(metadata, "name") or ""
        if not name:
            # The API server makes the name up after it asked us; until then the question has one.
            name, suffix = f"{text(metadata, 'generateName') or ''}*", asked.uid
    return _Identity(asked.kind, asked.namespace, redact_text(name), suffix)


def _identity_in(document: dict[str, Any], kind: str, namespace: str | None) -> _Identity:
    metadata = mapping(document, "metadata")
    name = text(metadata, "name") or f"{text(metadata, 'generateName') or ''}*"
    return _Identity(kind, text(metadata, "namespace") or namespace or "", redact_text(name))


def _flattened(documents: Sequence[Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object in *documents*, those within lists one by one.

    Raises:
        RequestRefused: A document is no object with ``apiVersion`` and ``kind``.
    """
    for number, document in enumerate(documents, start=1):
        if type(document) is list and depth < _DEEPEST_LIST:
            yield from _flattened(document, depth + 1)
            continue
        if type(document) is not dict:
            raise wrong(f"document {number}", document, "an object of Kubernetes")
        kind = text(document, "kind")
        if kind is None or text(document, "apiVersion") is None:
            missing = "apiVersion" if kind is not None else "kind"
            raise RequestRefused(
                f"document {number} has no `{missing}`, expected an object of Kubernetes",
                hint="Leave out files that are no manifests, such as values of a chart.",
                code=CODE,
            )
        if kind.endswith("List") and type(document.get("items")) is list:
            if depth >= _DEEPEST_LIST:
                raise wrong("items", document["items"], "objects, and no more lists")
            yield from _flattened(document["items"], depth + 1)
        else:
            yield document


def _not_covered(identity: _Identity, kind: str) -> dict[str, Any]:
    return {"address": identity.address(), "kind": kind}


def _unlisted(identity: _Identity, found: _Found) -> list[dict[str, Any]]:
    names = found.unlisted[:_MOST_UNLISTED]
    kinds = [name[:_LONGEST_SHOWN] for name in names]
    if len(found.unlisted) > len(names):
        kinds.append(f"{len(found.unlisted) - len(names)} more resources")
    return [_not_covered(identity, kind) for kind in kinds]


def _full(group: str, kind: str) -> str:
    """A kind with its group, because several groups have a ``Job``."""
    return f"{kind}.{group}" if group else kind


def _validated(request: dict[str, Any]) -> Request:
    try:
        return Request.model_validate(request)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise RequestRefused(
            f"`{where}` of the object cannot be used: {first['msg'].lower()}",
            hint="Send the object as the API server would take it.",
            code=CODE,
        ) from None
