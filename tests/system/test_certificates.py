"""Certificates change while requests come in, and clients prove themselves with theirs."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from certificates import Authority, Pair, pair_in
from payloads import deployment, review
from running import Service, spawn, stop, wait_until

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

VALIDATE = "/v1/kubernetes/validate/prod-eu"
_TWO = {"PORTREEVE_LISTENERS": "2"}


def _client(trusted: Authority, shown: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=trusted.pem.decode())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


def _send(
    connection: http.client.HTTPSConnection, method: str = "POST", path: str = VALIDATE
) -> tuple[int, Any]:
    body = json.dumps(review(deployment(gpus=1), uid=str(uuid.uuid4())))
    connection.request(method, path, body if method == "POST" else None)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def _send_once(service: Service, context: ssl.SSLContext, *asked: str) -> tuple[int, Any]:
    with contextlib.closing(_connect(service, context)) as connection:
        return _send(connection, *asked)


def _connect(service: Service, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    port = urlsplit(service.url).port
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)


def _listening(service: Service) -> bool:
    return "listening" in service.output.read_text()


@dataclass
class _Stream:
    """Requests on kept and on new connections until told to end."""

    service: Service
    context: ssl.SSLContext
    answers: int = 0
    failures: list[str] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def run(self, *, keep: bool) -> None:
        connection = _connect(self.service, self.context)
        while not self.end.is_set():
            try:
                status, body = _send(connection)
                if status != 200 or body["response"]["allowed"]:
                    self.failures.append(f"{status} {body}")
                self.answers += 1
            except OSError as error:
                self.failures.append(repr(error))
            if not keep or self.failures:
                connection.close()
        connection.close()


def _count(service: Service, event: str) -> int:
    return service.output.read_text().count(f'"event":"{event}"')


def _until(ready: Any, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_no_request_fails_while_certificates_change(tmp_path: Path) -> None:
    authority = Authority()
    pair = pair_in(tmp_path, authority.issue("first"))
    options = ("--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key))
    service = spawn(tmp_path, *options, env=_TWO)
    stream = _Stream(service, _client(authority))
    threads = [threading.Thread(target=stream.run, kwargs={"keep": keep}) for keep in (True, False)]
    try:
        # Each listener says so once, because the first certificate ends in two days.
        wait_until(lambda: _count(service, "tls_ends_soon") == 2, service.process)
        for thread in threads:
            thread.start()
        # Other types of keys too, and in between a pair that does not belong together.
        for number, kind in enumerate(("rsa", "ec", "ec"), start=1):
            pair.key.write_bytes(authority.issue("other")[1])
            time.sleep(0.3)
            pair.write(authority.issue(f"number-{number}", kind=kind))
            _until(lambda number=number: _count(service, "tls_reloaded") >= 2 * number)
        served = _connect(service, stream.context)
        served.connect()
        shown = served.sock.getpeercert()
        served.close()
    finally:
        stream.end.set()
        for thread in threads:
            if thread.ident:
                thread.join()
        stop(service.process)

    assert stream.failures == []
    assert stream.answers > 20
    assert shown["subject"] == ((("commonName", "number-3"),),)


def test_a_pair_that_does_not_work_is_told_of_and_not_used(tmp_path: Path) -> None:
    authority = Authority()
    pair = pair_in(tmp_path, authority.issue("first"))
    options = ("--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key))
    service = spawn(tmp_path, *options)
    try:
        wait_until(lambda: _listening(service), service.process)
        pair.key.write_bytes(authority.issue("other")[1])
        _until(lambda: "tls_not_reloaded" in service.output.read_text())
        status, _ = _send_once(service, _client(authority), "GET", "/readyz")
    finally:
        stop(service.process)

    assert status == 200


@dataclass
class _Mutual:
    service: Service
    servers: Authority
    known: Pair
    stranger: Pair


@pytest.fixture(params=["observe", "enforce"])
def mutual(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, _Mutual]]:
    servers, clients = Authority("servers"), Authority("clients")
    pair = pair_in(tmp_path, servers.issue("portreeve"))
    authority = tmp_path / "clients.crt"
    authority.write_bytes(clients.pem)
    for name in ("known", "stranger"):
        (tmp_path / name).mkdir()
    known = pair_in(tmp_path / "known", clients.issue("kube-apiserver"))
    stranger = pair_in(tmp_path / "stranger", Authority("others").issue("kube-apiserver"))
    tokens = tmp_path / "tokens.yaml"
    caller = {"name": "prod-eu", "certificate": "kube-apiserver", "roles": ["enforcer"]}
    tokens.write_text(yaml.safe_dump([caller]))
    options = ("--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key))
    given = {"PORTREEVE_TLS_CLIENT": request.param, "PORTREEVE_TLS_CLIENT_CA": str(authority)}
    service = spawn(tmp_path, *options, "--tokens-file", str(tokens), env=given)
    try:
        wait_until(lambda: _listening(service), service.process)
        yield request.param, _Mutual(service, servers, known, stranger)
    finally:
        stop(service.process)


def test_the_certificate_of_a_client_names_the_caller(mutual: tuple[str, _Mutual]) -> None:
    mode, made = mutual

    status, body = _send_once(made.service, _client(made.servers, made.known))

    assert status == 200
    assert not body["response"]["allowed"]
    decisions = [line for line in made.service.lines() if line["event"] == "decision"]
    assert {line.get("caller", "prod-eu") for line in decisions} == {"prod-eu"}

    plain = _client(made.servers)
    status, body = _send_once(made.service, plain)

    expected = {"observe": (401, "SYS-AUTH-MISSING"), "enforce": (403, "SYS-AUTH-CERTIFICATE")}
    assert (status, body["code"]) == expected[mode]
    assert _send_once(made.service, plain, "GET", "/readyz")[0] == 200
    told = [line for line in made.service.lines() if line["event"] == "client_without_certificate"]
    assert [line["refused"] for line in told] == [mode == "enforce"]


def test_a_certificate_of_another_authority_ends_the_connection(
    mutual: tuple[str, _Mutual],
) -> None:
    _, made = mutual

    with pytest.raises(OSError, match=r"unknown ca|reset|EOF|Broken pipe|closed connection"):
        _send_once(made.service, _client(made.servers, made.stranger))
