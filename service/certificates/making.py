"""Keys and certificates: an authority of our own, and the certificates that it signs.

An authority is one key for one purpose: it is held to the names of the service (RFC 5280, 4.2.1.10)
and signs no other authority. So whoever steals it can be the service to the API server, which the
certificate's own key allows as well, and nobody else to anybody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Clocks of API servers may be behind ours.
_BEFORE = timedelta(hours=1)
_LONGEST_COMMON_NAME = 64


class Pair(NamedTuple):
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Leaf:
    """A certificate of the service, whose key is known to fit."""

    certificate: x509.Certificate

    @property
    def begins(self) -> datetime:
        """When it becomes valid."""
        return self.certificate.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        """When it ends."""
        return self.certificate.not_valid_after_utc

    @property
    def names(self) -> frozenset[str]:
        """Whom it is for."""
        return names_of(self.certificate)

    def is_by(self, authority: x509.Certificate) -> bool:
        """Whether *authority* signed it."""
        try:
            self.certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def new_authority(names: Sequence[str], *, now: datetime, lifetime: timedelta) -> Pair:
    """An authority for certificates of *names*, which are DNS names and IP addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # Two authorities are known apart by their names where an old and a new one are trusted at once.
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"portreeve-ca-{serial:040x}"[:54])])
    public = key.public_key()
    certificate = (
        _begun(own, own, public, serial, now=now, ends=now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.NameConstraints([_permitted(name) for name in names], None), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    return Pair(pem_of(certificate), _key_pem(key))


def issue(authority: Pair, names: Sequence[str], *, now: datetime, lifetime: timedelta) -> Pair:
    """A certificate for *names* with a new key, which ends with *authority* at the latest.

    Raises:
        ValueError: *authority* is no certificate with an elliptic key.
    """
    signer = x509.load_pem_x509_certificate(authority.certificate)
    signing = serialization.load_pem_private_key(authority.key, None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise ValueError("the key of the authority is none of ours")  # noqa: TRY004  # as its loader
    key = ec.generate_private_key(ec.SECP256R1())
    common = names[0] if len(names[0]) <= _LONGEST_COMMON_NAME else "portreeve"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    ends = min(now + lifetime, signer.not_valid_after_utc)
    builder = _begun(
        subject, signer.subject, key.public_key(), x509.random_serial_number(), now=now, ends=ends
    )
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    return Pair(pem_of(certificate), _key_pem(key))


def read_leaf(pair: Pair) -> Leaf | None:
    """The certificate in *pair*; ``None`` where it is none, or the key is another one's."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate)
    except ValueError:
        return None
    return Leaf(certificate) if fits(certificate, pair.key) else None


def fits(certificate: x509.Certificate, key: bytes) -> bool:
    """Whether *key* (PEM) is that of *certificate*."""
    try:
        own = serialization.load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError):
        return False
    return own == certificate.public_key()


def certificates_in(pem: bytes) -> list[x509.Certificate]:
    """The certificates in *pem*; none where it is none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []


def pem_of(certificate: x509.Certificate) -> bytes:
    """*certificate* as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """The names that *certificate* is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_texts(found))


def names_permitted(authority: x509.Certificate) -> frozenset[str]:
    """The names that *authority* may sign for."""
    try:
        found = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_texts(found.permitted_subtrees or ()))


def is_name(text: str) -> bool:
    """Whether *text* is an IP address or a DNS name."""
    if _address(text) is not None:
        return True
    labels = text.split(".")
    return len(text) <= 253 and all(
        label and len(label) <= 63 and label.replace("-", "").isalnum() and label.isascii()
        for label in labels
    )


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    serial: int,
    *,
    now: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(now - _BEFORE)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _permitted(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(ipaddress.ip_network(address))


def _texts(names: x509.SubjectAlternativeName | Sequence[x509.GeneralName]) -> Iterator[str]:
    for name in names:
        if isinstance(name, x509.DNSName):
            yield name.value
        elif isinstance(name, x509.IPAddress):
            value = name.value
            if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
                value = value.network_address
            yield str(value)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
