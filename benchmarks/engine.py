"""Engine time per resource beside OPA's own, for the same bundle and the same resolved requests.

``engine`` is what the interpreter takes for the rules, ``eval`` what the OPA server says in its
metrics that it took; ``round trip`` is what a caller waits for, through the processes and the HTTP
that belong to it. All are best-of-rounds, in turns: a machine is never alone.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from opa_server import archived, opa, opa_server  # noqa: E402  # shared with the tests
from rule_examples import bundle_of, examples  # noqa: E402

from benchmarks import growth  # noqa: E402  # imports the project
from benchmarks.interpreter import interpreter  # noqa: E402  # imports the project
from service.bundle.values import Bundle  # noqa: E402
from service.evaluate.embedded import EmbeddedEngine  # noqa: E402
from service.evaluate.engine import Engine  # noqa: E402
from service.evaluate.opa import OpaEngine  # noqa: E402
from service.model.request import Request  # noqa: E402

_METRICS = "data/portreeve/entry/findings?strict-builtin-errors=true&metrics=true"
_EVAL = re.compile(rb'"timer_rego_query_eval_ns":(\d+)')


@dataclass
class Times:
    """Microseconds per resource, the best of all rounds so far."""

    resources: int
    best: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        """Keep the *seconds* of all resources if they are the fewest for *name*."""
        self.best[name] = min(self.best.get(name, 1e12), seconds * 1e6 / self.resources)


def run(*, rounds: int = 7) -> None:
    """Print the figures for one resource, and for many in one request."""
    if opa() is None:
        print("engine: skipped, needs OPA (make tools)")
        return
    uvloop.run(_run(rounds))


async def _run(rounds: int) -> None:
    bundle = bundle_of("example")
    alone = [example.resolved() for example in examples() if example.body["bundle"] == "example"]
    with tempfile.TemporaryDirectory() as folder, opa_server(archived(bundle, Path(folder))) as url:
        embedded = await EmbeddedEngine.start(bundle)
        remote = await OpaEngine.start(bundle, url=url)
        try:
            for name, requests, times in (
                ("one resource", alone, 5),
                ("100 resources", [_many(alone, 100)], 10),
            ):
                await _compare(name, requests, (embedded, remote), bundle, (rounds, times))
            await _parallel({"ours": embedded, "theirs": remote}, alone[0])
            _print_memory("example", embedded)
        finally:
            await embedded.close()
            await remote.close()
    growth.compare(bundle, [request.model_dump_json() for request in alone])
    await _loading(bundle_of("default"), rounds)


async def _compare(
    name: str,
    requests: list[Request],
    engines: tuple[EmbeddedEngine, OpaEngine],
    bundle: Bundle,
    repeat: tuple[int, int],
) -> None:
    rules, bodies = interpreter(bundle), [request.model_dump_json() for request in requests]
    (rounds, times), found = repeat, Times(sum(len(request.resources) for request in requests))
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(times):
            for body in bodies:
                rules.findings(body)
        found.add("engine", (time.perf_counter() - begun) / times)
        found.add("eval", await _opa_eval(engines[1], bodies, times))
        for side, engine in zip(("ours", "theirs"), engines, strict=True):
            begun, busy = time.perf_counter(), time.process_time()
            for _ in range(times):
                for request in requests:
                    await engine.evaluate(request, seconds=30)
            found.add(side, (time.perf_counter() - begun) / times)
            found.add(f"{side}, own CPU", (time.process_time() - busy) / times)
    best = found.best
    print(
        f"engine: {name}: {best['engine']:.0f} us per resource, OPA's eval {best['eval']:.0f} us,"
        f" ratio {best['eval'] / best['engine']:.2f}; round trip {best['ours']:.0f} us"
        f" (own CPU {best['ours, own CPU']:.0f} us), OPA's {best['theirs']:.0f} us"
        f" (own CPU {best['theirs, own CPU']:.0f} us), ratio {best['theirs'] / best['ours']:.2f}"
    )


async def _opa_eval(engine: OpaEngine, bodies: list[str], times: int) -> float:
    """Seconds that the OPA server says it took to evaluate all of *bodies*, on average."""
    nanoseconds = 0
    for _ in range(times):
        for body in bodies:
            whole = b'{"input":' + body.encode() + b"}"
            _, raw = await engine._send("POST", _METRICS, whole)  # noqa: SLF001 - with metrics
            taken = _EVAL.search(raw)
            nanoseconds += int(taken[1]) if taken else 0
    return nanoseconds / times / 1e9


async def _parallel(engines: dict[str, Engine], request: Request, *, clients: int = 8) -> None:
    """Print how many requests per second several callers get at the same time."""
    rates = {}
    for side, engine in engines.items():
        left = iter(range(3000))

        async def ask(engine: Engine = engine, left: Iterator[int] = left) -> None:
            for _ in left:
                await engine.evaluate(request, seconds=30)

        begun = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(clients)))
        rates[side] = 3000 / (time.perf_counter() - begun)
    print(
        f"engine: {clients} callers: {rates['ours']:,.0f} requests/s,"
        f" OPA {rates['theirs']:,.0f} requests/s, ratio {rates['ours'] / rates['theirs']:.2f}"
    )


async def _loading(bundle: Bundle, rounds: int) -> None:
    """Print how long both engines take from nothing to their first answer about *bundle*."""
    ours, theirs = 1e12, 1e12
    with tempfile.TemporaryDirectory() as folder:
        archive = archived(bundle, Path(folder))
        for number in range(rounds):
            begun = time.perf_counter()
            embedded = await EmbeddedEngine.start(bundle, workers=1)
            ours = min(ours, time.perf_counter() - begun)
            if number == rounds - 1:
                _print_memory("default", embedded)
            await embedded.close()
            begun = time.perf_counter()
            with opa_server(archive):
                theirs = min(theirs, time.perf_counter() - begun)
    print(
        f"engine: loading the default bundle: {ours * 1000:.0f} ms for an evaluator,"
        f" {theirs * 1000:.0f} ms for OPA to be healthy"
    )


def _print_memory(name: str, engine: EmbeddedEngine) -> None:
    for evaluator in engine._pool.live:  # noqa: SLF001 - its memory is looked at
        print(f"engine: memory of an evaluator of {name}: {_resident(evaluator.pid)}")


def _many(requests: list[Request], count: int) -> Request:
    """One request for *count* of the resources of *requests*, in turns."""
    known = [resource for request in requests for resource in request.resources]
    chosen = (known * (count // len(known) + 1))[:count]
    named = tuple(
        resource.model_copy(update={"address": f"{number} {resource.address}"})
        for number, resource in enumerate(chosen)
    )
    return requests[0].model_copy(update={"resources": named})


def _resident(pid: int) -> str:
    status = Path(f"/proc/{pid}/status").read_text()
    total, own = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) for name in ("VmRSS", "RssAnon"))
    return f"{total / 1024:.0f} MiB, {own / 1024:.0f} MiB of it not shared"


if __name__ == "__main__":
    run()
