"""A request's context holds the break-glass of its own places and time, and no other."""

from __future__ import annotations

from datetime import timedelta

from glass import glass
from records import NOON
from toy_bundle import request, resource

from service.model.base import Scope
from service.model.request import Context, Request
from service.resolve.break_glass import concerning


def _asked(scope: Scope, *places: Scope | None) -> Request:
    resources = [
        resource(f"r{number}").model_copy(update={"scope": place})
        for number, place in enumerate(places)
    ]
    opened = (
        glass("eu"),
        glass("us", match={"cluster": "prod-us"}),
        glass("any", match={"cluster": "prod-*"}),
        glass("later", at=60),
        glass("over", at=-3600, minutes=59),
    )
    asked = request(*resources)
    return asked.model_copy(update={"scope": scope, "context": Context(waivers=opened)})


def _found(asked: Request) -> list[str]:
    return [item.id for item in concerning(asked, NOON + timedelta(seconds=1))]


def test_those_of_the_place_of_the_request_are_in_its_context() -> None:
    assert _found(_asked(Scope(cluster="prod-eu"), None)) == ["eu", "any"]
    assert _found(_asked(Scope(cluster="dev"), None)) == []
    assert _found(_asked(Scope(), None)) == []


def test_so_are_those_of_the_places_of_its_resources() -> None:
    asked = _asked(Scope(cluster="dev"), None, Scope(cluster="prod-us"))

    assert _found(asked) == ["us", "any"]


def test_without_any_there_is_nothing_to_look_for() -> None:
    assert concerning(request(), NOON) == ()
