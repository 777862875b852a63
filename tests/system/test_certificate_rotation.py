"""A real API server goes on asking while authorities and certificates are changed under it."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cluster import need_a_cluster
from direct import Direct
from guarded import TEAM_NAMESPACE, Guarded, guarded
from objects import deployment_object, taking
from running import PORTREEVE

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_DRY_RUN = f"/apis/apps/v1/namespaces/{TEAM_NAMESPACE}/deployments?dryRun=All"
_SETTLE_SECONDS = 2.0
_KIND = "validatingwebhookconfigurations"
_DECIDED = "takes up to 16 accelerators"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    need_a_cluster()
    with guarded(tmp_path_factory.mktemp("rotation")) as running:
        yield running


@dataclass
class _Load:
    """Asks for what is refused; every other answer is a failure."""

    guarded: Guarded
    answers: int = 0
    failures: list[str] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        document = deployment_object("load", taking(16))
        with contextlib.closing(Direct(self.guarded.cluster)) as direct:
            while not self.end.is_set():
                said = direct.ask("POST", _DRY_RUN, document)
                if _DECIDED not in said.message:
                    self.failures.append(f"{said.status} {said.message}")
                self.answers += 1
                time.sleep(0.01)


@contextlib.contextmanager
def _under_load(made: Guarded) -> Iterator[_Load]:
    load = _Load(made)
    threads = [threading.Thread(target=load.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.end.set()
        for thread in threads:
            thread.join()


def _certificates(made: Guarded, *options: str) -> str:
    command = [str(PORTREEVE), "kubernetes", "certificates"]
    command += ["--kubeconfig", str(made.cluster.kubeconfig), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.1)


def _reloads(made: Guarded) -> int:
    return made.service.output.read_text().count('"event":"tls_reloaded"')


def _bundles(made: Guarded, name: str = "portreeve") -> set[str]:
    """What the webhooks of a configuration state, as PEM."""
    found: dict[str, Any] = json.loads(made.must("get", _KIND, name, "-o", "json").stdout)
    stated = (hook["clientConfig"].get("caBundle", "") for hook in found["webhooks"])
    return {base64.b64decode(each).decode() for each in stated}


def _is_shown_to(made: Guarded, bundle: str) -> bool:
    """Whether whoever trusts *bundle* alone, and is strict, accepts what the service shows."""
    context = ssl.create_default_context(cadata=bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    url = urlsplit(made.service.url)
    try:
        with (
            socket.create_connection(("127.0.0.1", url.port or 0), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=str(url.hostname)),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return False


def test_no_request_fails_while_authorities_change(made: Guarded) -> None:
    folder = made.service.log.parent
    options = ("--folder", str(folder), "--name=127.0.0.1", f"--settle={_SETTLE_SECONDS}")
    (before,) = _bundles(made)
    with _under_load(made) as load:
        # From a certificate of somebody else's, and then from one authority of ours to another.
        for renew in ((), ("--renew-authority",)):
            (old,) = _bundles(made)
            reloads = _reloads(made)
            settling = _certificates(made, *options, *renew)
            assert "told API servers to trust 2 authorities" in settling
            assert "issued" not in settling
            (both,) = _bundles(made)
            assert both.endswith(old)
            assert _is_shown_to(made, old)

            time.sleep(_SETTLE_SECONDS)
            assert "issued a certificate for 127.0.0.1" in _certificates(made, *options)
            _until(lambda reloads=reloads: _reloads(made) > reloads)
            assert not _is_shown_to(made, old)
            assert _is_shown_to(made, both)

            assert "trust 1 authority" in _certificates(made, *options, "--retire-old")
            (new,) = _bundles(made)
            assert both == new + old
            asked = load.answers
            _until(lambda asked=asked: load.answers > asked + 20)

    assert load.failures == []
    assert load.answers > 100
    assert _bundles(made) != {before}


def test_secrets_and_webhooks_of_a_cluster_are_kept(made: Guarded) -> None:
    client = {"service": {"name": "portreeve", "namespace": "portreeve", "path": "/"}}
    hook = {
        "name": "nothing.portreeve.dev",
        "clientConfig": client,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    applied = "".join(
        "---\n"
        + json.dumps(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": f"{kind}WebhookConfiguration",
                "metadata": {"name": "kept"},
                "webhooks": [hook],
            }
        )
        + "\n"
        for kind in ("Validating", "Mutating")
    )
    made.must("apply", "--server-side", "-f", "-", stdin=applied)

    made.must("create", "namespace", "kept")
    options = ("--namespace=kept", "--webhooks=kept")
    said = _certificates(made, *options)

    assert "issued a certificate for portreeve.kept.svc" in said
    assert "told API servers to trust 1 authority" in said
    (bundle,) = _bundles(made, "kept")
    shown = made.must("-n", "kept", "get", "secret", "portreeve-tls", "-o", "json").stdout
    secret: dict[str, Any] = json.loads(shown)
    assert secret["type"] == "kubernetes.io/tls"
    assert set(secret["data"]) == {"tls.crt", "tls.key"}
    assert _certificates(made, *options).startswith("nothing to do before")

    # An upgrade leaves what was written; whoever takes it out has it put back.
    made.must("apply", "--server-side", "-f", "-", stdin=applied)
    assert _bundles(made, "kept") == {bundle}
    kind = "mutatingwebhookconfiguration"
    emptied = [{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]
    made.must("patch", kind, "kept", "--type=json", "-p", json.dumps(emptied))
    assert "told API servers to trust 1 authority" in _certificates(made, *options)
    found = made.must("get", kind, "kept", "-o", "json").stdout
    stated = json.loads(found)["webhooks"][0]["clientConfig"]["caBundle"]
    assert base64.b64decode(stated).decode() == bundle


@pytest.fixture
def account(made: Guarded, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of the account that the manifests make; the webhooks are put back afterwards."""
    command = [str(PORTREEVE), "kubernetes", "manifests", "--cluster=x", "--with=rotation"]
    written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    made.must("apply", "--server-side", "-f", "-", stdin=written)
    token = made.must("-n", "portreeve", "create", "token", "portreeve-certificates").stdout
    config = json.loads(made.cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token.strip()}
    path = tmp_path / "account.kubeconfig"
    path.write_text(json.dumps(config))
    (before,) = _bundles(made)
    yield path
    found = json.loads(made.must("get", _KIND, "portreeve", "-o", "json").stdout)
    for hook in found["webhooks"]:
        hook["clientConfig"]["caBundle"] = base64.b64encode(before.encode()).decode()
    made.must("replace", "-f", "-", stdin=json.dumps(found))
    probe = deployment_object("probe", taking(16))
    _until(lambda: _DECIDED in made.create(probe, "--dry-run=server").stderr)


