import hashlib
from pathlib import Path

import pytest
import yaml

from service.api.auth import Caller, CallerRole, Gate, read_gate
from service.errors import NotAllowed, SettingsRefused


def _caller(name: str, *roles: CallerRole) -> Caller:
    digest = hashlib.sha256(f"token-of-{name}".encode()).hexdigest()
    return Caller(name=name, token_sha256=digest, roles=roles)


_GATE = Gate(
    [
        _caller("reader", CallerRole.READER),
        _caller("enforcer", CallerRole.ENFORCER),
        _caller("root", CallerRole.ADMINISTRATOR),
    ]
)


def test_without_callers_everybody_is_unauthenticated() -> None:
    assert Gate().caller(None).name == "unauthenticated"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dG9rZW4=", "token"])
def test_a_call_without_a_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(NotAllowed, match="carries no bearer token"):
        _GATE.caller(header)


def test_a_token_of_nobody_is_refused() -> None:
    with pytest.raises(NotAllowed, match="belongs to no caller"):
        _GATE.caller("Bearer token-of-nobody")


@pytest.mark.parametrize(
    ("name", "role", "may"),
    [
        ("reader", CallerRole.READER, True),
        ("reader", CallerRole.ENFORCER, False),
        ("enforcer", CallerRole.READER, False),
        ("root", CallerRole.READER, True),
        ("root", CallerRole.ENFORCER, True),
    ],
)
def test_roles_decide(name: str, role: CallerRole, *, may: bool) -> None:
    if may:
        assert _GATE.require(f"bearer token-of-{name}", role).name == name
    else:
        with pytest.raises(NotAllowed, match=f"caller `{name}` does not have the role `{role}`"):
            _GATE.require(f"bearer token-of-{name}", role)


@pytest.mark.parametrize(
    "content", ["", "[]", "- name: x", "name: x", "- {name: x, token_sha256: abc, roles: []}", ":"]
)
def test_a_tokens_file_that_names_nobody_properly_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.yaml"
    path.write_text(content)

    with pytest.raises(SettingsRefused, match="tokens file"):
        read_gate(path)


def test_a_tokens_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="cannot be read: No such file"):
        read_gate(tmp_path / "absent.yaml")


def test_a_tokens_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens.yaml"
    digest = hashlib.sha256(b"secret").hexdigest()
    path.write_text(yaml.safe_dump([{"name": "ci", "token_sha256": digest, "roles": ["reader"]}]))

    assert read_gate(path).caller("Bearer secret").name == "ci"


def test_a_certificate_proves_who_has_no_token() -> None:
    cluster = Caller(name="prod-eu", certificate="kube-apiserver", roles=(CallerRole.ENFORCER,))
    gate = Gate([cluster, _caller("reader", CallerRole.READER)])

    assert gate.caller(None, "kube-apiserver").name == "prod-eu"
    assert gate.caller("Bearer token-of-reader", "kube-apiserver").name == "reader"
    with pytest.raises(NotAllowed, match="belongs to no caller"):
        gate.caller("Bearer token-of-nobody", "kube-apiserver")
    with pytest.raises(NotAllowed, match="carries no bearer token"):
        gate.caller(None, "another")


def test_without_callers_a_certificate_names_the_caller() -> None:
    assert Gate().caller(None, "kube-apiserver").name == "kube-apiserver"


def test_callers_known_by_certificates_alone_close_the_gate() -> None:
    gate = Gate([Caller(name="prod-eu", certificate="x", roles=(CallerRole.ENFORCER,))])

    assert not gate.is_open
    with pytest.raises(NotAllowed):
        gate.caller(None)


def test_one_caller_may_be_whoever_proves_nothing(tmp_path: Path) -> None:
    anonymous = {"name": "prod-eu", "anonymous": True, "roles": ["enforcer"]}
    path = tmp_path / "callers.yaml"
    path.write_text(yaml.safe_dump([anonymous]))
    gate = read_gate(path)

    assert not gate.is_open
    assert gate.require(None, CallerRole.ENFORCER).name == "prod-eu"
    with pytest.raises(NotAllowed, match="does not have the role `reader`"):
        gate.require(None, CallerRole.READER)
    with pytest.raises(NotAllowed, match="belongs to no caller"):
        gate.caller("Bearer token-of-nobody")
    with pytest.raises(NotAllowed, match="carries no bearer token"):
        gate.caller(None, "a certificate of nobody")

    path.write_text(yaml.safe_dump([anonymous, {**anonymous, "name": "prod-us"}]))
    with pytest.raises(SettingsRefused, match="more than one anonymous"):
        read_gate(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": ["reader"]},
        {"roles": ["administrator"]},
        {"roles": ["enforcer"], "certificate": "x"},
        {"roles": ["enforcer"], "anonymous": False},
    ],
)
def test_whoever_proves_nothing_is_no_more_than_an_enforcer(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    path = tmp_path / "callers.yaml"
    path.write_text(yaml.safe_dump([{"name": "x", "anonymous": True, **wrong}]))

    with pytest.raises(SettingsRefused, match="is not a list of name"):
        read_gate(path)
