"""Certificates in Secrets of a cluster, and the webhook configurations that state whom to trust."""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from service.certificates.folder import BUNDLE, CERTIFICATE, KEY, read_book
from service.certificates.keeping import Kept
from service.certificates.making import Pair
from service.certificates.rotation import Book
from service.cluster.client import Client, Served

AUTHORITIES = "portreeve-authorities"
TLS = "portreeve-tls"
_BOOK = "authorities.json"
_LABELS = {"app.kubernetes.io/name": "portreeve"}
_ADMISSION = "admissionregistration.k8s.io"
_VERBS = frozenset({"get", "create", "update"})
_SECRETS = Served("", "v1", "Secret", "secrets", True, _VERBS)
_CONFIGURATIONS = tuple(
    Served(
        _ADMISSION,
        "v1",
        f"{kind}WebhookConfiguration",
        f"{kind.lower()}webhookconfigurations",
        False,
        _VERBS,
    )
    for kind in ("Validating", "Mutating")
)


class Secrets:
    """A ``Store`` of two Secrets: one for the service, and one that no pod has but ours."""

    def __init__(self, client: Client, namespace: str) -> None:
        """Keep them in *namespace*."""
        self._client = client
        self._namespace = namespace
        self._read: dict[str, dict[str, Any] | None] = {}

    def alone(self) -> AbstractContextManager[object]:
        """Others may take steps: what they changed after ``read`` is not written over."""
        return contextlib.nullcontext()

    def read(self) -> Kept:
        """What is kept.

        Raises:
            ClusterUnavailable: The API server gave no usable answer.
            SettingsRefused: The Secret of the authorities is not what was written.
        """
        for name in (AUTHORITIES, TLS):
            self._read[name] = self._client.read(_SECRETS, self._namespace, name)
        book = _data(self._read[AUTHORITIES]).get(_BOOK)
        tls = _data(self._read[TLS])
        whole = CERTIFICATE in tls and KEY in tls
        where = f"{self._namespace}/{AUTHORITIES}"
        return Kept(
            None if book is None else read_book(book, where),
            Pair(tls[CERTIFICATE], tls[KEY]) if whole else None,
        )

    def write_book(self, book: Book) -> None:
        """Keep the authorities.

        Raises:
            ClusterUnavailable: They were not kept; ``answered`` is 409 where somebody else did.
        """
        content = {_BOOK: book.model_dump_json().encode(), BUNDLE: book.bundle}
        self._put(AUTHORITIES, "Opaque", content)

    def write_pair(self, pair: Pair) -> None:
        """Keep the certificate and its key, both at once.

        Raises:
            ClusterUnavailable: As ``write_book``.
        """
        content = {CERTIFICATE: pair.certificate, KEY: pair.key}
        self._put(TLS, "kubernetes.io/tls", content)

    def _put(self, name: str, kind: str, content: dict[str, bytes]) -> None:
        data = {key: base64.b64encode(value).decode() for key, value in content.items()}
        found = self._read.get(name)
        if found is None:
            metadata = {"name": name, "namespace": self._namespace, "labels": _LABELS}
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind}
            made = self._client.create(_SECRETS, self._namespace, {**secret, "data": data})
        else:
            # With the resourceVersion that it was read with.
            changed = {**found, "data": {**(found.get("data") or {}), **data}}
            made = self._client.update(_SECRETS, self._namespace, name, changed)
        self._read[name] = made


class Webhooks:
    """A ``Trust`` that writes the ``caBundle`` of webhook configurations."""

    asks = ""

    def __init__(self, client: Client, name: str) -> None:
        """Those called *name*, validating and mutating, as far as they are there."""
        self._client = client
        self._name = name

    def read(self) -> tuple[bytes, ...]:
        """The ``caBundle`` of each webhook.

        Raises:
            ClusterUnavailable: The API server gave no usable answer.
        """
        return tuple(
            _decoded(hook.get("clientConfig", {}).get("caBundle"))
            for _, found in self._found()
            for hook in found.get("webhooks") or []
        )

    def write(self, bundle: bytes) -> bool:
        """Write it into all of them.

        Raises:
            ClusterUnavailable: Some were not written; ``answered`` is 409 where somebody else
                changed them at the same time.
        """
        encoded = base64.b64encode(bundle).decode()
        for served, found in self._found():
            changed = copy.deepcopy(found)
            for hook in changed.get("webhooks") or []:
                hook.setdefault("clientConfig", {})["caBundle"] = encoded
            if changed != found:
                self._client.update(served, "", self._name, changed)
        return True

    def _found(self) -> Iterator[tuple[Served, dict[str, Any]]]:
        for served in _CONFIGURATIONS:
            found = self._client.read(served, "", self._name)
            if found is not None:
                yield served, found


def _data(secret: dict[str, Any] | None) -> dict[str, bytes]:
    return {key: _decoded(value) for key, value in ((secret or {}).get("data") or {}).items()}


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        return b""
