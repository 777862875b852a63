"""Certificates in a folder, for a service outside of a cluster, or with a volume of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from service.certificates.keeping import Kept
from service.certificates.making import Pair
from service.certificates.rotation import Book
from service.errors import SettingsRefused

CERTIFICATE, KEY = "tls.crt", "tls.key"
_BOOK = "authorities.json"
BUNDLE = "ca.crt"
_TOLD = "published.crt"
_LOCK = ".lock"


class Folder:
    """A ``Store`` whose files are each replaced as a whole.

    The service finds ``tls.crt`` and ``tls.key``, API servers are told what is in ``ca.crt``;
    ``authorities.json`` has the key of the authority and is for nobody else.
    """

    def __init__(self, path: Path) -> None:
        """Keep them in *path*, which is made where it is not there.

        Raises:
            SettingsRefused: It cannot be made.
        """
        self._path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """While no other process of this machine takes steps in the folder.

        Raises:
            SettingsRefused: The folder cannot be written to.
        """
        path = self._path / _LOCK
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> Kept:
        """What is kept.

        Raises:
            SettingsRefused: It cannot be read, or is not what was written.
        """
        book, certificate, key = (self._read(name) for name in (_BOOK, CERTIFICATE, KEY))
        pair = Pair(certificate, key) if certificate is not None and key is not None else None
        return Kept(None if book is None else read_book(book, str(self._path / _BOOK)), pair)

    def write_book(self, book: Book) -> None:
        """Keep the authorities, and whom to trust.

        Raises:
            SettingsRefused: They cannot be written.
        """
        self._write(_BOOK, book.model_dump_json().encode(), mode=0o600)
        self._write(BUNDLE, book.bundle, mode=0o644)

    def write_pair(self, pair: Pair) -> None:
        """Keep the certificate and its key.

        Raises:
            SettingsRefused: They cannot be written.
        """
        # Whoever is killed in between leaves a pair that does not fit, which is issued anew; a
        # service that runs goes on with what it has.
        self._write(KEY, pair.key, mode=0o600)
        self._write(CERTIFICATE, pair.certificate, mode=0o644)

    def _read(self, name: str) -> bytes | None:
        path = self._path / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(path, error) from error

    def _write(self, name: str, content: bytes, *, mode: int) -> None:
        path = self._path / name
        beside = path.with_name(f".{name}.new")
        try:
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise _unusable(path, error) from error


class ToldByHand:
    """A ``Trust`` of somebody who tells API servers, and then says so."""

    asks = (
        "put `ca.crt` into the `caBundle` of every webhook, and say so with --published: the "
        "certificate stays what it is until then"
    )

    def __init__(self, path: Path, *, published: bool) -> None:
        """The folder is *path*; *published* says that API servers have been told its ``ca.crt``."""
        self._path = path / _TOLD
        self._published = published

    def read(self) -> tuple[bytes, ...]:
        """What was said to be published last."""
        try:
            return (self._path.read_bytes(),)
        except FileNotFoundError:
            return (b"",)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def write(self, bundle: bytes) -> bool:
        """Believe that API servers were told *bundle*, where that was said, once."""
        if not self._published:
            return False
        self._published = False
        try:
            self._path.write_bytes(bundle)
        except OSError as error:
            raise _unusable(self._path, error) from error
        return True


def read_book(raw: bytes, where: str) -> Book:
    """The authorities that *raw* has.

    Raises:
        SettingsRefused: It is not what was written.
    """
    try:
        return Book.model_validate_json(raw)
    except ValidationError as error:
        raise SettingsRefused(
            f"`{where}` is no list of authorities as it was written",
            hint="Remove it: a new authority is then made, and the old ones stay trusted as long "
            "as the certificate that is in use.",
        ) from error


def _unusable(path: Path, error: OSError) -> SettingsRefused:
    return SettingsRefused(f"`{path}` cannot be used for certificates: {error.strerror}")
