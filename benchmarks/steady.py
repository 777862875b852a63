"""Whether memory stays flat: creates through a real API server at a steady rate, for minutes.

``python -m benchmarks steady --minutes 5 --rate 100``. Requests are sent when their time has come,
whether earlier ones are answered or not, each about an object of another name. The rate that was
reached is printed too: a machine that cannot keep up shows nothing about memory.
"""

from __future__ import annotations

import argparse
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.apiserver import GOVERNED, Target, asked, installed, missing
from benchmarks.webhook import Memory, memory_of

_THREADS = 32
_SAMPLES = 10
_CREATED = 201


@dataclass
class Sent:
    """What came of the requests.

    Attributes:
        seconds: From when each was due until its answer.
        failed: How many had another answer than that they were admitted, or none.
    """

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


class Clients:
    """A connection for each thread that sends."""

    def __init__(self, target: Target) -> None:
        """Clients of *target*."""
        self._target = target
        self._own = threading.local()
        self._trust = ssl._create_unverified_context()  # noqa: S323, SLF001  # loopback only
        self.sent = Sent()

    def create(self, number: int, due: float) -> None:
        """Have the object *number* created, as it was due at *due* (``time.perf_counter``)."""
        time.sleep(max(0.0, due - time.perf_counter()))
        try:
            status = self._post(number)
        except (OSError, HTTPException):
            self._own.connection = None
            status = 0
        self.sent.failed += status != _CREATED
        self.sent.seconds.append(time.perf_counter() - due)

    def _post(self, number: int) -> int:
        url = urlsplit(self._target.creates(GOVERNED))
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = HTTPSConnection(url.netloc, timeout=30, context=self._trust)
            self._own.connection = connection
        headers = {
            "Authorization": f"Bearer {self._target.token}",
            "Content-Type": "application/json",
        }
        connection.request(
            "POST", f"{url.path}?{url.query}", asked(GOVERNED, f"llama-{number}"), headers
        )
        answer = connection.getresponse()
        answer.read()
        status: int = answer.status
        return status


def main(arguments: Sequence[str] = ()) -> None:
    """Print memory as time passes, and by how much it grew after the first tenth."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks steady")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--rate", type=int, default=100, help="requests per second")
    options = parser.parse_args(arguments)
    if absent := missing():
        print(f"steady: skipped, needs {', '.join(absent)}")
        return
    with (
        tempfile.TemporaryDirectory() as name,
        installed(Path(name)) as (made, target),
    ):
        _run(Clients(target), made.service.process.pid, options.minutes * 60, options.rate)


def _run(clients: Clients, pid: int, seconds: float, rate: int) -> None:
    begun = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        for number in range(int(seconds * rate)):
            pool.submit(clients.create, number, begun + number / rate)
        taken = []
        for sample in range(1, _SAMPLES + 1):
            time.sleep(max(0.0, begun + seconds * sample / _SAMPLES - time.perf_counter()))
            taken.append(memory_of(pid))
            _print_sample(clients.sent, taken[-1], time.perf_counter() - begun)
    _print_end(clients.sent, taken, time.perf_counter() - begun)


def _print_sample(sent: Sent, memory: Memory, seconds: float) -> None:
    print(
        f"steady: {seconds:>4.0f} s: {len(sent.seconds):>6,} answers, {sent.failed} not admitted,"
        f" memory {memory.own:.1f} MiB",
        flush=True,
    )


def _print_end(sent: Sent, taken: list[Memory], seconds: float) -> None:
    times = sorted(sent.seconds)
    grown = taken[-1].own - taken[0].own
    print(
        f"steady: {len(times) / seconds:.0f} requests/s, p50 {times[len(times) // 2] * 1e3:.1f} ms,"
        f" p99 {times[int(len(times) * 0.99)] * 1e3:.1f} ms; memory {taken[-1].own:.1f} MiB,"
        f" {grown:+.1f} MiB since {seconds / _SAMPLES:.0f} s,"
        f" {grown * 1024 * 1024 / max(1, len(times)):+.0f} bytes per request"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
