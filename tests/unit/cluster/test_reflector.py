from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from fake_apiserver import (
    THINGS,
    Asked,
    FakeApiServer,
    Reply,
    event,
    fake_apiserver,
    listing,
    refusal,
    thing,
)
from structlog.testing import capture_logs

from service.cluster import reflector
from service.cluster.reflector import Reflector
from service.errors import ClusterUnavailable

pytestmark = pytest.mark.enable_socket


class Told:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.there: dict[str, int] = {}
        self.steps: list[str] = []
        self.moments: list[float] = []
        self._before: set[str] = set()

    def begin(self) -> None:
        self.steps.append("begin")
        self._before = set(self.there)

    def put(self, documents: Sequence[dict[str, Any]]) -> None:
        for document in documents:
            assert document["kind"] == "Thing"
            name = document["metadata"]["name"]
            self.there[name] = document["spec"].get("n", 0)
            self._before.discard(name)

    def drop(self, document: dict[str, Any]) -> None:
        self.there.pop(document["metadata"]["name"], None)

    def listed(self, current: float) -> None:
        self.steps.append("listed")
        for name in self._before:
            self.there.pop(name)
        self.moments.append(current)

    def confirm(self, current: float) -> None:
        self.moments.append(current)


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    with fake_apiserver() as fake:
        yield fake


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflector, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(reflector, "_LONGEST_PAUSE", 0.05)


def _reflector(server: FakeApiServer, told: Told, clock: Callable[[], float] = time.time) -> Any:
    return Reflector(server.client(), THINGS, told, lists=threading.Semaphore(1), clock=clock)


def _scripted(server: FakeApiServer, lists: list[Reply], watches: list[Reply]) -> None:
    """Answers, one after another; then nothing happens until the end of the test."""

    def answer(asked: Asked) -> Reply:
        replies = watches if "watch" in asked.query else lists
        if replies:
            return replies.pop(0)
        return Reply(lines=[], waits=_never) if "watch" in asked.query else refusal(503)

    server.answer = answer


_never = threading.Event()


