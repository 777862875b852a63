"""Certificates of a test's own authority."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(kind: str = "ec") -> Key:
    return (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(65537, 2048)
    )


def pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@dataclass
class Authority:
    """Signs certificates for loopback and for names in a cluster."""

    name: str = "authority"
    key: Key = field(default_factory=new_key)

    def __post_init__(self) -> None:
        self.certificate = self._sign(self.name, self.key, days=30, ca=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *, kind: str = "ec", days: float = 2) -> tuple[bytes, bytes]:
        """A certificate, and its key, that ends in *days*; in the past where that is negative."""
        key = new_key(kind)
        leaf = self._sign(name, key, days=days, ca=False)
        return leaf.public_bytes(serialization.Encoding.PEM), pem(key)

    def _sign(self, name: str, key: Key, *, days: float, ca: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        end = now + dt.timedelta(days=days)
        names: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.DNSName("localhost"),
        ]
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, end) - dt.timedelta(hours=1))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )


@dataclass(frozen=True)
class Pair:
    """Files of a certificate and its key, written one after the other."""

    certificate: Path
    key: Path

    def write(self, contents: tuple[bytes, bytes]) -> None:
        self.certificate.write_bytes(contents[0])
        self.key.write_bytes(contents[1])


def pair_in(folder: Path, contents: tuple[bytes, bytes]) -> Pair:
    pair = Pair(folder / "tls.crt", folder / "tls.key")
    pair.write(contents)
    return pair
