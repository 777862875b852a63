"""Where keys are kept, and how API servers are told whom to trust."""

from __future__ import annotations

import base64
import copy
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from service.certificates.cluster import AUTHORITIES, TLS, Secrets, Webhooks
from service.certificates.folder import Folder, ToldByHand
from service.certificates.keeping import Kept
from service.certificates.making import Pair
from service.certificates.rotation import Authority, Book
from service.cluster.client import CONFLICT, Client, Served
from service.errors import ClusterUnavailable, SettingsRefused

BOOK = Book(authorities=(Authority(certificate="new\n"), Authority(certificate="old\n")), key="key")
PAIR = Pair(b"certificate", b"key")


class _Cluster:
    """Keeps objects as an API server does, and refuses to overwrite what it was not read from."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.written = 0

    @property
    def client(self) -> Client:
        return cast("Client", self)

    def read(self, served: Served, namespace: str, name: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get((served.path(namespace), name)))

    def create(self, served: Served, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        name = body["metadata"]["name"]
        if (served.path(namespace), name) in self.objects:
            raise ClusterUnavailable("it is there", answered=CONFLICT)
        return self._put(served.path(namespace), name, body)

    def update(
        self, served: Served, namespace: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        there = self.objects[served.path(namespace), name]
        if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            raise ClusterUnavailable("changed meanwhile", answered=CONFLICT)
        return self._put(served.path(namespace), name, body)

    def _put(self, path: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.written += 1
        kept = copy.deepcopy(dict(body))
        kept["metadata"] = {**kept["metadata"], "resourceVersion": str(self.written)}
        self.objects[path, name] = kept
        return kept

    def configure(self, kind: str, *bundles: str | None) -> None:
        """A webhook configuration with one webhook for each ``caBundle``."""
        hooks = [
            {"name": str(number), "clientConfig": {"url": "https://x"} | _stated(bundle)}
            for number, bundle in enumerate(bundles)
        ]
        path = f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
        self._put(path, "portreeve", {"metadata": {"name": "portreeve"}, "webhooks": hooks})


def _stated(bundle: str | None) -> dict[str, str]:
    return {} if bundle is None else {"caBundle": base64.b64encode(bundle.encode()).decode()}


def test_a_folder_gives_back_what_it_keeps_and_shows_keys_to_nobody_else(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "tls")
    assert folder.read() == Kept(None, None)

    folder.write_book(BOOK)
    folder.write_pair(PAIR)
    folder.write_pair(PAIR)

    assert folder.read() == Kept(BOOK, PAIR)
    assert (tmp_path / "tls" / "ca.crt").read_text() == "new\nold\n"
    for name in ("tls.key", "authorities.json"):
        assert (tmp_path / "tls" / name).stat().st_mode & 0o777 == 0o600
    assert not list((tmp_path / "tls").glob(".*"))


def test_one_at_a_time_takes_steps_in_a_folder(tmp_path: Path) -> None:
    came: list[str] = []

    def second() -> None:
        with Folder(tmp_path).alone():
            came.append("second")

    other = threading.Thread(target=second)
    with Folder(tmp_path).alone():
        other.start()
        other.join(0.2)
        came.append("first")
    other.join()

    assert came == ["first", "second"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsRefused, match="file"):
        Folder(tmp_path / "file" / "tls")

    folder = Folder(tmp_path)
    (tmp_path / "authorities.json").write_text("{}")
    with pytest.raises(SettingsRefused, match=r"authorities\.json"):
        folder.read()
    (tmp_path / ".lock").mkdir()
    with pytest.raises(SettingsRefused, match="lock"), folder.alone():
        pass
    (tmp_path / "tls.crt").mkdir()
    with pytest.raises(SettingsRefused, match=r"tls\.crt"):
        folder.write_pair(PAIR)


def test_who_tells_api_servers_by_hand_is_believed_once(tmp_path: Path) -> None:
    silent = ToldByHand(tmp_path, published=False)
    assert silent.read() == (b"",)
    assert not silent.write(b"both")
    assert silent.read() == (b"",)

    trust = ToldByHand(tmp_path, published=True)
    assert trust.write(b"both")
    assert trust.read() == (b"both",)
    # The next one was not looked at by anybody yet.
    assert not trust.write(b"new")
    assert "ca.crt" in trust.asks


def test_secrets_give_back_what_they_keep() -> None:
    cluster = _Cluster()
    secrets = Secrets(cluster.client, "portreeve")
    assert secrets.read() == Kept(None, None)

    secrets.write_book(BOOK)
    secrets.write_pair(PAIR)
    secrets.write_book(BOOK.model_copy(update={"key": "other"}))

    assert secrets.read() == Kept(BOOK.model_copy(update={"key": "other"}), PAIR)
    tls = cluster.objects["/api/v1/namespaces/portreeve/secrets", TLS]
    assert tls["type"] == "kubernetes.io/tls"
    assert set(tls["data"]) == {"tls.crt", "tls.key"}


def test_what_another_process_kept_meanwhile_is_not_written_over() -> None:
    cluster = _Cluster()
    first, second = (Secrets(cluster.client, "portreeve") for _ in range(2))
    assert first.read() == second.read() == Kept(None, None)

    second.write_book(BOOK)
    with pytest.raises(ClusterUnavailable) as made:
        first.write_book(BOOK.model_copy(update={"key": "lost"}))
    first.read()
    second.write_book(BOOK)
    with pytest.raises(ClusterUnavailable) as changed:
        first.write_book(BOOK.model_copy(update={"key": "lost"}))

    assert (made.value.answered, changed.value.answered) == (CONFLICT, CONFLICT)
    assert second.read().book == BOOK


def test_the_pod_of_the_service_gets_no_key_of_the_authority() -> None:
    cluster = _Cluster()
    secrets = Secrets(cluster.client, "portreeve")
    secrets.write_book(BOOK)
    secrets.write_pair(PAIR)

    assert AUTHORITIES != TLS
    (tls,) = [value for (_, name), value in cluster.objects.items() if name == TLS]
    assert "authorities.json" not in tls["data"]


@pytest.mark.parametrize("data", [None, {"authorities.json": "?"}, {"tls.crt": "YQ=="}])
def test_a_secret_of_another_form_is_no_certificate(data: Any) -> None:
    cluster = _Cluster()
    secret = {"metadata": {"name": TLS}, "data": data}
    cluster.create(Served("", "v1", "Secret", "secrets", True, frozenset()), "portreeve", secret)

    assert Secrets(cluster.client, "portreeve").read() == Kept(None, None)


def test_every_webhook_is_told() -> None:
    cluster = _Cluster()
    cluster.configure("validating", None, "old")
    cluster.configure("mutating", "old")
    webhooks = Webhooks(cluster.client, "portreeve")

    assert webhooks.read() == (b"", b"old", b"old")
    assert webhooks.write(b"both")

    assert webhooks.read() == (b"both",) * 3
    written = cluster.written
    assert webhooks.write(b"both")
    assert cluster.written == written


def test_a_cluster_without_our_webhooks_has_nobody_to_tell() -> None:
    webhooks = Webhooks(_Cluster().client, "portreeve")

    assert webhooks.read() == ()
    assert webhooks.write(b"both")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten() -> None:
    class Busy(_Cluster):
        def read(self, served: Served, namespace: str, name: str) -> dict[str, Any] | None:
            found = super().read(served, namespace, name)
            if found is not None:
                found["metadata"]["resourceVersion"] = "0"
            return found

    cluster = Busy()
    cluster.configure("validating", "old")

    with pytest.raises(ClusterUnavailable) as caught:
        Webhooks(cluster.client, "portreeve").write(b"both")
    assert caught.value.answered == CONFLICT
