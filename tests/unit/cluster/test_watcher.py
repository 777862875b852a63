from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from adapters.kubernetes.view import UNWATCHED, KindName
from service.app import knowing, watching
from service.child import Child
from service.cluster.held import Held
from service.cluster.watcher import OLD_SECONDS, _say_old, age_seconds
from service.settings import read_settings

_NODE = KindName("", "Node")
_START = datetime(2026, 3, 1, tzinfo=UTC)


class _Clock:
    """Moves on by what is slept, and ends a task that looks at it too often."""

    def __init__(self, held: Held, listed: Iterator[bool]) -> None:
        self.moment = _START
        self._held = held
        self._listed = listed

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        for is_listed in self._listed:
            if is_listed:
                self._held.listed(_NODE, self.moment.timestamp())
            return
        raise asyncio.CancelledError


async def _said(listed: list[bool]) -> list[tuple[str, object]]:
    held = Held()
    clock = _Clock(held, iter(listed))
    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await _say_old(held, now=clock.now, sleep=clock.sleep)
    return [(line["event"], line["age_seconds"]) for line in lines]


async def test_a_view_that_gets_old_is_told_of_once_and_so_is_its_return() -> None:
    assert await _said([True] * 20) == []
    assert await _said([True, *[False] * 40, True, True]) == [
        ("cluster_view_old", OLD_SECONDS + 15),
        ("cluster_view_current", 0),
    ]


async def test_a_view_that_never_comes_is_told_of_too() -> None:
    assert await _said([False] * 40) == [("cluster_view_old", None)]


def test_the_age_is_never_negative_and_unknown_before_anything_was_read() -> None:
    held = Held()
    assert age_seconds(held, _START) is None
    held.listed(_NODE, _START.timestamp())
    assert age_seconds(held, _START + timedelta(seconds=5)) == 5
    assert age_seconds(held, _START - timedelta(seconds=5)) == 0


@pytest.mark.parametrize(
    ("stated", "where"),
    [(None, None), ("off", None), ("", None), ("in-cluster", "in-cluster"), ("/a/b", "/a/b")],
)
def test_a_cluster_is_watched_only_where_the_setting_says_so(
    stated: str | None, where: str | None
) -> None:
    assert read_settings(kubernetes_watch=stated).watched_cluster == where


async def test_nothing_is_started_where_nothing_is_watched() -> None:
    async with watching(read_settings()) as address, knowing(address, None, None) as known:
        assert address == ""
        assert known is UNWATCHED
        assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("service.companion", ["kubernetes", "urllib3", "requests", "service.cluster"]),
        ("service.cli", ["kubernetes", "urllib3", "requests", "service.cluster.client"]),
    ],
)
def test_what_asks_no_cluster_does_without_what_is_needed_for_it(
    program: str, absent: list[str]
) -> None:
    source = f"import sys, {program}; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_child_that_ends_is_replaced_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child("platform", [], replaced="ended_early")
    moment = 1000.0
    monkeypatch.setattr("service.child.time.monotonic", lambda: moment)
    child.replace_if_ended()
    child.start()
    replaced = []
    for _ in range(60):
        assert child._process is not None
        child._process.wait(10)
        with capture_logs() as lines:
            child.replace_if_ended()
        replaced += [moment] * len(lines)
        moment += 1
    child.wait(10)
    gaps = [later - earlier for earlier, later in itertools.pairwise(replaced)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 1
    assert gaps[-1] >= 16


def test_a_child_that_does_not_leave_is_killed() -> None:
    child = Child("timeit", ["-n", "1", "-r", "1", "while True: pass"], replaced="ended")
    child.wait(0)
    child.start()
    child.wait(0.2)
    assert child._process is not None
    assert child._process.returncode == -9
