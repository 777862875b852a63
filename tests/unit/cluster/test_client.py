from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from fake_apiserver import (
    THINGS,
    VERBS,
    Asked,
    FakeApiServer,
    Reply,
    event,
    fake_apiserver,
    listing,
    refusal,
    thing,
)
from kubernetes.config import incluster_config

from service.cluster import client
from service.cluster.client import Client, Served
from service.errors import ClusterUnavailable

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    with fake_apiserver() as fake:
        yield fake


def _resource(plural: str, kind: str, scope: str = "Namespaced") -> dict[str, object]:
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "v1", "kind": kind},
        "scope": scope,
        "verbs": sorted(VERBS),
        "subresources": [{"subresource": "status", "responseKind": {"kind": kind}}],
    }


def test_each_kind_is_found_once_in_the_version_that_its_group_prefers(
    server: FakeApiServer,
) -> None:
    core = [_resource("pods", "Pod")]
    named = [
        {
            "metadata": {"name": "example.org"},
            "versions": [
                {"version": "v2", "resources": [_resource("things", "Thing", "Cluster")]},
                {
                    "version": "v1",
                    "resources": [_resource("things", "Thing"), _resource("olds", "Old")],
                },
                {"version": "v0", "freshness": "Stale"},
            ],
        }
    ]

    def answer(asked: Asked) -> Reply:
        assert "g=apidiscovery.k8s.io;v=v2" in asked.headers["Accept"]
        in_core = [{"metadata": {}, "versions": [{"version": "v1", "resources": core}]}]
        items = in_core if asked.path == "/api" else named
        return Reply({"kind": "APIGroupDiscoveryList", "items": items})

    server.answer = answer
    assert server.client().served() == [
        Served("", "v1", "Pod", "pods", True, VERBS),
        Served("example.org", "v2", "Thing", "things", False, VERBS),
        Served("example.org", "v1", "Old", "olds", True, VERBS),
    ]


def test_servers_that_do_not_gather_what_they_serve_are_asked_one_version_at_a_time(
    server: FakeApiServer,
) -> None:
    def resources(*names: str) -> Reply:
        rows = [
            {"name": name, "kind": name.title(), "namespaced": True, "verbs": ["list"]}
            for name in names
        ]
        return Reply({"kind": "APIResourceList", "resources": rows})

    answers = {
        "/api": Reply({"kind": "APIVersions", "versions": ["v1"]}),
        "/api/v1": resources("pods", "pods/status"),
        "/apis": Reply(
            {
                "kind": "APIGroupList",
                "groups": [
                    {
                        "name": "example.org",
                        "versions": [{"version": "v1"}, {"version": "v2"}],
                        "preferredVersion": {"version": "v2"},
                    },
                    {"name": "away.org", "versions": [{"version": "v1"}]},
                ],
            }
        ),
        "/apis/example.org/v2": resources("things"),
        "/apis/example.org/v1": resources("things", "olds"),
        "/apis/away.org/v1": refusal(503),
    }
    server.answer = lambda asked: answers[asked.path]
    found = [(one.group, one.version, one.plural) for one in server.client().served()]
    assert found == [
        ("", "v1", "pods"),
        ("example.org", "v2", "things"),
        ("example.org", "v1", "olds"),
    ]


def test_pages_follow_one_another_and_say_what_their_objects_are(server: FakeApiServer) -> None:
    def answer(asked: Asked) -> Reply:
        if "continue" not in asked.query:
            return listing(thing("a", 1), version=7, token="next")
        assert asked.query == {"limit": "1", "continue": "next", "labelSelector": "x=y"}
        return listing(thing("b", 2), version=7)

    server.answer = answer
    pages = list(server.client().pages(THINGS, limit=1, namespace="team", selector="x=y"))
    assert [page.resource_version for page in pages] == ["7", "7"]
    items = [item for page in pages for item in page.items]
    assert [item["metadata"]["name"] for item in items] == ["a", "b"]
    assert {(item["apiVersion"], item["kind"]) for item in items} == {("example.org/v1", "Thing")}
    assert {asked.path for asked in server.asked} == {"/apis/example.org/v1/namespaces/team/things"}


def test_a_watch_gives_whole_lines_however_they_arrive(server: FakeApiServer) -> None:
    lines = [b'{"type":"ADDED","obj', b'ect":{"metadata":{"name":"a"}}}\n{"type":"BOOK', b""]
    lines = [lines[0], lines[1] + b'MARK","object":{}}\n']
    server.answer = lambda _: Reply(lines=[lines[0], lines[1]])
    events = list(server.client().watch(THINGS, resource_version="5", seconds=3))
    assert [one.type for one in events] == ["ADDED", "BOOKMARK"]
    assert server.asked[0].query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "5",
        "timeoutSeconds": "3",
    }


def test_a_watch_that_breaks_off_is_no_end(server: FakeApiServer) -> None:
    server.answer = lambda _: Reply(lines=[event("ADDED", thing("a", 1))], breaks=True)
    found = []
    with pytest.raises(ClusterUnavailable, match="did not answer") as caught:
        found.extend(server.client().watch(THINGS, resource_version="5", seconds=3))
    assert caught.value.answered == 0


