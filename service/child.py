"""A process of the service beside its first, replaced where it ends too early."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import structlog

_LOG = structlog.get_logger("portreeve")
_STEADY_SECONDS = 30.0
_LONGEST_PAUSE = 30.0


class Child:
    """A module that runs in a process of its own, as its parent sees it."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        replaced: str,
        handles: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run *module* with *arguments*.

        Args:
            module: The name of a module of ours.
            arguments: What it is started with, each time.
            replaced: The event in the service's own log where another one is started.
            handles: Files that it inherits, each time; their numbers are in *arguments*.
            environment: Variables that it has beside those of this process.
        """
        self._command = [sys.executable, "-P", "-m", module, *arguments]
        self._replaced = replaced
        self._handles = tuple(handles)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 0.0

    def start(self, once: Sequence[int] = ()) -> None:
        """Start the process; it ends when its standard input is closed, however that happens.

        *once* are files whose numbers follow its arguments this time only.
        """
        # A session of its own: a terminal's Ctrl-C must not end it before it has done its part.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*self._command, *map(str, once)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(*self._handles, *once),
            start_new_session=True,
            env={**os.environ, **self._environment} if self._environment else None,
        )
        self._started = time.monotonic()

    def replace_if_ended(self) -> None:
        """Start another one where it ended; one that never lasts is started ever more seldom."""
        process = self._process
        if process is None or process.poll() is None:
            return
        now = time.monotonic()
        if now - self._started > _STEADY_SECONDS:
            self._pause = 0.0
        if now - self._started < self._pause:
            return
        self._pause = min(_LONGEST_PAUSE, max(1.0, self._pause * 2))
        _LOG.warning(self._replaced, pid=process.pid, ended=process.returncode)
        self.ask_to_stop()
        self.start()

    def ask_to_stop(self) -> None:
        """Let it finish what it is doing; nothing where it has ended."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Return when it is gone, killed where it takes longer than *seconds*."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
