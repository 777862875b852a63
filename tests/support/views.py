"""A view of a cluster in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.kubernetes.kinds import group_of
from adapters.kubernetes.view import KindName

AS_OF = datetime(2026, 11, 2, 8, 59, 57, 500_000, tzinfo=UTC)


class MemoryView:
    """A ``ClusterView`` of *documents*, ordinary objects of Kubernetes.

    It has all objects of every kind, but for the kinds in *partly*.
    """

    def __init__(
        self,
        *documents: dict[str, Any],
        as_of: datetime | None = AS_OF,
        partly: Sequence[KindName] = (),
    ) -> None:
        self.as_of = as_of
        self.asked = 0
        self._partly = frozenset(partly)
        self._changes = 0
        self._objects: dict[KindName, dict[tuple[str, str], dict[str, Any]]] = {}
        for document in documents:
            self.put(document)

    def put(self, document: dict[str, Any]) -> None:
        """Hold *document*, in place of one with the same name."""
        metadata = document["metadata"]
        at = metadata.get("namespace", ""), metadata["name"]
        self._of(document)[at] = document
        self._changes += 1

    def drop(self, document: dict[str, Any]) -> None:
        """Hold *document* no longer."""
        metadata = document["metadata"]
        del self._of(document)[metadata.get("namespace", ""), metadata["name"]]
        self._changes += 1

    def is_complete(self, kind: KindName) -> bool:
        return kind not in self._partly

    def find(self, kind: KindName, namespace: str, name: str) -> dict[str, Any] | None:
        self.asked += 1
        return self._objects.get(kind, {}).get((namespace, name))

    def all(self, kind: KindName) -> Sequence[dict[str, Any]]:
        self.asked += 1
        return list(self._objects.get(kind, {}).values())

    def changes(self, kind: KindName) -> int:
        del kind
        return self._changes

    def _of(self, document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
        kind = KindName(group_of(document["apiVersion"]), document["kind"])
        return self._objects.setdefault(kind, {})
