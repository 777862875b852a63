"""What has been told of each object of a cluster, and what is to be told next.

The same whatever way observations take: one that comes again tells nothing, one that comes late is
left out, and what was missed between two lists is told as far as the lists show it. It begins with
what the log has, so that a service that was away goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

from adapters.kubernetes.lifecycle import Life, Over
from adapters.kubernetes.view import KindName
from service.model.subject_event import Happened, Observed, SubjectEvent
from service.pipeline import stamp

DELETED = "Deleted"
ABSENT = "Absent"
_MOST_REMEMBERED = 8192
"""Objects that are gone, or of which nothing was told, and of which more might be heard late."""
_Remembered = TypeVar("_Remembered")
_EXPECTED = {Over.ENDED: Happened.ENDED, Over.FAILED: Happened.FAILED}


class Known(NamedTuple):
    """What was told last of an object."""

    event_id: str
    is_over: bool
    kind: KindName
    namespace: str | None
    subject: str
    address: str
    uid: str
    version: str
    generation: int | None
    state_digest: str

    @classmethod
    def of(cls, event: SubjectEvent) -> Known:
        """What *event* left."""
        return cls(
            event.event_id,
            event.event is not Happened.APPLIED,
            KindName(event.group, event.kind),
            event.namespace,
            event.subject,
            event.address,
            event.uid,
            event.resource_version,
            event.generation,
            event.state_digest,
        )


class Subjects:
    """The objects of one cluster, as far as events tell of them."""

    def __init__(
        self,
        cluster: str | None,
        living: Iterable[SubjectEvent],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """*living* is what the log has of objects that had not ended when it was asked."""
        self._cluster = cluster
        self._clock = clock
        self._known = {event.uid: Known.of(event) for event in living}
        self._unseen = set(self._known)
        self._at = {_place(known): uid for uid, known in self._known.items()}
        self._gone: OrderedDict[str, Known] = OrderedDict()
        self._silent: OrderedDict[str, str] = OrderedDict()

    def knows(self, uid: str) -> bool:
        """Whether anything was told of the object *uid*, which is still there."""
        return uid in self._known

    def remembers(self, uid: str) -> bool:
        """Whether it is clear what was told of the object *uid*, if anything."""
        return uid in self._known or uid in self._gone or uid in self._silent

    def recall(self, events: Iterable[SubjectEvent]) -> None:
        """Take over the last events that the log has of objects which are not remembered."""
        for event in events:
            known = Known.of(event)
            if known.is_over:
                _put(self._gone, event.uid, known)
            else:
                self._hold(known)

    def living(self) -> frozenset[str]:
        """The uids of objects of which was told that they are there and not over."""
        return frozenset(uid for uid, known in self._known.items() if not known.is_over)

    def see(self, life: Life, observed: Observed) -> list[SubjectEvent]:
        """What is to be told after *life* was observed."""
        known = self._known.get(life.uid)
        former = known or self._gone.get(life.uid)
        version = former.version if former is not None else self._silent.get(life.uid, "")
        if _is_older(life.version, version):
            return []
        if known is None and former is not None:
            if observed is not Observed.LIST:
                return []  # of before it was deleted; only a list proves that it is there
            known = self._hold(former)
        told: list[SubjectEvent] = []
        other = self._known.get(self._at.get((life.kind, life.address), ""))
        if other is not None and other.uid != life.uid:
            if _is_older(life.version, other.version):
                return []
            told += self.lose(other.uid, observed)
        self._unseen.discard(life.uid)
        if (event := self._next(life, known, observed)) is not None:
            told.append(event)
        elif known is not None:
            self._known[life.uid] = known._replace(version=life.version)
        else:
            _put(self._silent, life.uid, life.version)
        return told

    def keep(self, uid: str) -> None:
        """Whatever the object *uid* is now, it is there."""
        self._unseen.discard(uid)

    def lose(
        self, uid: str, observed: Observed, deleted_at: str | None = None
    ) -> list[SubjectEvent]:
        """What is to be told after the object *uid* was found to be gone."""
        known = self._known.pop(uid, None)
        if known is None:
            return []
        self._unseen.discard(uid)
        self._at.pop(_place(known), None)
        if known.is_over:
            _put(self._gone, uid, known)
            return []
        reason = DELETED if observed is Observed.WATCH else ABSENT
        event = self._end(known, Happened.ENDED, observed, (reason, deleted_at))
        _put(self._gone, uid, Known.of(event))
        return [event]

    def listed(self, kind: KindName) -> list[SubjectEvent]:
        """What is to be told after all objects of *kind* were seen: what is missing has ended."""
        missing = [uid for uid in self._unseen if self._known[uid].kind == kind]
        return [event for uid in missing for event in self.lose(uid, Observed.LIST)]

    def _next(self, life: Life, known: Known | None, observed: Observed) -> SubjectEvent | None:
        is_running = life.outcome is None and not life.is_going
        if known is not None and not known.is_over:
            if life.outcome is not None:
                event = _EXPECTED[life.outcome.over]
                about = life.outcome.reason, life.outcome.at
                now = known._replace(version=life.version, generation=life.generation)
                return self._keep(self._end(now, event, observed, about))
            if is_running and life.state_digest != known.state_digest:
                return self._keep(self._begin(life, known, observed))
            return None
        if is_running and life.takes:
            return self._keep(self._begin(life, known, observed))
        return None

    def _keep(self, event: SubjectEvent) -> SubjectEvent:
        self._hold(Known.of(event))
        return event

    def _hold(self, known: Known) -> Known:
        self._known[known.uid] = known
        self._at[_place(known)] = known.uid
        self._gone.pop(known.uid, None)
        self._silent.pop(known.uid, None)
        return known

    def _begin(self, life: Life, former: Known | None, observed: Observed) -> SubjectEvent:
        previous = former and former.event_id
        return SubjectEvent(
            event_id=_id(self._cluster, life.uid, life.version, previous),
            time=stamp(self._clock()),
            happened_at=life.created if former is None and life.generation in (None, 1) else None,
            event=Happened.APPLIED,
            observed=observed,
            cluster=self._cluster,
            namespace=life.namespace,
            subject=life.subject,
            address=life.address,
            group=life.kind.group,
            kind=life.kind.kind,
            uid=life.uid,
            resource_version=life.version,
            previous=previous,
            generation=life.generation,
            state_digest=life.state_digest,
        )

    def _end(
        self,
        known: Known,
        event: Happened,
        observed: Observed,
        about: tuple[str, str | None],
    ) -> SubjectEvent:
        reason, at = about
        return SubjectEvent(
            # Without its version: what is over was over once, however late that was noticed.
            event_id=_id(self._cluster, known.uid, "", known.event_id),
            time=stamp(self._clock()),
            happened_at=at,
            event=event,
            observed=observed,
            reason=reason,
            cluster=self._cluster,
            namespace=known.namespace,
            subject=known.subject,
            address=known.address,
            group=known.kind.group,
            kind=known.kind.kind,
            uid=known.uid,
            resource_version=known.version,
            previous=known.event_id,
            generation=known.generation,
            state_digest=known.state_digest,
        )


def _put(remembered: OrderedDict[str, _Remembered], uid: str, value: _Remembered) -> None:
    remembered[uid] = value
    remembered.move_to_end(uid)
    if len(remembered) > _MOST_REMEMBERED:
        remembered.popitem(last=False)


def _place(known: Known) -> tuple[KindName, str]:
    return known.kind, known.address


def _id(cluster: str | None, uid: str, version: str, previous: str | None) -> str:
    """The same for the same event, whoever notices it."""
    text = json.dumps([cluster, uid, version, previous])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_older(version: str, than: str) -> bool:
    """Whether one version of an object is older than another; not, where that cannot be told.

    Versions are numbers that only grow (Kubernetes enhancement 5504), but for API servers that are
    not Kubernetes' own.
    """
    if not (version.isdecimal() and than.isdecimal()):
        return False
    return int(version) < int(than)
