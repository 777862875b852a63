"""The certificate that the service shows, taken anew from its files when they change.

Whoever renews a certificate writes other files in the place of the old ones; cert-manager does so
through a Secret, which the kubelet swaps within about a minute. The files are read every second.
A pair that cannot be used leaves the old one in its place, so that a half-written or wrong file
takes nothing down.

Each new pair gets a context of its own, which handshakes are moved to by OpenSSL's servername
callback; it is called with and without a server name (SSL_CTX_set_tlsext_servername_callback(3)).
``load_cert_chain`` on the context that listens would keep the pair that it had before for another
type of key: after a change from ECDSA to RSA it goes on with the old ECDSA certificate. Connections
that exist keep what they were made with, so that no request is lost.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog

from service.errors import SettingsRefused

_LOG = structlog.get_logger("portreeve")
_LOOK_SECONDS = 1.0
_SOON = timedelta(days=7)
_REMIND = timedelta(days=1)
_MOST_STEPS = 16


class Files(NamedTuple):
    """Where the certificate with its chain, its key, and the CA of clients are (PEM).

    ``client_ca`` is ``None`` where clients are not asked for a certificate.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


class _Contents(NamedTuple):
    """What the files hold."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


class _Pair(NamedTuple):
    """A pair that was tried, and when its certificate ends."""

    context: ssl.SSLContext
    not_after: datetime


class Certificates:
    """The pair in use.

    Attributes:
        context: To listen with; every handshake on it uses the newest pair.
    """

    def __init__(self, files: Files) -> None:
        """Read *files*.

        Raises:
            SettingsRefused: They cannot be read, or are no pair that works.
        """
        self._files = files
        try:
            self._contents = _read(files)
            self._pair = _try(self._contents)
        except (OSError, ValueError) as error:
            raise SettingsRefused(
                f"the TLS certificate or key cannot be used: {error}",
                hint="Check the files; the certificate comes first, then its chain.",
            ) from error
        self._refused: _Contents | None = None
        self._told: _Contents | None = None
        self._reminded = datetime.min.replace(tzinfo=UTC)
        self.context = _try(self._contents).context
        self.context.sni_callback = self._take_newest

    @property
    def not_after(self) -> datetime:
        """When the certificate in use ends."""
        return self._pair.not_after

    async def watch(self) -> None:
        """Look at the files every second until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Take what the files hold, where that is another pair and one that works.

        A pair that does not work is told of when it is there for a second time: the files may be
        written one after the other.
        """
        self._remind()
        try:
            contents = await asyncio.to_thread(_read, self._files)
        except OSError as error:
            self._refuse(None, error)
            return
        if contents == self._contents:
            self._refused = self._told = None
            return
        try:
            pair = await asyncio.to_thread(_try, contents)
        except (OSError, ValueError) as error:
            self._refuse(contents, error)
            return
        self._contents, self._pair = contents, pair
        self._refused = self._told = None
        _LOG.info("tls_reloaded", not_after=pair.not_after.isoformat())

    def _take_newest(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._pair.context

    def _refuse(self, contents: _Contents | None, error: Exception) -> None:
        missing = _Contents(b"", b"", None) if contents is None else contents
        if self._refused == missing and self._told != missing:
            self._told = missing
            _LOG.error(
                "tls_not_reloaded",
                error=str(error),
                certificate=str(self._files.certificate),
                still_valid_until=self.not_after.isoformat(),
            )
        self._refused = missing

    def _remind(self) -> None:
        """Say once a day that the certificate ends soon, or has ended."""
        now = datetime.now(UTC)
        if self.not_after - now < _SOON and now - self._reminded > _REMIND:
            self._reminded = now
            _LOG.warning("tls_ends_soon", not_after=self.not_after.isoformat())


def _read(files: Files) -> _Contents:
    """What the files hold.

    Raises:
        OSError: One of them cannot be read.
    """
    return _Contents(
        files.certificate.read_bytes(),
        files.key.read_bytes(),
        files.client_ca.read_bytes() if files.client_ca else None,
    )


def _try(contents: _Contents) -> _Pair:
    """A context with the pair, proved by a handshake in memory.

    Raises:
        OSError: The certificate and the key are malformed, do not belong together, the key asks for
            a password, or the certificate is not valid now (``ssl.SSLError`` is an ``OSError``).
        ValueError: The chain holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # From memory: the files may change between two looks, and OpenSSL reads paths only.
    handle = os.memfd_create("pair")
    try:
        with os.fdopen(os.dup(handle), "wb") as memory:
            memory.write(contents.certificate + b"\n" + contents.key)
        # Without a password of ours OpenSSL would ask for one at the terminal.
        context.load_cert_chain(f"/proc/self/fd/{handle}", password=lambda: b"")
    finally:
        os.close(handle)
    if contents.client_ca is not None:
        context.load_verify_locations(cadata=contents.client_ca.decode("ascii", "replace"))
        # Optional here: probes of the kubelet have none. Who must have one is decided per request.
        context.verify_mode = ssl.CERT_OPTIONAL
    return _Pair(context, _shaken(context, contents.certificate.decode("ascii", "replace")))


def _shaken(server: ssl.SSLContext, chain: str) -> datetime:
    """Shake hands with *server* as a client that trusts *chain*; returns when its leaf ends.

    Raises:
        OSError: The client refuses the certificate.
        ValueError: There is none.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=chain)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(there, back, server_side=True)
    theirs = client.wrap_bio(back, there)
    for _ in range(_MOST_STEPS):
        done = [_step(side) for side in (theirs, ours)]
        if all(done):
            break
    shown = theirs.getpeercert()
    if not shown:
        raise ValueError("no handshake came about")
    seconds = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return datetime.fromtimestamp(seconds, UTC)


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
