"""The right to write a log: one process has it, for as long as it lives."""

from __future__ import annotations

import fcntl
import os
import weakref
from contextlib import suppress
from pathlib import Path

from service.store.opening import make_folder, unwritable


class WriterLock:
    """An exclusive ``flock`` on the file beside the log.

    The kernel drops it when the process ends, however it ends. A forked child would keep it alive,
    so children close it at once.
    """

    def __init__(self, handle: int) -> None:
        """Own *handle*, on which the lock is held."""
        self._handle: int | None = handle
        HELD.add(self)

    @classmethod
    def take(cls, path: Path) -> WriterLock | None:
        """Take the lock of the log at *path*, or ``None`` while another process has it.

        Raises:
            LogUnavailable: The lock file cannot be made.
        """
        name = f"{path}.lock"
        try:
            make_folder(path.parent)
            while True:
                handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
                if not _lock(handle):
                    os.close(handle)
                    return None
                if _is_still(name, handle):
                    break
                os.close(handle)
        except OSError as error:
            raise unwritable(path, error.strerror or str(error)) from error
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return cls(handle)

    @property
    def handle(self) -> int:
        """The open file that holds it; a child that inherits the handle holds it too."""
        if self._handle is None:
            raise ValueError("the lock was released")
        return self._handle

    def release(self) -> None:
        """Let another process have it."""
        HELD.discard(self)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


HELD: weakref.WeakSet[WriterLock] = weakref.WeakSet()


def holder(path: Path) -> str:
    """Who writes *path*, in words for a message."""
    with suppress(OSError):
        if text := Path(f"{path}.lock").read_text(encoding="ascii", errors="replace").strip():
            return f"process {text[:20]}"
    return "another process"


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(name: str, handle: int) -> bool:
    """Whether the locked file is the one that others will find, and not a deleted one."""
    try:
        found = os.stat(name)  # noqa: PTH116 - beside fstat
    except FileNotFoundError:
        return False
    own = os.fstat(handle)
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)


def _release_in_child() -> None:
    for lock in list(HELD):
        lock.release()


os.register_at_fork(after_in_child=_release_in_child)
