"""The objects of a cluster as a process holds them, current until a moment that it knows.

Objects are bytes, decoded each time one is asked for: decoded they would take about six times as
much. Whoever derives something from all objects of a kind keeps it until ``changes`` is another
number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from adapters.kubernetes.view import KindName
from adapters.kubernetes.watched import PARTLY

_BETWEEN = b" "


class Key(NamedTuple):
    """Where an object is; *namespace* is empty for objects of the cluster."""

    kind: KindName
    namespace: str
    name: str


class Seen(NamedTuple):
    """A change of what is held.

    Attributes:
        key: Which object.
        before: As it was held; ``None`` where it was not.
        after: As it is held now; ``None`` where it is gone.
        is_listed: Whether it was found by reading all objects, so that it may have happened long
            ago, while nobody watched.
    """

    key: Key
    before: bytes | None
    after: bytes | None
    is_listed: bool

    def decoded_before(self) -> dict[str, Any] | None:
        """The object as it was."""
        return decode(self.before) if self.before is not None else None

    def decoded_after(self) -> dict[str, Any] | None:
        """The object as it is."""
        return decode(self.after) if self.after is not None else None


def encode(document: dict[str, Any], resource_version: str) -> bytes:
    """A pruned object and its version as they are held.

    The version stands before the object, so that it can be told whether only that is another.
    """
    return resource_version.encode() + _BETWEEN + to_json(document)


def decode(held: bytes) -> dict[str, Any]:
    """The object that *held* is, with its version."""
    version, _, body = held.partition(_BETWEEN)
    document: dict[str, Any] = from_json(body, cache_strings="keys")
    document["metadata"]["resourceVersion"] = version.decode()
    return document


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two held objects differ in their version at the most."""
    start, beginning = one.index(_BETWEEN), other.index(_BETWEEN)
    return len(one) - start == len(other) - beginning and one[start:] == other[beginning:]


class _Kind:
    """The objects of one kind."""

    __slots__ = ("changes", "current", "is_listed", "objects", "unseen")

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.unseen: set[tuple[str, str]] | None = None
        self.is_listed = False
        self.current = 0.0
        self.changes = 0


class Held:
    """A ``ClusterView`` of what it was told; used in one thread only."""

    def __init__(self) -> None:
        self._kinds: dict[KindName, _Kind] = {}
        self._observers: list[Callable[[Seen], None]] = []
        self._completed: list[Callable[[KindName], None]] = []

    @property
    def as_of(self) -> datetime | None:
        """Until when all that it holds was current; ``None`` while no kind was read to its end."""
        moments = [kind.current for kind in self._kinds.values() if kind.is_listed]
        return datetime.fromtimestamp(min(moments), UTC) if moments else None

    def is_complete(self, kind: KindName) -> bool:
        """Whether it held every object of *kind* at ``as_of``."""
        found = self._kinds.get(kind)
        return found is not None and found.is_listed and kind not in PARTLY

    def find(self, kind: KindName, namespace: str, name: str) -> dict[str, Any] | None:
        """The object of *kind* with this name; a new one each time, which may be changed."""
        known = self._kinds.get(kind)
        found = known.objects.get((namespace, name)) if known is not None else None
        return decode(found) if found is not None else None

    def all(self, kind: KindName) -> Sequence[dict[str, Any]]:
        """Every object of *kind*, decoded for the caller."""
        known = self._kinds.get(kind)
        return [decode(one) for one in list(known.objects.values())] if known is not None else ()

    def changes(self, kind: KindName) -> int:
        """A number that is another one after every change of an object of *kind*."""
        known = self._kinds.get(kind)
        return known.changes if known is not None else 0

    def observe(
        self,
        observer: Callable[[Seen], None],
        *,
        completed: Callable[[KindName], None] | None = None,
    ) -> None:
        """Tell *observer* of every change, and *completed* of each kind that was read to its end.

        Both are called while the view is written, and must be quick.
        """
        self._observers.append(observer)
        if completed is not None:
            self._completed.append(completed)

    def kinds(self) -> list[KindName]:
        """The kinds of which something may be held."""
        return list(self._kinds)

    def keys(self, kind: KindName) -> Iterator[Key]:
        """Where the objects of *kind* are."""
        known = self._kinds.get(kind)
        for namespace, name in known.objects if known is not None else ():
            yield Key(kind, namespace, name)

    def raw(self, key: Key) -> bytes | None:
        """The object at *key* as it is held."""
        known = self._kinds.get(key.kind)
        return known.objects.get(key[1:]) if known is not None else None

    def current(self, kind: KindName) -> float | None:
        """Until when objects of *kind* are current, in seconds since 1970; ``None``: not read."""
        found = self._kinds.get(kind)
        return found.current if found is not None and found.is_listed else None

    def counts(self) -> dict[str, int]:
        """How many objects of each kind are held."""
        found: defaultdict[str, int] = defaultdict(int)
        for name, kind in self._kinds.items():
            found[f"{name.kind}.{name.group}" if name.group else name.kind] += len(kind.objects)
        return dict(found)

    def keep_only(self, kinds: Iterable[KindName]) -> None:
        """Forget objects of any other kind: the cluster does not serve it any more."""
        wanted = set(kinds)
        for name in [name for name in self._kinds if name not in wanted]:
            for key in list(self.keys(name)):
                self.drop(key, is_listed=True)
            del self._kinds[name]
        for name in wanted:
            self._of(name)

    def begin(self, kind: KindName) -> None:
        """All objects of *kind* are told from now on; what is held stays until they are."""
        known = self._of(kind)
        known.unseen = set(known.objects)

    def put(self, key: Key, held: bytes, *, is_listed: bool = False) -> bool:
        """Hold an object; whether it is another one than before, but for its version."""
        known = self._of(key.kind)
        at = key[1:]
        before = known.objects.get(at)
        if known.unseen is not None:
            known.unseen.discard(at)
        if before is not None and is_same(before, held):
            return False
        known.objects[at] = held
        self._tell(known, Seen(key, before, held, is_listed or known.unseen is not None))
        return True

    def drop(self, key: Key, *, is_listed: bool = False) -> bool:
        """Hold the object at *key* no longer; whether it was held."""
        known = self._of(key.kind)
        before = known.objects.pop(key[1:], None)
        if before is None:
            return False
        self._tell(known, Seen(key, before, None, is_listed))
        return True

    def listed(self, kind: KindName, current: float) -> None:
        """All objects of *kind* have been told as they were at *current*: no others are there."""
        known = self._of(kind)
        unseen, known.unseen = known.unseen or set(), None
        for at in unseen:
            self.drop(Key(kind, *at), is_listed=True)
        known.is_listed = True
        known.current = current
        for completed in self._completed:
            completed(kind)

    def confirm(self, kind: KindName, current: float) -> None:
        """All changes of objects of *kind* until *current* have been told."""
        known = self._of(kind)
        if known.is_listed:
            known.current = max(known.current, current)

    def _of(self, kind: KindName) -> _Kind:
        return self._kinds.setdefault(kind, _Kind())

    def _tell(self, known: _Kind, seen: Seen) -> None:
        known.changes += 1
        for observer in self._observers:
            observer(seen)
