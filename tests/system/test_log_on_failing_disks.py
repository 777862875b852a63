"""Real disks that are full or cannot flush: nothing is acknowledged that is not there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from recorder import Recorder, check

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(120)]


def wait_for_refusal(recorder: Recorder) -> str:
    until = time.monotonic() + 30
    while not recorder.refused:
        assert time.monotonic() < until, "nothing was refused"
        assert recorder.process.poll() is None
        time.sleep(0.01)
    return recorder.refused[0]


def test_a_full_disk_refuses_and_takes_records_again_when_there_is_room(small_disk: Path) -> None:
    path = small_disk / "decisions.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2 * 2**20))
    recorder = Recorder(path)
    refusal = wait_for_refusal(recorder)
    acknowledged = len(recorder.acknowledged)
    ballast.unlink()
    # Where each is committed by itself one takes up to 100 KiB of the 2 MiB that are free again.
    recorder.wait_for(acknowledged + 5)
    kept = recorder.kill()

    assert "no space left" in refusal
    assert acknowledged > 0
    assert set(kept) - check(path) == set()


def test_a_failed_flush_stops_a_log_until_it_is_started_again(tmp_path: Path, shim: Path) -> None:
    path = tmp_path / "decisions.db"
    flag = tmp_path / "fail"
    recorder = Recorder(path, env={"LD_PRELOAD": str(shim), "FAIL_FLUSH": str(flag)})
    recorder.wait_for(20)
    flag.touch()
    refusal = wait_for_refusal(recorder)
    time.sleep(0.1)
    acknowledged = len(recorder.acknowledged)
    flag.unlink()
    time.sleep(0.5)
    kept = recorder.kill()

    assert "SQLITE_IOERR_FSYNC" in refusal
    assert len(kept) == acknowledged
    again = Recorder(path)
    again.wait_for(20)
    kept += again.kill()
    assert set(kept) - check(path) == set()
