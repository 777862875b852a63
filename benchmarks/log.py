"""What a durable decision costs: rate and latency by concurrency, processor time, bytes on disk.

The log is written in the callers' process (``here``) and in one of its own (``apart``); callers do
nothing else, or hold the event loop for a while as deciding does. Processor time is that of the
callers' process.

``python -m benchmarks.log [FOLDER]`` writes into a new folder below FOLDER, which decides what a
flush costs: the current folder unless told otherwise.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from records import entry  # noqa: E402  # shared with the tests

from service.log.apart import write_apart  # noqa: E402
from service.log.entry import Entry  # noqa: E402
from service.log.sqlite import DecisionLogFile, write_here  # noqa: E402

_SECONDS = 3.0
_CONCURRENCY = (1, 8, 32, 128)
_PLACES = {"here": write_here, "apart": write_apart}
_HEAD = (
    " place  concurrency  work ms  decisions/s   p50 ms   p99 ms  us CPU/decision  bytes/decision"
)


def flush_micros(folder: Path) -> float:
    """The median time of an append of 4 KiB with its flush, in microseconds."""
    times = []
    handle = os.open(folder / "flush", os.O_CREAT | os.O_WRONLY)
    try:
        for _ in range(200):
            started = time.perf_counter()
            os.write(handle, bytes(4096))
            os.fdatasync(handle)
            times.append(time.perf_counter() - started)
    finally:
        os.close(handle)
    return sorted(times)[len(times) // 2] * 1e6


def busy(seconds: float) -> None:
    """Hold the event loop as deciding does."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def _client(
    log: DecisionLogFile, entries: list[Entry], until: float, work: float
) -> list[float]:
    times = []
    while entries and time.perf_counter() < until:
        one = entries.pop()
        if work:
            busy(work)
        started = time.perf_counter()
        await log.record(one)
        times.append(time.perf_counter() - started)
    return times


async def measure(folder: Path, place: str, concurrency: int, *, work: float = 0.0) -> None:
    """Print one row: *concurrency* callers, each with *work* seconds of its own per decision."""
    path = folder / f"decisions-{place}-{concurrency}-{work}.db"
    entries = [entry(unique=True) for _ in range(40_000)]
    log = await DecisionLogFile.open(path, start=_PLACES[place])
    cpu, started = time.process_time(), time.perf_counter()
    until = started + _SECONDS
    clients = [_client(log, entries, until, work) for _ in range(concurrency)]
    times = sorted(time for client in await asyncio.gather(*clients) for time in client)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    await log.close()
    count = len(times)
    cells = (
        f"{place:>6}",
        f"{concurrency:>11}",
        f"{work * 1e3:>7.1f}",
        f"{count / wall:>11,.0f}",
        f"{times[count // 2] * 1e3:>7.2f}",
        f"{times[int(count * 0.99)] * 1e3:>7.2f}",
        f"{(cpu / count - work) * 1e6:>15.0f}",
        f"{path.stat().st_size / count:>14,.0f}",
    )
    print("  ".join(cells))


def main(below: str = ".") -> None:
    """Print the table, with the log in a new folder in *below*."""
    with tempfile.TemporaryDirectory(dir=below) as name:
        folder = Path(name)
        print(f"an append of 4 KiB with its flush: {flush_micros(folder):,.0f} us (median)\n")
        print(_HEAD)
        for place in _PLACES:
            for work in (0.0, 0.0003):
                for concurrency in _CONCURRENCY:
                    asyncio.run(measure(folder, place, concurrency, work=work))


if __name__ == "__main__":
    main(*sys.argv[1:2])
