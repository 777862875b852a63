from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.kubernetes.view import KindName
from service.cluster import telling as module
from service.cluster.held import Held, Key, Seen, encode
from service.cluster.telling import LISTED, PUT, Listener, Operation, Telling, apply, frame
from service.cluster.watcher import following
from service.log.channel import Frames

pytestmark = pytest.mark.enable_socket

_QUEUE = KindName("kueue.x-k8s.io", "LocalQueue")
_NODE = KindName("", "Node")


def _put(held: Held, name: str, kind: KindName = _QUEUE, **spec: Any) -> None:
    document = {"metadata": {"name": name}, "spec": spec}
    held.put(Key(kind, "team", name), encode(document, "1"))


def _contents(held: Held) -> dict[KindName, list[str]]:
    return {
        kind: sorted(f"{one['metadata']['name']} {one['spec']}" for one in held.all(kind))
        for kind in held.kinds()
    }


def _all(listener: Listener) -> list[Operation]:
    found: list[Operation] = []
    while operations := listener.take():
        found += operations
    return found


def _begun(*kinds: KindName) -> Held:
    held = Held()
    held.keep_only(kinds)
    for kind in kinds:
        held.begin(kind)
    return held


def test_a_listener_is_told_everything_and_then_what_changes() -> None:
    ours, theirs = _begun(_QUEUE, _NODE), Held()
    _put(ours, "a", n=1)
    ours.listed(_QUEUE, 10.0)
    listener = Listener(ours, is_begun=True)
    apply(theirs, _all(listener))
    assert _contents(theirs) == _contents(ours)
    assert theirs.is_complete(_QUEUE)
    assert not theirs.is_complete(_NODE)

    ours.observe(listener.change)
    _put(ours, "a", n=2)
    ours.drop(Key(_QUEUE, "team", "b"))
    _put(ours, "c")
    ours.drop(Key(_QUEUE, "team", "c"))
    ours.confirm(_QUEUE, 20.0)
    listener.moment(_QUEUE)
    apply(theirs, _all(listener))
    assert _contents(theirs) == _contents(ours)
    assert theirs.current(_QUEUE) == 20.0


def test_a_list_is_called_complete_only_after_its_objects() -> None:
    ours = _begun(_QUEUE)
    listener = Listener(ours, is_begun=True)
    ours.observe(listener.change)
    _all(listener)
    for number in range(3):
        _put(ours, f"o{number}")
    ours.listed(_QUEUE, 10.0)
    listener.moment(_QUEUE)
    assert [operation[0] for operation in _all(listener)] == [PUT, PUT, PUT, LISTED]


def test_a_moment_is_said_after_every_change_before_it() -> None:
    ours, theirs = _begun(_QUEUE), Held()
    ours.listed(_QUEUE, 10.0)
    listener = Listener(ours, is_begun=True)
    ours.observe(listener.change)
    listener.moment(_QUEUE)
    _put(ours, "a")
    ours.confirm(_QUEUE, 20.0)
    listener.moment(_QUEUE)

    found = _all(listener)
    at = next(number for number, one in enumerate(found) if one[0] == PUT)
    apply(theirs, found[:at])
    assert theirs.current(_QUEUE) in {None, 10.0}
    apply(theirs, found[at:])
    assert theirs.current(_QUEUE) == 20.0


def test_what_waits_for_a_slow_listener_is_no_more_than_there_are_objects() -> None:
    ours, theirs = _begun(_QUEUE), Held()
    listener = Listener(ours, is_begun=True)
    ours.observe(listener.change)
    for number in range(5000):
        _put(ours, f"o{number % 10}", n=number)
    found = _all(listener)
    assert len([one for one in found if one[0] == PUT]) == 10
    apply(theirs, found)
    assert _contents(theirs) == _contents(ours)


def test_frames_have_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    ours = _begun(_QUEUE)
    for number in range(100):
        _put(ours, f"o{number}", text="x" * 200)
    listener = Listener(ours, is_begun=True)
    sizes = []
    while operations := listener.take():
        sizes.append(len(frame(operations)))
    assert len(sizes) > 10
    assert max(sizes) < 2500


def test_whoever_comes_back_learns_what_has_gone_meanwhile() -> None:
    ours, theirs = _begun(_QUEUE, _NODE), Held()
    _put(ours, "a")
    _put(ours, "b", _NODE)
    for kind in (_QUEUE, _NODE):
        ours.listed(kind, 10.0)
    apply(theirs, _all(Listener(ours, is_begun=True)))

    seen: list[Seen] = []
    theirs.observe(seen.append)
    successor = _begun(_QUEUE)
    early = Listener(successor, is_begun=True)
    apply(theirs, _all(early))
    # Kinds that are not watched any more go at once, objects only when all have been read.
    assert theirs.kinds() == [_QUEUE]
    assert theirs.find(_QUEUE, "team", "a") is not None
    assert theirs.current(_QUEUE) == 10.0

    successor.observe(early.change)
    _put(successor, "c")
    successor.listed(_QUEUE, 30.0)
    early.moment(_QUEUE)
    apply(theirs, _all(early))
    assert _contents(theirs) == _contents(successor)
    assert {(one.key.name, one.after is None, one.is_listed) for one in seen} == {
        ("b", True, True),
        ("c", False, True),
        ("a", True, True),
    }


