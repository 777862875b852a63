"""The webhook with its durable log beside an OPA server that logs nothing.

Both answer the same request under the same rules: ours as an AdmissionReview of a Deployment that
is read, normalised, resolved, evaluated, recorded with fsync and answered; OPA's as the resolved
request that our rules see, evaluated and answered. wrk loads both, in turns.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from payloads import deployment, review  # noqa: E402  # shared with the tests
from running import call, free_port, portreeve, stop, tool, wait_until  # noqa: E402

from adapters.kubernetes.normalise import normalise_review  # noqa: E402
from service.bundle.load import load  # noqa: E402
from service.bundle.shipped import shipped  # noqa: E402
from service.bundle.write import write  # noqa: E402
from service.resolve.resolver import Resolver  # noqa: E402

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%s
local before, after = [==[%s]==], [==[%s]==]
local thread = 0
function setup(t) t:set("id", thread); thread = thread + 1 end
local n = 0
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, before .. string.format("%%04d-%%010d", id, n) .. after)
end
"""
UID = "the-uid-goes-here"


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests per second, and percentiles in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float
    errors: int


def measure(
    url: str,
    body: str,
    *,
    connections: int,
    seconds: int,
    folder: Path,
    token: str | None = None,
) -> Load:
    """Load *url* with *body*, in which ``UID`` is replaced by something new each time.

    *token* is who asks, where that matters.
    """
    before, _, after = body.partition(UID)
    script = folder / "request.lua"
    shown = f'wrk.headers["Authorization"] = "Bearer {token}"' if token is not None else ""
    script.write_text(_SCRIPT % (shown, before, after))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1])  # type: ignore[index]  # always printed
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    return Load(rate, _percentile(done, 50), _percentile(done, 99), int(bad[1]) if bad else 0)


def _percentile(printed: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", printed, re.MULTILINE)
    number, unit = found.groups()  # type: ignore[union-attr]  # always printed
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


class Memory(NamedTuple):
    """Memory of some processes, in MiB.

    Attributes:
        resident: The sum over the processes, in which what they share counts once for each.
        own: The same with what is shared divided among those who share it (``Pss``, proc(5)):
            what would be free without them.
    """

    resident: float
    own: float


def memory_of(pid: int) -> Memory:
    """Memory of a process and all below it."""
    totals = [0.0, 0.0]
    for process in [pid, *_children(pid)]:
        sizes = Path(f"/proc/{process}/smaps_rollup").read_text()
        for at, name in enumerate(("Rss", "Pss")):
            totals[at] += int(re.search(rf"{name}:\s+(\d+)", sizes)[1]) / 1024  # type: ignore[index]  # a live process has both
    return Memory(*totals)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def run(*, rounds: int = 3, seconds: int = 8) -> None:
    """Print rates, latencies, memory and the ratio for a few numbers of connections."""
    opa = tool("opa")
    if opa is None or tool("wrk") is None:
        print("webhook: skipped, needs OPA (make tools) and wrk")
        return
    asked = review(deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3"), uid=UID)
    bundle = load(shipped("example"))
    request = normalise_review(asked, cluster="prod-eu", caller="bench")
    resolved = Resolver(bundle).resolve(request, now=datetime.now(UTC))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(bundle, folder / "bundle.tar.gz")
        port = free_port()
        server = subprocess.Popen(
            [
                str(opa),
                "run",
                "--server",
                "--log-level=error",
                f"--addr=127.0.0.1:{port}",
                "-b",
                str(folder / "bundle.tar.gz"),
            ]
        )
        theirs = f"http://127.0.0.1:{port}/v1/data/portreeve/entry/findings"
        try:
            wait_until(lambda: call(f"http://127.0.0.1:{port}/health").status == 200, server)
            listeners = min(4, len(os.sched_getaffinity(0)))
            with portreeve(folder, env={"PORTREEVE_LISTENERS": str(listeners)}) as service:
                wait_until(lambda: listening(service.url) == listeners, service.process)
                ours = f"{service.url}/v1/kubernetes/validate/prod-eu"
                bodies = (
                    (ours, json.dumps(asked)),
                    (theirs, f'{{"input":{resolved.model_dump_json()}}}'),
                )
                _compare(bodies, rounds, seconds, folder)
                mine, other = memory_of(service.process.pid), memory_of(server.pid)
                print(
                    f"webhook: {listeners} listeners, resident memory {mine.own:.0f} MiB in all "
                    f"({mine.resident:.0f} MiB where what is shared counts for each process), "
                    f"OPA {other.own:.0f} MiB"
                )
        finally:
            stop(server)


def listening(url: str) -> int:
    """How many sockets listen on the port of *url*."""
    port = f":{urlsplit(url).port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(port in words[1] and words[3] == "0A" for words in map(str.split, lines))


def _compare(
    bodies: tuple[tuple[str, str], tuple[str, str]], rounds: int, seconds: int, folder: Path
) -> None:
    def load_of(side: int, connections: int, duration: int) -> Load:
        url, body = bodies[side]
        return measure(url, body, connections=connections, seconds=duration, folder=folder)

    for connections in (1, 8, 32):
        for side in (0, 1):
            load_of(side, connections, 2)
        pairs = [
            (load_of(0, connections, seconds), load_of(1, connections, seconds))
            for _ in range(rounds)
        ]
        errors = sum(one.errors + other.errors for one, other in pairs)
        print(
            f"webhook: {connections:>2} connections: "
            f"{_median(lambda pair: pair[0].rate, pairs):,.0f} requests/s, "
            f"p99 {_median(lambda pair: pair[0].p99_ms, pairs):.1f} ms; "
            f"OPA without a log {_median(lambda pair: pair[1].rate, pairs):,.0f} requests/s, "
            f"p99 {_median(lambda pair: pair[1].p99_ms, pairs):.1f} ms; "
            f"ratio {_median(lambda pair: pair[0].rate / pair[1].rate, pairs):.2f}"
            + (f"; {errors} ERRORS" if errors else "")
        )


def _median(figure: Callable[[tuple[Load, Load]], float], pairs: list[tuple[Load, Load]]) -> float:
    return statistics.median(figure(pair) for pair in pairs)


if __name__ == "__main__":
    run()
