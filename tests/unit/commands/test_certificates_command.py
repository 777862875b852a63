"""``portreeve kubernetes certificates`` with a folder, as somebody at a terminal runs it."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from cryptography import x509

from service.certificates.keeping import Keeper
from service.certificates.rotation import Rest
from service.cli import main
from service.commands import certificates
from service.errors import ClusterUnavailable, SettingsRefused


def _run(folder: Path, *options: str, names: tuple[str, ...] = ("127.0.0.1",)) -> int:
    stated = [f"--name={name}" for name in names]
    return main(["kubernetes", "certificates", "--folder", str(folder), *stated, *options])


def _leaf(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())


def _authorities(folder: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((folder / "ca.crt").read_bytes())


def test_an_authority_is_changed_step_by_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path) == 0
    assert "put `ca.crt` into the `caBundle`" in capsys.readouterr().out
    assert _run(tmp_path, "--published") == 0
    assert "the certificate is renewed" in capsys.readouterr().out
    first = _leaf(tmp_path)

    assert _run(tmp_path, "--renew-authority") == 0
    assert _leaf(tmp_path) == first
    assert len(_authorities(tmp_path)) == 2
    # However often it runs: the certificate waits until API servers were told.
    assert _run(tmp_path, "--settle=0") == 0
    assert _leaf(tmp_path) == first

    assert _run(tmp_path, "--settle=0", "--published") == 0
    new, old = _authorities(tmp_path)
    _leaf(tmp_path).verify_directly_issued_by(new)
    first.verify_directly_issued_by(old)
    capsys.readouterr()
    assert _run(tmp_path, "--retire-old") == 0
    assert _authorities(tmp_path) == [new]
    assert "put `ca.crt` into the `caBundle`" in capsys.readouterr().out


def test_nothing_is_taken_out_that_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, "--retire-old") == 2

    assert "no older authority" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "names", "says"),
    [
        ((), ("a b",), "neither a DNS name nor an IP address"),
        (("--certificate-days=0",), ("a.b",), "--certificate-days"),
        (("--settle=-1",), ("a.b",), "--settle"),
        (("--authority-days=40",), ("a.b",), "too short"),
        (("--published", "--kubeconfig=absent"), ("a.b",), "--published"),
        (("--kubeconfig=absent",), ("a.b",), "absent"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    names: tuple[str, ...],
    says: str,
) -> None:
    assert _run(tmp_path, *options, names=names) == 2

    assert says in capsys.readouterr().err


def test_the_name_of_the_service_in_its_namespace_is_the_usual_one(tmp_path: Path) -> None:
    assert _run(tmp_path, "--namespace=ops", names=()) == 0

    names = _leaf(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["portreeve.ops.svc"]


def test_one_that_stays_goes_on_after_failures_until_it_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [
        SettingsRefused("not at rest", hint="Let one process keep them."),
        ClusterUnavailable("nobody answered"),
        ClusterUnavailable("nobody answered"),
    ]
    advance = Keeper.advance

    def next_time(keeper: Keeper) -> Rest:
        if failures:
            raise failures.pop()
        try:
            return advance(keeper)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Keeper, "advance", next_time)
    monkeypatch.setattr(certificates, "_LOOK_SECONDS", 0.01)
    assert threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert _run(tmp_path, "--keep") == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    said = capsys.readouterr().out
    assert said.count("SYS-CLUSTER: nobody answered") == 1
    assert "SYS-SETTINGS: not at rest - Let one process keep them." in said
    assert "issued a certificate for 127.0.0.1" in said