def test_what_the_manifests_permit_is_enough_to_keep_certificates(
    made: Guarded, account: Path
) -> None:
    (before,) = _bundles(made)
    command = [str(PORTREEVE), "kubernetes", "certificates", "--keep", "--kubeconfig", str(account)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        _until(lambda: before not in _bundles(made))
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)

    # It began beside a certificate that it does not know, or with none.
    assert process.returncode == 0
    assert "told API servers to trust" in said
    assert "SYS-" not in said
    made.must("-n", "portreeve", "get", "secret", "portreeve-authorities", "portreeve-tls")


def test_what_the_manifests_permit_is_no_more(made: Guarded, account: Path) -> None:
    named = ["--kubeconfig", str(account)]

    def may(verb: str, what: str, namespace: str = "portreeve") -> bool:
        asked = made.cluster.kubectl(*named, "auth", "can-i", verb, what, "-n", namespace)
        return asked.stdout.strip() == "yes"

    for verb in ("get", "update"):
        assert may(verb, f"{_KIND}/portreeve")
        assert not may(verb, f"{_KIND}/other")
        assert may(verb, "secrets/portreeve-tls")
        assert not may(verb, "secrets/portreeve-callers")
    assert not may("create", "secrets", "default")
    assert not may("list", "secrets")
    assert not may("delete", f"{_KIND}/portreeve")
