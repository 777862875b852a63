from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from fastapi import Request

from adapters.kubernetes.view import UNWATCHED, KindName
from service.api.health import healthz
from service.api.service import Service
from service.cluster.held import Held

_NODE = KindName("", "Node")
_NOTHING = cast("Any", None)
_SERVICE = Service(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)


async def _health(service: Service) -> Any:
    app = SimpleNamespace(state=SimpleNamespace(service=service))
    return await healthz(Request({"type": "http", "app": app}))


async def test_a_service_that_watches_nothing_says_nothing_of_a_cluster() -> None:
    assert await _health(_SERVICE) == {"status": "ok"}


async def test_the_age_of_the_view_is_said_once_everything_was_read() -> None:
    held = Held()
    service = replace(_SERVICE, cluster="prod-eu", view=held)
    nothing = {"name": "prod-eu", "as_of": None, "age_seconds": None}
    assert await _health(service) == {"status": "ok", "cluster": nothing}

    moment = datetime.now(UTC) - timedelta(seconds=90)
    held.listed(_NODE, moment.timestamp())
    found = (await _health(service))["cluster"]
    assert found["as_of"] == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert 90 <= found["age_seconds"] <= 95


async def test_a_clock_that_was_set_back_makes_no_view_younger_than_now() -> None:
    held = Held()
    held.listed(_NODE, (datetime.now(UTC) + timedelta(seconds=60)).timestamp())
    service = replace(_SERVICE, view=held)
    assert (await _health(service))["cluster"]["age_seconds"] == 0


def test_only_the_cluster_that_is_watched_has_a_view() -> None:
    held = Held()
    named = replace(_SERVICE, cluster="prod-eu", view=held)
    assert named.view_of("prod-eu") is held
    assert named.view_of("prod-us") is UNWATCHED
    assert named.view_of(None) is UNWATCHED
    unnamed = replace(_SERVICE, view=held)
    assert unnamed.view_of(None) is held
    assert unnamed.view_of("prod-eu") is UNWATCHED
