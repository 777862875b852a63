"""The AdmissionReview v1 that the API server sends.

Only what we use is read; the API adds fields with every release.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from adapters.kubernetes.payload import mapping, text, texts, wrong
from service.errors import RequestRefused
from service.model.request import ActorKind

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"

_HINT = "Set `admissionReviewVersions: [v1]` in the ValidatingWebhookConfiguration."
_LONGEST_UID = 128


class Asked(NamedTuple):
    """What a review says: who wants to do what to which object.

    Attributes:
        uid: Identifies the question; the same for a repetition.
        group: API group of the object, empty for the core group.
        kind: Kind of the object.
        resource: Plural name, as in the API's paths.
        subresource: Empty for the object itself.
        name: Empty where the API server makes one up later.
        namespace: Empty for objects of the cluster.
        operation: ``CREATE``, ``UPDATE``, ``DELETE`` or ``CONNECT``.
        actor: Name, groups and kind of the account.
        is_dry_run: Whether nothing will be stored.
        new: The object as it shall be; ``None`` for a deletion.
        old: The object as it was; ``None`` for a creation.
        resource_group: API group of the resource, which is another than the object's where a
            subresource is written with an object of its own.
    """

    uid: str
    group: str
    kind: str
    resource: str
    subresource: str
    name: str
    namespace: str
    operation: str
    actor: dict[str, Any]
    is_dry_run: bool
    new: dict[str, Any] | None
    old: dict[str, Any] | None
    resource_group: str = ""


def read_review(review: Any) -> Asked:
    """What *review* asks.

    Raises:
        RequestRefused: It is no AdmissionReview v1 with a request.
    """
    request = _request(review)
    uid = text(request, "uid")
    if uid is None or len(uid) > _LONGEST_UID:
        raise RequestRefused(
            "the AdmissionReview has no `request.uid`, expected the API server's",
            code="SYS-INPUT-PAYLOAD",
        )
    kind, resource = mapping(request, "kind"), mapping(request, "resource")
    return Asked(
        uid=uid,
        group=text(kind, "group") or "",
        kind=_required(kind, "kind"),
        resource=text(resource, "resource") or "",
        subresource=text(request, "subResource") or "",
        name=text(request, "name") or "",
        namespace=text(request, "namespace") or "",
        operation=_required(request, "operation"),
        actor=_actor(mapping(request, "userInfo")),
        is_dry_run=_flag(request, "dryRun"),
        new=_object(request, "object"),
        old=_object(request, "oldObject"),
        resource_group=text(resource, "group") or "",
    )


def _request(review: Any) -> dict[str, Any]:
    if not isinstance(review, Mapping):
        raise wrong("AdmissionReview", review, "an object")
    version, kind = review.get("apiVersion"), review.get("kind")
    if version != API_VERSION or kind != KIND:
        found = f"{version if type(version) is str else '?'} {kind if type(kind) is str else '?'}"
        raise RequestRefused(
            f"the body is a `{found[:128]}`, expected `{API_VERSION} {KIND}`",
            hint=_HINT,
            code="SYS-INPUT-PAYLOAD",
        )
    request = review.get("request")
    if request is None:
        raise RequestRefused(
            "the AdmissionReview has no `request`, expected one",
            hint="Send the review as the API server does, before it is answered.",
            code="SYS-INPUT-PAYLOAD",
        )
    if type(request) is not dict:
        raise wrong("request", request, "an object")
    return request


def _required(owner: dict[str, Any], key: str) -> str:
    value = text(owner, key)
    if value is None:
        raise wrong(key, None, "a text")
    return value


def _flag(request: dict[str, Any], key: str) -> bool:
    value = request.get(key)
    if value is None or type(value) is bool:
        return bool(value)
    raise wrong(key, value, "true or false")


def _object(request: dict[str, Any], key: str) -> dict[str, Any] | None:
    value = request.get(key)
    if value is None or type(value) is dict:
        return value
    raise wrong(key, value, "an object")


def _actor(user: dict[str, Any]) -> dict[str, Any]:
    name = text(user, "username")
    return {"name": name, "groups": texts(user, "groups"), "kind": _kind_of(name)}


def _kind_of(name: str | None) -> ActorKind:
    """What kind of account has *name* (Kubernetes docs, "Authenticating")."""
    if name is None:
        return ActorKind.UNKNOWN
    if not name.startswith("system:"):
        return ActorKind.PERSON
    if name.startswith("system:serviceaccount:"):
        return ActorKind.SERVICE_ACCOUNT
    return ActorKind.NODE if name.startswith("system:node:") else ActorKind.SYSTEM
