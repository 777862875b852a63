"""What a scan has decided so far, in a file, so that it can go on after it was interrupted.

A scan that goes on reads the cluster again, because lists are only good for minutes. What it then
finds unchanged is neither decided nor recorded again.
"""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import IO, Self

from pydantic import AwareDatetime, ValidationError

from service.errors import SettingsRefused
from service.model.base import Text, Value
from service.report.scan import Scanned

_FORMAT = 1
_LONGEST = timedelta(days=1)
_SAME = {
    "format": "release of portreeve",
    "cluster": "cluster",
    "bundle": "bundle or baseline",
    "is_watched": "use of --unwatched",
}


class Header(Value):
    """Which scan a journal is of; ``until`` is the day with which what it accepts ends."""

    format: int = _FORMAT
    cluster: Text
    bundle: Text
    is_watched: bool
    until: Text
    begun: AwareDatetime


class _Line(Value):
    digest: Text
    scanned: Scanned


class Journal:
    """Decided objects by what was asked about them; written as they are decided."""

    def __init__(
        self, path: Path | None, file: IO[str] | None, header: Header, known: dict[str, Scanned]
    ) -> None:
        self._path = path
        self._file = file
        self._known = known
        self.until = header.until

    @classmethod
    def open(cls, path: Path | None, header: Header) -> Self:
        """The journal at *path*; ``None`` keeps none.

        It is begun where there is none, and where that is of a scan more than a day ago.

        Raises:
            SettingsRefused: The file is no journal, or one of another scan, or cannot be written.
        """
        if path is None:
            return cls(None, None, header, {})
        try:
            earlier = _read(path, header) if path.exists() and path.stat().st_size else None
            mode = os.O_APPEND if earlier is not None else os.O_TRUNC
            # What others run is nobody's business: as with the log, only the user may read it.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
        except OSError as error:
            raise SettingsRefused(
                f"`--resume` is `{path}`, which cannot be used: {(error.strerror or '').lower()}"
            ) from error
        file = os.fdopen(descriptor, "w", encoding="utf-8")
        if earlier is None:
            file.write(header.model_dump_json() + "\n")
            earlier = header, {}
        else:
            # A line that was cut off in the middle must not be continued by what follows.
            file.write("\n")
        file.flush()
        return cls(path, file, *earlier)

    def __len__(self) -> int:
        """How many objects were decided before."""
        return len(self._known)

    def find(self, digest: str) -> Scanned | None:
        """What was decided about the object of which the question has *digest*."""
        return self._known.get(digest)

    def add(self, digest: str, scanned: Scanned) -> None:
        """Keep what was decided; a process that is killed afterwards does not lose it."""
        if self._file is not None:
            line = _Line(digest=digest, scanned=scanned)
            self._file.write(line.model_dump_json() + "\n")
            self._file.flush()

    def close(self, *, is_done: bool) -> None:
        """Close the file, and remove it where there is nothing left to go on with."""
        if self._file is not None:
            self._file.close()
        if self._path is not None and is_done:
            self._path.unlink(missing_ok=True)


def digest(body: bytes, uid: str) -> str:
    """What tells an object as it is asked about from any other, and from itself when it changed.

    The version of an object is not part of it, because that changes with its status.
    """
    content = body.partition(b" ")[2]
    return hashlib.sha256(uid.encode() + b"\0" + content).hexdigest()


def _read(path: Path, header: Header) -> tuple[Header, dict[str, Scanned]] | None:
    """The header and the lines of the file *path*; ``None`` where it is too old to go on with."""
    with path.open(encoding="utf-8", errors="replace") as file:
        try:
            found = Header.model_validate_json(file.readline())
        except ValidationError as error:
            raise SettingsRefused(
                f"`{path}` is no file that a scan wrote", hint="Name another file for --resume."
            ) from error
        if header.begun - found.begun > _LONGEST:
            return None
        other = [name for name in _SAME if getattr(found, name) != getattr(header, name)]
        if other:
            raise SettingsRefused(
                f"`{path}` is of another scan, with another {_SAME[other[0]]}",
                hint="Name another file for --resume, or remove this one.",
            )
        known: dict[str, Scanned] = {}
        for text in file:
            try:
                line = _Line.model_validate_json(text)
            except ValidationError:
                continue  # cut off when the scan was interrupted
            known[line.digest] = line.scanned
    return found, known
