"""What is told of objects: each thing once, whatever is seen again, late or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.kubernetes.lifecycle import Life, Outcome, Over
from adapters.kubernetes.view import KindName
from service.cluster.subjects import Subjects
from service.model.subject_event import Happened, Observed, SubjectEvent

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
JOB = KindName("batch", "Job")
WATCH, LIST = Observed.WATCH, Observed.LIST
DONE = Outcome(Over.ENDED, "Complete", "2026-05-04T11:00:00Z")
BROKEN = Outcome(Over.FAILED, "BackoffLimitExceeded", None)


def life(uid: str = "u1", version: int | str = 1, *, name: str = "train", **changes: Any) -> Life:
    return Life(
        uid,
        str(version),
        JOB,
        "prod",
        f"prod-eu/prod/Job/{name}",
        f"Job prod/{name}",
        1,
        "sha256:a",
        takes=True,
        outcome=None,
        is_going=False,
        created="2026-05-04T10:00:00Z",
    )._replace(**changes)


def subjects(*living: SubjectEvent) -> Subjects:
    return Subjects("prod-eu", living, clock=lambda: NOON)


def words(events: Any) -> list[tuple[str, str, str | None]]:
    return [(event.uid, event.event.value, event.reason) for event in events]


def test_an_object_is_applied_changes_and_is_deleted() -> None:
    seen = subjects()
    (first,) = seen.see(life(), WATCH)
    (second,) = seen.see(life(version=2, state_digest="sha256:b", generation=2), WATCH)
    (third,) = seen.lose("u1", WATCH, "2026-05-04T11:59:00Z")

    assert [event.event.value for event in (first, second, third)] == ["applied"] * 2 + ["ended"]
    assert (first.previous, second.previous, third.previous) == (
        None,
        first.event_id,
        second.event_id,
    )
    assert (first.time, first.happened_at) == ("2026-05-04T12:00:00.000Z", "2026-05-04T10:00:00Z")
    assert (second.happened_at, second.generation) == (None, 2)
    assert (third.reason, third.happened_at, third.resource_version) == (
        "Deleted",
        "2026-05-04T11:59:00Z",
        "2",
    )
    assert (third.subject, third.cluster) == ("prod-eu/prod/Job/train", "prod-eu")


@pytest.mark.parametrize(("outcome", "word"), [(DONE, "ended"), (BROKEN, "failed")])
def test_what_is_over_is_told_once_and_its_deletion_adds_nothing(
    outcome: Outcome, word: str
) -> None:
    seen = subjects()
    seen.see(life(), WATCH)
    (event,) = seen.see(life(version=2, outcome=outcome), WATCH)

    assert words([event]) == [("u1", word, outcome.reason)]
    assert event.happened_at == outcome.at
    assert seen.see(life(version=3, outcome=outcome), WATCH) == []
    assert seen.lose("u1", WATCH) == []


def test_what_runs_again_is_applied_again() -> None:
    seen = subjects()
    (first,) = seen.see(life(), WATCH)
    (second,) = seen.see(life(version=2, outcome=BROKEN), WATCH)
    (third,) = seen.see(life(version=3), WATCH)
    (fourth,) = seen.see(life(version=4, outcome=DONE), WATCH)

    assert words([third, fourth]) == [("u1", "applied", None), ("u1", "ended", "Complete")]
    assert len({event.event_id for event in (first, second, third, fourth)}) == 4
    assert third.happened_at is None


def test_a_list_that_repeats_what_is_known_tells_nothing() -> None:
    seen = subjects()
    seen.see(life(), WATCH)

    assert seen.see(life(), LIST) == []
    assert seen.see(life(version=5), LIST) == []
    assert seen.listed(JOB) == []


def test_nothing_is_told_of_what_takes_nothing_is_over_or_going() -> None:
    seen = subjects()
    assert seen.see(life(takes=False), WATCH) == []
    assert seen.see(life(outcome=DONE), LIST) == []
    assert seen.see(life(is_going=True), LIST) == []
    assert seen.lose("u1", WATCH) == []


def test_what_waits_for_its_finalizers_goes_on_until_it_is_gone() -> None:
    seen = subjects()
    seen.see(life(), WATCH)

    assert seen.see(life(version=2, is_going=True, state_digest="sha256:b"), WATCH) == []
    assert words(seen.lose("u1", WATCH)) == [("u1", "ended", "Deleted")]


def test_what_takes_nothing_any_more_is_a_change() -> None:
    seen = subjects()
    seen.see(life(), WATCH)

    assert words(seen.see(life(version=2, takes=False, state_digest="sha256:0"), WATCH)) == [
        ("u1", "applied", None)
    ]
    assert seen.living() == {"u1"}


def test_what_comes_late_is_left_out() -> None:
    seen = subjects()
    seen.see(life(version=10, state_digest="sha256:b"), WATCH)
    assert seen.see(life(version=9), WATCH) == []
    seen.lose("u1", WATCH)
    assert seen.see(life(version=9), WATCH) == []
    assert seen.see(life(version=11), WATCH) == []
    assert seen.see(life(version=9), LIST) == []


def test_what_comes_late_of_what_was_never_told_of_is_left_out_too() -> None:
    seen = subjects()
    seen.see(life(version=4, outcome=DONE), LIST)
    assert seen.see(life(version=3), WATCH) == []
    assert words(seen.see(life(version=5), WATCH)) == [("u1", "applied", None)]


def test_a_list_proves_that_what_seemed_to_be_gone_is_there() -> None:
    seen = subjects()
    (first,) = seen.see(life(version=10), WATCH)
    (second,) = seen.lose("u1", LIST)
    (third,) = seen.see(life(version=10), LIST)

    assert words([second, third]) == [("u1", "ended", "Absent"), ("u1", "applied", None)]
    assert third.event_id != first.event_id
    assert seen.living() == {"u1"}


def test_the_same_name_made_again_ends_the_first() -> None:
    seen = subjects()
    seen.see(life("u1", 5), WATCH)
    assert words(seen.see(life("u2", 9), WATCH)) == [
        ("u1", "ended", "Deleted"),
        ("u2", "applied", None),
    ]
    assert seen.lose("u1", WATCH) == []
    assert seen.see(life("u1", 6), WATCH) == []
    assert seen.see(life("u0", 2), WATCH) == []
    assert seen.living() == {"u2"}


def test_versions_that_are_no_numbers_are_taken_as_they_come() -> None:
    seen = subjects()
    seen.see(life(version="b"), WATCH)

    assert words(seen.see(life(version="a", outcome=DONE), WATCH)) == [("u1", "ended", "Complete")]


def test_a_service_that_was_away_goes_on_where_it_was() -> None:
    before = subjects()
    told = [
        event
        for one in (life("u1", name="a"), life("u2", 2, name="b"), life("u3", 3, name="c"))
        for event in before.see(one, WATCH)
    ]
    after = subjects(*told)
    assert after.knows("u1")
    assert after.see(life("u1", 7, name="a"), LIST) == []
    changed = life("u2", 8, name="b", state_digest="sha256:b")
    assert words(after.see(changed, LIST)) == [("u2", "applied", None)]
    assert after.listed(KindName("", "Pod")) == []
    (missing,) = after.listed(JOB)

    assert words([missing]) == [("u3", "ended", "Absent")]
    assert (missing.observed, missing.previous) == (LIST, told[2].event_id)
    assert after.listed(JOB) == []


def test_what_ended_by_mistake_is_there_again_after_a_restart() -> None:
    before = subjects()
    (first,) = before.see(life(), WATCH)
    (second,) = subjects(first).listed(JOB)
    after = subjects()
    assert not after.remembers("u1")
    after.recall([second])
    (third,) = after.see(life(), LIST)

    assert third.previous == second.event_id
    assert third.event_id != first.event_id


def test_what_was_over_before_a_restart_may_run_again_after_it() -> None:
    before = subjects()
    before.see(life(), WATCH)
    (over,) = before.see(life(version=2, outcome=BROKEN), WATCH)
    after = subjects()
    after.recall([over])

    assert after.see(life(version=2, outcome=BROKEN), LIST) == []
    assert words(after.see(life(version=3), WATCH)) == [("u1", "applied", None)]


def test_what_another_service_told_meanwhile_is_not_told_again() -> None:
    (told,) = subjects().see(life(), WATCH)
    other = subjects()
    other.recall([told])

    assert other.see(life(), WATCH) == []


def test_what_is_there_in_another_form_is_not_missing() -> None:
    (told,) = subjects().see(life(), WATCH)
    after = subjects(told)
    after.keep("u1")

    assert after.listed(JOB) == []


def test_who_notices_the_same_gives_it_the_same_id() -> None:
    one, other = subjects(), subjects()
    assert one.see(life(), WATCH)[0].event_id == other.see(life(), LIST)[0].event_id
    one.see(life(version=8), WATCH)
    assert one.lose("u1", WATCH)[0].event_id == other.lose("u1", LIST)[0].event_id


def test_only_so_many_that_are_gone_are_remembered() -> None:
    seen = subjects()
    for number in range(9000):
        seen.see(life(f"u{number}", number + 1, name=f"n{number}"), WATCH)
        seen.lose(f"u{number}", WATCH)

    assert len(seen._gone) == 8192


class Log:
    """What the log keeps: each event once, in order."""

    def __init__(self) -> None:
        self.events: dict[str, SubjectEvent] = {}

    def keep(self, events: Any) -> None:
        for event in events:
            self.events.setdefault(event.event_id, event)

    def last(self) -> dict[str, SubjectEvent]:
        return {event.uid: event for event in self.events.values()}

    def of(self, uid: str) -> list[SubjectEvent]:
        return [event for event in [self.last().get(uid)] if event is not None]

    def living(self) -> list[SubjectEvent]:
        return [event for event in self.last().values() if event.event is Happened.APPLIED]


class Cluster(RuleBasedStateMachine):
    """A cluster, whoever watches it with gaps, restarts and repetitions, and the log."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 0
        self.objects: dict[str, Life] = {}
        self.born = 0
        self.stream: list[Life | str] = []
        self.past: list[Life] = []
        self.log = Log()
        self.seen = subjects()

    @initialize()
    def begin(self) -> None:
        self.seen.listed(JOB)

    def _new(self, name: str, **changes: Any) -> None:
        self.version += 1
        if name in self.objects:
            one = self.objects[name]._replace(version=str(self.version), **changes)
        else:
            self.born += 1
            one = life(f"u{self.born}", self.version, name=name, **changes)
        self.objects[name] = one
        self.stream.append(one)
        self.past.append(one)

    def _see(self, one: Life, observed: Observed) -> None:
        if not self.seen.remembers(one.uid):
            self.seen.recall(self.log.of(one.uid))
        self.log.keep(self.seen.see(one, observed))

    names = st.sampled_from(["a", "b", "c"])

    @rule(name=names, digest=st.sampled_from(["sha256:a", "sha256:b"]), takes=st.booleans())
    def write(self, name: str, digest: str, takes: bool) -> None:  # noqa: FBT001
        self._new(name, state_digest=digest, takes=takes)

    @rule(name=names, outcome=st.sampled_from([DONE, BROKEN, None]))
    def finish(self, name: str, outcome: Outcome | None) -> None:
        if name in self.objects:
            self._new(name, outcome=outcome)

    @rule(name=names)
    def delete(self, name: str) -> None:
        if name in self.objects:
            self.version += 1
            self.stream.append(self.objects.pop(name).uid)

    @rule(name=names, takes=st.booleans())
    def make_again(self, name: str, takes: bool) -> None:  # noqa: FBT001
        self.delete(name)
        self._new(name, takes=takes)

    @rule()
    def watch(self) -> None:
        for one in self.stream:
            if isinstance(one, str):
                self.log.keep(self.seen.lose(one, WATCH))
            else:
                self._see(one, WATCH)
        self.stream.clear()

    @precondition(lambda self: self.stream)
    @rule(data=st.data())
    def miss(self, data: st.DataObject) -> None:
        self.stream.pop(data.draw(st.integers(0, len(self.stream) - 1)))

    @precondition(lambda self: self.past)
    @rule(data=st.data(), observed=st.sampled_from([WATCH, LIST]))
    def hear_late(self, data: st.DataObject, observed: Observed) -> None:
        one = data.draw(st.sampled_from(self.past))
        if observed is WATCH or one in self.objects.values():
            self._see(one, observed)

    @rule()
    def read_all(self) -> None:
        """As the view does: what is there, then the end of what it held and is not there."""
        self.stream.clear()
        there = {one.uid for one in self.objects.values()}
        for one in self.objects.values():
            self._see(one, LIST)
        for uid in [uid for uid in self.seen._known if uid not in there]:
            self.log.keep(self.seen.lose(uid, LIST))
        self.log.keep(self.seen.listed(JOB))
        self._agrees()

    @rule()
    def restart(self) -> None:
        self.seen = subjects(*self.log.living())
        self.stream.clear()
        self.past = list(self.objects.values())
        self.read_all()

    @rule()
    def look_elsewhere(self) -> None:
        """A service that was pointed at another cluster, and then at this one again."""
        self.seen = subjects(*self.log.living())
        self.log.keep(self.seen.listed(JOB))
        assert self.log.living() == []
        self.restart()

    def _agrees(self) -> None:
        living = {event.uid: event for event in self.log.living()}
        for one in self.objects.values():
            if one.outcome is None and one.takes:
                assert living.pop(one.uid).state_digest == one.state_digest
            else:
                living.pop(one.uid, None)  # it asks for nothing any more, and is still there
        assert living == {}

    @invariant()
    def each_life_is_in_order(self) -> None:
        lives: dict[str, list[SubjectEvent]] = {}
        for event in self.log.events.values():
            lives.setdefault(event.uid, []).append(event)
        for events in lives.values():
            assert events[0].event is Happened.APPLIED
            for one, following in pairwise(events):
                assert following.previous == one.event_id
                if one.event is Happened.APPLIED and following.event is Happened.APPLIED:
                    assert one.state_digest != following.state_digest
                if one.event is not Happened.APPLIED:
                    assert following.event is Happened.APPLIED


Cluster.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestCluster = Cluster.TestCase