def _run(one: Any, until: Callable[[], bool]) -> None:
    thread = threading.Thread(target=one.run, daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not until() and time.monotonic() < end:
        time.sleep(0.005)
    one.stop()
    assert until()


def _watched(server: FakeApiServer) -> list[str]:
    return [asked.query["resourceVersion"] for asked in server.asked if "watch" in asked.query]


def test_it_lists_and_goes_on_from_the_last_change_it_saw(
    server: FakeApiServer, told: Told
) -> None:
    _scripted(
        server,
        [listing(thing("a", 1), version=3, token="t"), listing(thing("b", 2), version=3)],
        [
            Reply(lines=[event("MODIFIED", thing("a", 5, n=1)), event("DELETED", thing("b", 6))]),
            Reply(lines=[event("ADDED", thing("c", 7))]),
        ],
    )
    _run(_reflector(server, told), lambda: len(_watched(server)) == 3)
    assert told.there == {"a": 1, "c": 0}
    assert _watched(server) == ["3", "6", "7"]
    assert told.steps == ["begin", "listed"]


def test_bookmarks_move_it_on_without_a_change(server: FakeApiServer, told: Told) -> None:
    bookmark = event("BOOKMARK", {"kind": "Thing", "metadata": {"resourceVersion": "40"}})
    _scripted(server, [listing(version=3)], [Reply(lines=[bookmark])])
    _run(_reflector(server, told), lambda: len(_watched(server)) == 2)
    assert _watched(server) == ["3", "40"]
    assert told.there == {}


@pytest.mark.parametrize("forgotten", [refusal(410), Reply(lines=[event("ERROR", {"code": 410})])])
def test_what_the_server_has_forgotten_is_listed_anew(
    server: FakeApiServer, told: Told, forgotten: Reply
) -> None:
    _scripted(
        server,
        [
            listing(thing("a", 1), thing("b", 2), version=3),
            listing(thing("b", 2), thing("c", 8), version=9),
        ],
        [forgotten],
    )
    with capture_logs() as lines:
        _run(_reflector(server, told), lambda: _watched(server) == ["3", "9"])
    assert told.there == {"b": 0, "c": 0}
    assert told.steps == ["begin", "listed", "begin", "listed"]
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == []


def test_a_connection_that_breaks_is_made_again_where_it_broke(
    server: FakeApiServer, told: Told
) -> None:
    _scripted(
        server,
        [listing(version=3)],
        [
            Reply(lines=[event("ADDED", thing("a", 4))], breaks=True),
            refusal(500),
            Reply(lines=[event("ADDED", thing("b", 5))]),
        ],
    )
    with capture_logs() as lines:
        _run(_reflector(server, told), lambda: len(_watched(server)) == 4)
    assert told.there == {"a": 0, "b": 0}
    assert _watched(server) == ["3", "4", "4", "5"]
    assert told.steps == ["begin", "listed"]
    said = [line["event"] for line in lines if line["event"].startswith("cluster_kind")]
    assert said == ["cluster_kind_not_read", "cluster_kind_read_again"]


def test_a_list_that_fails_halfway_takes_nothing_away(server: FakeApiServer, told: Told) -> None:
    told.there = {"old": 1}
    _scripted(
        server,
        [
            listing(thing("a", 1), version=3, token="t"),
            refusal(500),
            listing(thing("a", 1), version=5),
        ],
        [],
    )
    one = _reflector(server, told)
    with pytest.raises(ClusterUnavailable):
        one.step()
    assert told.there == {"old": 1, "a": 0}
    assert told.steps == ["begin"]
    _run(one, lambda: _watched(server) == ["5"])
    assert told.there == {"a": 0}


def test_a_list_that_is_slower_than_the_server_remembers_is_read_at_once(
    server: FakeApiServer, told: Told
) -> None:
    _scripted(
        server,
        [
            listing(thing("a", 1), version=3, token="t"),
            refusal(410),
            listing(thing("a", 1), thing("b", 1), version=5),
        ],
        [],
    )
    _run(_reflector(server, told), lambda: _watched(server) == ["5"])
    limits = [asked.query.get("limit") for asked in server.asked if "watch" not in asked.query]
    assert limits == ["100", "100", None]
    assert told.there == {"a": 0, "b": 0}


def test_it_is_current_only_as_far_as_the_server_has_told(
    server: FakeApiServer, told: Told
) -> None:
    moments = iter(range(100, 10_000, 10))
    _scripted(server, [listing(version=3)], [Reply(lines=[event("ADDED", thing("a", 4))])])
    one = _reflector(server, told, clock=lambda: float(next(moments)))
    one.step()
    # The list is as old as its beginning; then one change, and the end of its watch.
    assert told.moments == [100.0, 120.0, 130.0]

    told.moments.clear()
    _scripted(server, [], [Reply(lines=[], breaks=True)])
    with pytest.raises(ClusterUnavailable):
        one.step()
    assert told.moments == []


def test_watches_that_end_at_once_do_not_make_it_run_in_circles(
    server: FakeApiServer, told: Told
) -> None:
    _scripted(server, [listing(version=3)], [Reply(lines=[])])
    with pytest.raises(ClusterUnavailable, match="at once"):
        _reflector(server, told).step()


def test_a_busy_server_is_left_alone_as_long_as_it_asks(server: FakeApiServer, told: Told) -> None:
    one = _reflector(server, told)
    one._failures = 1
    assert one._pause(ClusterUnavailable("busy", answered=429, retry_after=9)) == 9
    assert one._pause(ClusterUnavailable("busy")) < 1


def test_pauses_grow_and_stay_bounded(server: FakeApiServer, told: Told) -> None:
    one = _reflector(server, told)
    pauses = []
    for failures in (1, 5, 1000):
        one._failures = failures
        pauses.append(one._pause(ClusterUnavailable("away")))
    assert pauses[0] < 0.02
    assert all(pause <= 0.05 * 1.3 for pause in pauses)


def test_a_defect_of_ours_does_not_end_it(server: FakeApiServer, told: Told) -> None:
    _scripted(
        server,
        [listing({"spec": {}}, version=3), listing(thing("a", 1), version=4)],
        [],
    )
    with capture_logs() as lines:
        _run(_reflector(server, told), lambda: told.there == {"a": 0})
    assert "defect" in [line["event"] for line in lines]


def test_it_stops_between_pages(server: FakeApiServer, told: Told) -> None:
    one = _reflector(server, told)

    def answer(_: Asked) -> Reply:
        one.stop()
        return listing(thing("a", 1), version=3, token="more")

    server.answer = answer
    one._list()
    assert told.steps == ["begin"]
    assert len(server.asked) == 1
