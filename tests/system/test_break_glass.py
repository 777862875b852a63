"""Break-glass on a real service: refused, opened, let pass by name, ended, refused again."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from payloads import deployment, review
from running import PORTREEVE, Answer, Service, portreeve, spawn, wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket]

PATH = "/v1/break-glass"
TOKENS = {"oncall": "administrator", "cluster": "enforcer", "clerk": "administrator"}
USER = f"local:{pwd.getpwuid(os.getuid()).pw_name}"
WANTED = {
    "match": {"cluster": "prod-eu", "namespace": "language-*"},
    "reason": "the region is down",
    "actor": "ada",
    "minutes": 30,
}
# Read once a second, used for another one.
SOON = 5.0


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The example organisation, which names who may."""
    folder = tmp_path_factory.mktemp("bundle") / "acme"
    (folder / "org").mkdir(parents=True)
    (folder / "bundle.yaml").write_text('name: acme\nrevision: "1"\nextends: example\n')
    named = {"callers": [USER], "groups": ["sre"], "minutes": 60}
    (folder / "org" / "break_glass.yaml").write_text(yaml.safe_dump({"break_glass": named}))
    return str(folder)


@pytest.fixture(scope="module")
def options(bundle: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens.yaml"
    callers = [
        {
            "name": name,
            "token_sha256": hashlib.sha256(name.encode()).hexdigest(),
            "roles": [role],
            "groups": ["sre"] if name == "oncall" else [],
        }
        for name, role in TOKENS.items()
    ]
    tokens.write_text(yaml.safe_dump(callers))
    return ["--bundle", bundle, "--tokens-file", str(tokens)]


@pytest.fixture
def service(options: list[str], tmp_path: Path) -> Iterator[Service]:
    with portreeve(tmp_path, *options) as running:
        yield running


def _as(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def _ask(service: Service, cluster: str = "prod-eu") -> dict[str, Any]:
    path = f"/v1/kubernetes/validate/{cluster}"
    answer = service.post(path, review(deployment(gpus=1)), **_as("cluster"))
    assert answer.status == 200, answer
    response: dict[str, Any] = answer.body["response"]
    return response


def _open(service: Service, **changes: Any) -> Answer:
    return service.post(PATH, {**WANTED, **changes}, **_as("oncall"))


def _soon(true: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def _run(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PORTREEVE), *arguments, "--log", str(service.log)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_refused_opened_let_pass_by_name_ended_and_refused_again(service: Service) -> None:
    assert _ask(service)["allowed"] is False

    opened = _open(service)
    assert opened.status == 201, opened
    id_ = opened.body["decision_id"]
    assert (opened.body["kind"], opened.body["caller"]) == ("break_glass", "oncall")
    assert opened.body["actor"]["name"] == "ada"

    passed = _ask(service)
    assert passed["allowed"] is True
    assert any(
        warning.startswith(f"GPU-002: waived by break-glass {id_} until ")
        for warning in passed["warnings"]
    ), passed
    decision = service.get(
        f"/v1/decisions/{passed['auditAnnotations']['decision-id']}", **_as("clerk")
    ).body
    [finding] = [item for item in decision["findings"] if item["code"] == "GPU-002"]
    assert (finding["waived_by"], finding["waiver"]["owner"]) == (id_, "ada")
    stored = json.loads(
        _run(service, "audit", "show", decision["decision_id"], "--format", "json").stdout
    )
    assert [item["id"] for item in stored["context"]["waivers"]] == [id_]
    assert _ask(service, "prod-us")["allowed"] is False

    [listed] = service.get(PATH, **_as("clerk")).body["break_glass"]
    assert (listed["id"], listed["groups"]) == (id_, ["sre"])
    under = service.get(f"/v1/decisions?waived_by={id_}", **_as("clerk")).body["decisions"]
    assert [item["decision_id"] for item in under] == [decision["decision_id"]]

    ended = service.post(f"{PATH}/{id_}/end", {"actor": "grace"}, **_as("clerk"))
    assert (ended.status, ended.body["operation"], ended.body["caller"]) == (200, "end", "clerk")
    assert _ask(service)["allowed"] is False
    assert service.post(f"{PATH}/{id_}/end", {"actor": "grace"}, **_as("clerk")).status == 404
    events = service.get("/v1/decisions?kind=break_glass", **_as("clerk")).body["decisions"]
    assert [item["operation"] for item in events] == ["end", "open"]
    assert [line["operation"] for line in service.lines() if line["event"] == "break_glass"] == [
        "open",
        "end",
    ]


def test_who_may_not_is_refused_and_recorded(service: Service) -> None:
    for name, recorded in (("cluster", False), ("clerk", True)):
        answer = service.post(PATH, WANTED, **_as(name))
        assert answer.status == 403, answer
        assert ("decision_id" in answer.body) == recorded
    assert service.post(PATH, WANTED).status == 401
    assert service.post(f"{PATH}/x/end", {"actor": "a"}, **_as("cluster")).status == 403
    assert service.get(PATH).status == 401
    assert _ask(service)["allowed"] is False

    [found] = service.get("/v1/decisions?kind=rejected", **_as("clerk")).body["decisions"]
    assert (found["caller"], found["findings"][0]["code"]) == ("clerk", "SYS-AUTH-BREAK-GLASS")


@pytest.mark.parametrize(
    "changes",
    [{"minutes": 61}, {"match": {}}, {"codes": ["SYS-LOG"]}, {"actor": None}, {"id": "x"}],
)
def test_what_would_be_too_much_is_refused(service: Service, changes: dict[str, Any]) -> None:
    answer = _open(service, **changes)

    assert (answer.status, answer.body["code"]) == (400, "SYS-INPUT-BREAK-GLASS"), answer
    assert service.get(PATH, **_as("clerk")).body == {"break_glass": []}


def test_nobody_can_send_it(service: Service) -> None:
    body = {"schema_version": 1, "context": {"waivers": []}}
    answer = service.post("/v1/evaluate", body, **_as("oncall"))

    assert (answer.status, answer.body["code"]) == (400, "SYS-INPUT-FORBIDDEN")


def test_without_tokens_nobody_is_an_administrator(tmp_path: Path, bundle: str) -> None:
    with portreeve(tmp_path, "--bundle", bundle) as service:
        assert service.post(PATH, WANTED).status == 403
        assert service.get(PATH).body == {"break_glass": []}


def test_the_command_line_opens_it_for_a_running_service_and_for_checks(
    service: Service, bundle: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "deployment.yaml"
    manifest.write_text(yaml.safe_dump(deployment(gpus=1)))
    check = ("check", str(manifest), "--bundle", bundle, "--scope", "cluster=prod-eu")
    glass = ("waiver", "break-glass", "--bundle", bundle)
    assert _ask(service)["allowed"] is False
    assert _run(service, *check).returncode == 1

    place = ("--match", "cluster=prod-eu", "namespace=language-serving")
    opened = _run(service, *glass, *place, "--reason", "an outage", "--minutes", "30")
    assert opened.returncode == 0, opened
    id_ = opened.stdout.split()[1]
    _soon(lambda: bool(_ask(service)["allowed"]))
    local = _run(service, *check)
    assert local.returncode == 0, local
    assert f"waived by break-glass {id_} of {USER.removeprefix('local:')} until " in local.stdout
    # Another bundle does not name the user, whatever the log holds.
    assert _run(service, *check[:2], "--bundle", "example", *check[4:]).returncode == 1

    assert _run(service, *glass, "--end", id_).returncode == 0
    _soon(lambda: not _ask(service)["allowed"])
    assert _run(service, *check).returncode == 1


def test_every_listener_honours_it(options: list[str], tmp_path: Path) -> None:
    with portreeve(tmp_path, *options, env={"PORTREEVE_LISTENERS": "2"}) as service:

        def answers() -> set[bool]:
            """Each to a connection of its own, so that both listeners give some."""
            return {bool(_ask(service)["allowed"]) for _ in range(12)}

        assert answers() == {False}
        id_ = _open(service).body["decision_id"]
        _soon(lambda: answers() == {True})
        service.post(f"{PATH}/{id_}/end", {"actor": "ada"}, **_as("oncall"))
        _soon(lambda: answers() == {False})


def test_what_was_answered_as_open_is_open_after_kill_9(options: list[str], tmp_path: Path) -> None:
    for _ in range(3):
        service = spawn(tmp_path, *options)
        try:
            wait_until(
                lambda service=service: service.get("/readyz").status == 200, service.process
            )
            id_ = _open(service).body["decision_id"]
        finally:
            service.process.kill()
            service.process.wait()
    with portreeve(tmp_path, *options) as service:
        listed = [item["id"] for item in service.get(PATH, **_as("clerk")).body["break_glass"]]

        assert (len(listed), id_ in listed) == (3, True)
        assert _ask(service)["allowed"] is True
