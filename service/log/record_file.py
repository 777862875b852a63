"""Records beside what they are about: the ``--record`` file of a check.

Each record is one line of JSON, appended and synced before the answer, so that a pipeline can keep
the file with the plan where it has no database.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from service.errors import LogUnavailable
from service.log.entry import Entry
from service.model.decision import Decision


class RecordFile:
    """A decision log in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unavailable(path, error) from error

    async def record(self, entry: Entry) -> Decision:
        """Append *entry* and sync it.

        Raises:
            LogUnavailable: It cannot be written.
        """
        await asyncio.to_thread(self._append, _line(entry))
        return entry.decision

    async def ready(self) -> bool:
        """Whether the file is open."""
        return self._descriptor >= 0

    async def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
        self._descriptor = -1

    def _append(self, line: bytes) -> None:
        try:
            while line:
                # A disk that is nearly full takes a part; what is left then fails by itself.
                line = line[os.write(self._descriptor, line) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise _unavailable(self._path, error) from error


def _line(entry: Entry) -> bytes:
    record = {
        "decision": entry.decision.model_dump(mode="json"),
        "request": json.loads(entry.request) if entry.request else None,
        "context": json.loads(entry.context) if entry.context else None,
        "resolved_digest": entry.resolved_digest or None,
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _unavailable(path: Path, error: OSError) -> LogUnavailable:
    return LogUnavailable(
        f"the record file `{path}` cannot be written: {(error.strerror or '').lower()}",
        hint="Name a file in a folder that can be written.",
    )