def test_a_change_found_by_a_list_is_told_as_such() -> None:
    ours, theirs = _begun(_QUEUE), Held()
    ours.listed(_QUEUE, 1.0)
    listener = Listener(ours, is_begun=True)
    ours.observe(listener.change)
    apply(theirs, _all(listener))
    seen: list[Seen] = []
    theirs.observe(seen.append)
    _put(ours, "watched")
    apply(theirs, _all(listener))
    ours.begin(_QUEUE)
    _put(ours, "listed")
    ours.listed(_QUEUE, 2.0)
    listener.moment(_QUEUE)
    apply(theirs, _all(listener))
    told = [(one.key.name, one.after is None, one.is_listed) for one in seen]
    assert told == [("watched", False, False), ("listed", False, True), ("watched", True, True)]


def test_any_history_leaves_both_ends_the_same() -> None:
    chance = random.Random(11)
    ours, theirs = _begun(_QUEUE, _NODE), Held()
    listener = Listener(ours, is_begun=True)
    ours.observe(listener.change)
    for step in range(3000):
        kind = chance.choice((_QUEUE, _NODE))
        choice = chance.random()
        if choice < 0.6:
            _put(ours, f"o{chance.randrange(15)}", kind, n=chance.randrange(4))
        elif choice < 0.8:
            ours.drop(Key(kind, "team", f"o{chance.randrange(15)}"))
        elif choice < 0.85:
            ours.begin(kind)
            ours.listed(kind, float(step))
            listener.moment(kind)
        elif choice < 0.95:
            apply(theirs, listener.take())
        elif choice < 0.97:
            listener = Listener(ours, is_begun=True)
            ours._observers[:] = [listener.change]
    apply(theirs, _all(listener))
    assert _contents(theirs) == _contents(ours)


@asynccontextmanager
async def _telling(held: Held) -> AsyncIterator[tuple[str, Telling]]:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("")
    listening.listen()
    told = Telling(held)
    server = await asyncio.start_unix_server(told.serve, sock=listening)
    try:
        yield listening.getsockname().hex(), told
    finally:
        server.close()


async def _until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # any condition
            await asyncio.sleep(0.005)


async def test_listeners_follow_over_sockets_however_late_they_come() -> None:
    ours = Held()
    one, two = Held(), Held()
    async with _telling(ours) as (address, told), following(address, one, says=False):
        await asyncio.sleep(0.02)
        assert one.kinds() == []
        ours.keep_only([_QUEUE])
        told.kinds()
        ours.begin(_QUEUE)
        for number in range(2000):
            _put(ours, f"o{number}", text="x" * 500)
        ours.listed(_QUEUE, 10.0)
        told.moment(_QUEUE)
        await _until(lambda: one.is_complete(_QUEUE))
        async with following(address, two, says=False):
            await _until(lambda: two.is_complete(_QUEUE))
            _put(ours, "late")
            for held in (one, two):
                await _until(lambda held=held: held.find(_QUEUE, "team", "late") is not None)
                assert _contents(held) == _contents(ours)
        await _until(lambda: len(told._listeners) == 1)


async def test_a_view_stays_while_nobody_watches_and_goes_on_with_whoever_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.cluster.watcher._AGAIN_SECONDS", 0.01)
    first, theirs = _begun(_QUEUE), Held()
    _put(first, "a")
    first.listed(_QUEUE, 10.0)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("")
    listening.listen()
    address = listening.getsockname().hex()

    async def watch(held: Held) -> tuple[asyncio.Server, list[asyncio.StreamWriter]]:
        told, writers = Telling(held), list[asyncio.StreamWriter]()
        told.kinds()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await told.serve(reader, writer)

        return await asyncio.start_unix_server(serve, sock=listening.dup()), writers

    server, writers = await watch(first)
    async with following(address, theirs, says=False):
        await _until(lambda: theirs.is_complete(_QUEUE))
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)
        assert theirs.find(_QUEUE, "team", "a") is not None
        assert theirs.current(_QUEUE) == 10.0

        second = _begun(_QUEUE)
        _put(second, "b")
        second.listed(_QUEUE, 20.0)
        server, _ = await watch(second)
        await _until(lambda: theirs.current(_QUEUE) == 20.0)
        assert _contents(theirs) == _contents(second)
    server.close()
    listening.close()


async def test_nobody_else_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = _begun(_QUEUE), Held()
    ours.listed(_QUEUE, 10.0)
    monkeypatch.setattr("service.cluster.watcher._AGAIN_SECONDS", 0.01)
    async with _telling(ours) as (address, told):
        told.kinds()
        monkeypatch.setattr("service.cluster.telling.os.getuid", lambda: -5)
        async with following(address, theirs, says=False):
            await asyncio.sleep(0.1)
    assert theirs.kinds() == []


def test_a_frame_is_read_as_it_was_written() -> None:
    operations: list[Operation] = [(PUT, "g", "K", "ns", "n", b"1 {}", True)]
    assert list(Frames().feed(frame(operations))) == [operations]