def test_a_watch_on_which_nothing_comes_any_more_is_given_up(
    server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_LATE_SECONDS", 0.2)
    waits = threading.Event()
    server.answer = lambda _: Reply(lines=[event("ADDED", thing("a", 1))], waits=waits)
    with pytest.raises(ClusterUnavailable):
        list(server.client().watch(THINGS, resource_version="5", seconds=0))
    waits.set()


def test_a_server_that_hangs_is_not_waited_for(
    server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Event()
    monkeypatch.setattr(client, "_READ_SECONDS", 0.2)
    server.answer = lambda _: Reply({}, waits=waits)
    with pytest.raises(ClusterUnavailable, match="did not answer"):
        server.client().page(THINGS)
    waits.set()


@pytest.mark.parametrize("forgotten", ["line", "status"])
def test_a_version_that_the_server_has_forgotten_is_told_from_other_failures(
    server: FakeApiServer, forgotten: str
) -> None:
    status = {"kind": "Status", "code": 410, "message": "too old resource version"}
    server.answer = lambda _: (
        Reply(lines=[event("ERROR", status)]) if forgotten == "line" else Reply(status, 410)
    )
    with pytest.raises(ClusterUnavailable, match="too old") as caught:
        list(server.client().watch(THINGS, resource_version="5", seconds=3))
    assert caught.value.answered == 410


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(b"<html>"), "is no JSON"),
        (Reply([1]), "is no object"),
        (Reply({"items": []}, breaks=True), "did not answer"),
        (Reply(b"oops", 500), "with 500: without a reason"),
        (refusal(403, "may not list"), "with 403: may not list"),
    ],
    ids=str,
)
def test_answers_that_cannot_be_used_say_why(
    server: FakeApiServer, reply: Reply, message: str
) -> None:
    server.answer = lambda _: reply
    with pytest.raises(ClusterUnavailable, match=message):
        server.client().page(THINGS)


@pytest.mark.parametrize(("stated", "after"), [("7", 7), ("soon", 0)])
def test_a_server_that_is_busy_says_when_to_ask_again(
    server: FakeApiServer, stated: str, after: int
) -> None:
    server.answer = lambda _: refusal(429, "too many", Retry_After=stated)
    with pytest.raises(ClusterUnavailable) as caught:
        server.client().page(THINGS)
    assert (caught.value.answered, caught.value.retry_after) == (429, after)
    assert len(server.asked) == 1


def test_a_line_of_a_watch_that_is_no_event_is_an_error(server: FakeApiServer) -> None:
    server.answer = lambda _: Reply(lines=[{"type": 1}])
    with pytest.raises(ClusterUnavailable, match="no event"):
        list(server.client().watch(THINGS, resource_version="5", seconds=3))


def test_objects_are_read_made_replaced_and_removed(server: FakeApiServer) -> None:
    server.answer = lambda asked: Reply({"was": asked.body})
    asking = server.client()
    one = "/apis/example.org/v1/namespaces/team/things/a"
    assert asking.read(THINGS, "team", "a") == {"was": None}
    assert asking.create(THINGS, "team", {"n": [1]}) == {"was": {"n": [1]}}
    assert asking.update(THINGS, "team", "a", {"n": 2}) == {"was": {"n": 2}}
    asking.delete(THINGS, "team", "a")
    assert [(asked.method, asked.path) for asked in server.asked] == [
        ("GET", one),
        ("POST", one.removesuffix("/a")),
        ("PUT", one),
        ("DELETE", one),
    ]
    asking.close()


def test_what_is_not_there_is_nothing_to_read_and_nothing_to_remove(
    server: FakeApiServer,
) -> None:
    server.answer = lambda _: refusal(404)
    assert server.client().read(THINGS, "team", "a") is None
    server.client().delete(THINGS, "team", "a")
    server.answer = lambda _: refusal(409)
    for call in (server.client().read, server.client().delete):
        with pytest.raises(ClusterUnavailable):
            call(THINGS, "team", "a")


def test_nobody_listens() -> None:
    with fake_apiserver() as fake:
        asking = fake.client()
    with pytest.raises(ClusterUnavailable, match="did not answer `/api`"):
        asking.served()


@pytest.mark.parametrize("text", [None, "", "{", "clusters: 5", "apiVersion: v1\nkind: Config\n"])
def test_a_kubeconfig_that_names_no_cluster_says_so(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ClusterUnavailable, match="names no cluster") as caught:
        Client.connect(path)
    assert "in-cluster" in caught.value.hint


def test_outside_of_a_pod_there_is_no_cluster_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterUnavailable, match="in-cluster"):
        Client.connect("in-cluster")


def test_a_kubeconfig_says_where_and_as_whom(tmp_path: Path) -> None:
    with fake_apiserver() as fake:
        fake.answer = lambda _: listing(version=1)
        path = tmp_path / "kubeconfig"
        path.write_text(
            f"""
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{fake.url}"}}}}]
users: [{{name: u, user: {{token: t0k3n}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""
        )
        Client.connect(path).page(THINGS)
        assert fake.asked[0].headers["authorization"] == "Bearer t0k3n"


def test_within_a_pod_the_account_is_used_and_its_token_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, ca = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("first")
    ca.write_text("a certificate")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(ca))
    asking = Client.connect("in-cluster")
    assert asking.host == "https://[fd00::1]:443"

    def shown() -> str:
        sent = asking._api.param_serialize("GET", "/", auth_settings=["BearerToken"])
        return str(sent[2]["authorization"])

    assert shown() == "bearer first"
    token.write_text("second")

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(minutes=2)

    monkeypatch.setattr(incluster_config.datetime, "datetime", Later)
    assert shown() == "bearer second"
