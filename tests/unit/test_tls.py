from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import Authority, Pair, pair_in
from cryptography import x509
from structlog.testing import capture_logs

from service.api.clients import name_in
from service.errors import SettingsRefused
from service.settings import read_settings
from service.tls import Certificates, Files

_AUTHORITY = Authority()


def _shown(context: ssl.SSLContext) -> str:
    """The common name in the certificate that a handshake with *context* shows."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=_AUTHORITY.pem.decode())
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(there, back, server_side=True)
    theirs = client.wrap_bio(back, there, server_hostname="localhost")
    waiting = [theirs, ours]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    shown = x509.load_der_x509_certificate(theirs.getpeercert(binary_form=True) or b"")
    return str(shown.subject.rfc4514_string().removeprefix("CN="))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return pair_in(tmp_path, _AUTHORITY.issue("first"))


def _certificates(pair: Pair) -> Certificates:
    return Certificates(Files(pair.certificate, pair.key))


@pytest.mark.parametrize(("before", "after"), [("ec", "ec"), ("ec", "rsa"), ("rsa", "ec")])
async def test_a_new_pair_is_shown_whatever_the_type_of_its_key(
    tmp_path: Path, before: str, after: str
) -> None:
    pair = pair_in(tmp_path, _AUTHORITY.issue("first", kind=before))
    certificates = _certificates(pair)
    assert _shown(certificates.context) == "first"

    pair.write(_AUTHORITY.issue("second", kind=after))
    with capture_logs() as lines:
        await certificates.look()

    assert _shown(certificates.context) == "second"
    assert "tls_reloaded" in {line["event"] for line in lines}


_BROKEN: dict[str, Callable[[Pair], None]] = {
    "the key of another certificate": lambda pair: pair.key.write_bytes(
        _AUTHORITY.issue("other")[1]
    ),
    "no certificate": lambda pair: pair.certificate.write_bytes(b"nothing"),
    "an empty file": lambda pair: pair.key.write_bytes(b""),
    "half a file": lambda pair: pair.certificate.write_bytes(pair.certificate.read_bytes()[:300]),
    "no file": lambda pair: pair.certificate.unlink(),
    "a certificate that has ended": lambda pair: pair.write(_AUTHORITY.issue("old", days=-1)),
    "bytes that are no text": lambda pair: pair.certificate.write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("how", _BROKEN)
async def test_a_pair_that_cannot_be_used_leaves_the_old_one(pair: Pair, how: str) -> None:
    certificates = _certificates(pair)
    _BROKEN[how](pair)

    with capture_logs() as lines:
        for _ in range(4):
            await certificates.look()

    told = [line for line in lines if line["log_level"] == "error"]
    assert _shown(certificates.context) == "first"
    assert [line["event"] for line in told] == ["tls_not_reloaded"]

    pair.write(_AUTHORITY.issue("third"))
    await certificates.look()

    assert _shown(certificates.context) == "third"


async def test_a_key_that_asks_for_a_password_is_refused_instead_of_waited_for(pair: Pair) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    locked = serialization.load_pem_private_key(pair.key.read_bytes(), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    pair.key.write_bytes(locked)

    with pytest.raises(SettingsRefused, match="certificate or key cannot be used"):
        _certificates(pair)


async def test_files_that_are_written_one_after_the_other_are_no_error(pair: Pair) -> None:
    certificates = _certificates(pair)
    contents = _AUTHORITY.issue("second")

    with capture_logs() as lines:
        pair.certificate.write_bytes(contents[0])
        await certificates.look()
        pair.key.write_bytes(contents[1])
        await certificates.look()

    assert _shown(certificates.context) == "second"
    assert "tls_not_reloaded" not in {line["event"] for line in lines}


async def test_a_certificate_that_ends_soon_is_told_of_once_a_day(tmp_path: Path) -> None:
    certificates = _certificates(pair_in(tmp_path, _AUTHORITY.issue("short", days=3)))

    with capture_logs() as lines:
        await certificates.look()
        await certificates.look()

    assert [line["event"] for line in lines] == ["tls_ends_soon"]


@pytest.mark.parametrize("how", _BROKEN)
def test_the_service_does_not_start_with_it(pair: Pair, how: str) -> None:
    _BROKEN[how](pair)

    with pytest.raises(SettingsRefused, match="certificate or key cannot be used"):
        _certificates(pair)


def test_client_certificates_need_tls_and_an_authority(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="needs TLS and the CAs of clients"):
        read_settings(tls_client="enforce").check()
    with pytest.raises(SettingsRefused, match="needs TLS"):
        read_settings(tls_client="observe", tls_client_ca=tmp_path / "ca.crt").check()


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        (None, None),
        ({}, None),
        ({"subject": ((("commonName", "prod-eu"),),)}, "prod-eu"),
        ({"subject": ((("organizationName", "x"),), (("commonName", "y"),))}, "y"),
        ({"subject": ((("organizationName", "x"),),)}, "certificate without a name"),
        ({"subject": ((("commonName", " "),),)}, "certificate without a name"),
    ],
)
def test_the_common_name_names_the_client(certificate: dict[str, object], name: str | None) -> None:
    assert name_in(certificate) == name
