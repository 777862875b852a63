"""What a cluster holds beside the object of a review, as far as somebody watches it.

A view is asked while a request waits, so it answers from memory and never asks the cluster. It may
be behind: ``as_of`` says how far. Nothing found means absent only where ``is_complete`` says so;
else it is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol


class KindName(NamedTuple):
    """A kind of objects: the API group, empty for the core group, and the name of the kind."""

    group: str
    kind: str


class ClusterView(Protocol):
    """Objects of one cluster, pruned to what the adapter reads of them."""

    @property
    def as_of(self) -> datetime | None:
        """Until when all that it holds was current (with a time zone); ``None`` if nothing is."""
        ...

    def is_complete(self, kind: KindName) -> bool:
        """Whether it holds every object of *kind*, so that one it does not hold is absent."""
        ...

    def find(self, kind: KindName, namespace: str, name: str) -> dict[str, Any] | None:
        """The object of *kind* with this name; *namespace* is empty for objects of the cluster."""
        ...

    def all(self, kind: KindName) -> Sequence[dict[str, Any]]:
        """Every object of *kind* that it holds; for kinds of which there are few."""
        ...

    def changes(self, kind: KindName) -> int:
        """A number that is another one after every change of an object of *kind*.

        What is derived from all objects of a kind may be kept as long as it stays the same.
        """
        ...


class Unwatched:
    """The view of a cluster that nobody watches."""

    as_of: datetime | None = None

    def is_complete(self, kind: KindName) -> bool:
        """Nothing is known."""
        del kind
        return False

    def find(self, kind: KindName, namespace: str, name: str) -> dict[str, Any] | None:
        """Nothing is known."""
        del kind, namespace, name
        return None

    def all(self, kind: KindName) -> Sequence[dict[str, Any]]:
        """Nothing is known."""
        del kind
        return ()

    def changes(self, kind: KindName) -> int:
        """Nothing changes."""
        del kind
        return 0


UNWATCHED: ClusterView = Unwatched()
"""Shared, because it holds nothing."""
