"""A cluster as a real API server told of it, and one bundle of two rules to decide with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from service.cluster.client import Page, Served
from service.errors import ClusterUnavailable

PAGES = Path(__file__).with_name("pages.json")


class Recorded:
    """Answers as the API server did, in the pages in which it did; keeps what is written."""

    def __init__(self, recorded: Mapping[str, Any]) -> None:
        self.kinds = [
            Served(**{**one, "verbs": frozenset(one["verbs"])}) for one in recorded["served"]
        ]
        self.pages: dict[str, list[Page]] = {
            path: [Page(**page) for page in pages] for path, pages in recorded["pages"].items()
        }
        self.asked: list[tuple[str, str]] = []
        self.fails: Callable[[str, str], None] = lambda *_: None
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}

    def served(self) -> list[Served]:
        return self.kinds

    def page(
        self, served: Served, *, token: str = "", limit: int = 500, selector: str = ""
    ) -> Page:
        path = served.path()
        self.asked.append((path, token))
        assert limit
        self.fails(path, token)
        if selector:
            name, _, value = selector.partition("=")
            items = [
                document
                for (kind, _, _), document in self.objects.items()
                if kind == served.kind and document["metadata"]["labels"].get(name) == value
            ]
            return Page(items, "", "1", None)
        known = self.pages[path]
        if not token:
            return known[0]
        return known[[page.token for page in known].index(token) + 1]

    def read(self, served: Served, namespace: str, name: str) -> dict[str, Any] | None:
        return self.objects.get((served.kind, namespace, name))

    def create(self, served: Served, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        key = (served.kind, namespace, body["metadata"]["name"])
        if key in self.objects:
            raise ClusterUnavailable("it is there", answered=409)
        self.objects[key] = json.loads(json.dumps(body))
        self.objects[key]["metadata"]["resourceVersion"] = "1"
        return self.objects[key]

    def update(
        self, served: Served, namespace: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        before = self.objects[served.kind, namespace, name]
        if body["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            raise ClusterUnavailable("it changed", answered=409)
        after = json.loads(json.dumps(body))
        after["metadata"]["resourceVersion"] += "1"
        self.objects[served.kind, namespace, name] = after
        return after

    def delete(self, served: Served, namespace: str, name: str) -> None:
        self.objects.pop((served.kind, namespace, name), None)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded(json.loads(PAGES.read_text()))
