"""Runs ``recording.py`` and looks at what it left in the log."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from running import ROOT

from service.log.event_rows import restore_event
from service.log.rows import restore

PROGRAM = Path(__file__).with_name("recording.py")


class Recorder:
    """A process that records as fast as it can."""

    def __init__(
        self,
        log: Path,
        *,
        callers: int = 8,
        place: str = "here",
        env: Mapping[str, str] | None = None,
    ) -> None:
        paths = f"{ROOT}{os.pathsep}{PROGRAM.parent}"
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(log), str(callers), place],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, **(env or {})},
        )
        self.lines: list[str] = []
        # A test that fails leaves it running; it ends when nobody reads what it says any more.
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            # A line that the kill cut in half was not acknowledged as a whole.
            self.lines.extend(line[:-1] for line in lines if line.endswith("\n"))

    @property
    def acknowledged(self) -> list[str]:
        return [line for line in self.lines if not line.startswith(("open", "refused", "event "))]

    @property
    def events(self) -> list[str]:
        return [line.removeprefix("event ") for line in self.lines if line.startswith("event ")]

    @property
    def refused(self) -> list[str]:
        return [line for line in self.lines if line.startswith("refused")]

    def wait_for(self, count: int, *, seconds: float = 20) -> None:
        """Wait until *count* records are acknowledged."""
        until = time.monotonic() + seconds
        while len(self.acknowledged) < count:
            assert time.monotonic() < until, f"{len(self.lines)} lines: {self.lines[-3:]}"
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            time.sleep(0.01)

    def kill_writer(self) -> None:
        """Kill the process that writes for it, where it has one."""
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)

    def kill(self) -> list[str]:
        """Kill it where it stands; what it had acknowledged."""
        self.process.kill()
        self.process.wait()
        self._thread.join()
        return self.acknowledged


COUNTS = """
    SELECT d.seq, d.decision_id, d.body,
        (SELECT count(*) FROM decision_resources AS r WHERE r.decision = d.seq),
        (SELECT count(*) FROM findings AS f WHERE f.decision = d.seq),
        d.context IS NOT NULL,
        (SELECT count(*) FROM bodies AS b WHERE b.digest = d.request_body)
    FROM decisions AS d ORDER BY d.seq
"""


def check(path: Path) -> set[str]:
    """The ids in the log at *path*, once it is found whole: no half-written decision, no gap."""
    with sqlite3.connect(path) as log:
        assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert log.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = log.execute(COUNTS).fetchall()
    log.close()
    for number, (seq, decision_id, body, *counts) in enumerate(rows, start=1):
        decision = restore(body)
        assert (seq, decision_id) == (number, decision.decision_id)
        assert counts == [len(decision.resources), len(decision.findings), 1, 1]
    return {row[1] for row in rows}


def check_events(path: Path) -> set[str]:
    """The ids of the subject events in the log at *path*, once each is whole and none missing."""
    with sqlite3.connect(path) as log:
        rows = log.execute("SELECT seq, event_id, body FROM subject_events ORDER BY seq").fetchall()
    log.close()
    for number, (seq, event_id, body) in enumerate(rows, start=1):
        assert (seq, event_id) == (number, restore_event(body).event_id)
    return {row[1] for row in rows}
