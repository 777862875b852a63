"""What users of a cluster wait for: creates through an API server, with the webhooks and without.

wrk has Deployments with accelerators created as dry runs: the API server does all it does but to
store them. Those in one namespace are sent to us, decided under all rules and recorded with a
flush; those in the other are exempt, so the API server asks nobody. Both in turns, in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from guarded import Guarded, guarded  # noqa: E402  # shared with the tests
from payloads import deployment  # noqa: E402
from running import tool, wait_until  # noqa: E402

from benchmarks.webhook import UID, Load, listening, measure, memory_of  # noqa: E402

GOVERNED = "language-serving"
_EXEMPT = "exempt"
_NEEDED = ("kube-apiserver", "etcd", "kubectl", "wrk")


class Target(NamedTuple):
    """Where the API server is, and who is allowed to write there."""

    server: str
    token: str

    def creates(self, namespace: str) -> str:
        """The URL of dry runs of Deployments in *namespace*."""
        return f"{self.server}/apis/apps/v1/namespaces/{namespace}/deployments?dryRun=All"


@contextmanager
def installed(folder: Path) -> Iterator[tuple[Guarded, Target]]:
    """The cluster, and the service with the bundle `example` and a listener for each processor."""
    listeners = min(4, len(os.sched_getaffinity(0)))
    env = {"PORTREEVE_LISTENERS": str(listeners)}
    options = ("--bundle", "example")
    with guarded(folder, exempt=(_EXEMPT,), options=options, env=env) as made:
        service = made.service
        wait_until(lambda: listening(service.url) == listeners, service.process)
        for namespace in (GOVERNED, _EXEMPT):
            made.must("create", "namespace", namespace)
        access = json.loads(made.cluster.kubeconfig.read_text())
        server = access["clusters"][0]["cluster"]["server"]
        yield made, Target(server, access["users"][0]["user"]["token"])


def missing() -> list[str]:
    """Programs that are needed and not here."""
    return [name for name in _NEEDED if tool(name) is None]


def asked(namespace: str, name: str) -> str:
    """A Deployment that is admitted, as JSON."""
    document = deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3")
    document["metadata"].update(name=name, namespace=namespace)
    return json.dumps(document)


def run(*, rounds: int = 3, seconds: int = 8) -> None:
    """Print rates and latencies with and without the webhooks, and their ratio."""
    if absent := missing():
        print(f"apiserver: skipped, needs {', '.join(absent)}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with installed(folder) as (made, target):
            for connections in (1, 8, 32):
                _compare(target, connections, (rounds, seconds), folder)
            memory = memory_of(made.service.process.pid).own
            print(f"apiserver: memory of the service {memory:.0f} MiB")


def _compare(target: Target, connections: int, repeat: tuple[int, int], folder: Path) -> None:
    def load_of(namespace: str, seconds: int) -> Load:
        return measure(
            target.creates(namespace),
            asked(namespace, f"llama-{UID}"),
            connections=connections,
            seconds=seconds,
            folder=folder,
            token=target.token,
        )

    rounds, seconds = repeat
    for namespace in (GOVERNED, _EXEMPT):
        load_of(namespace, 2)
    pairs = [(load_of(GOVERNED, seconds), load_of(_EXEMPT, seconds)) for _ in range(rounds)]
    errors = sum(one.errors + other.errors for one, other in pairs)
    print(
        f"apiserver: {connections:>2} connections: with the webhooks {_row(pairs, 0)};"
        f" without {_row(pairs, 1)};"
        f" ratio {_median(lambda pair: pair[0].rate / pair[1].rate, pairs):.2f}"
        + (f"; {errors} ERRORS" if errors else "")
    )


def _row(pairs: list[tuple[Load, Load]], side: int) -> str:
    return (
        f"{_median(lambda pair: pair[side].rate, pairs):,.0f} requests/s,"
        f" p50 {_median(lambda pair: pair[side].p50_ms, pairs):.1f} ms,"
        f" p99 {_median(lambda pair: pair[side].p99_ms, pairs):.1f} ms"
    )


def _median(figure: Callable[[tuple[Load, Load]], float], pairs: list[tuple[Load, Load]]) -> float:
    return statistics.median(figure(pair) for pair in pairs)


if __name__ == "__main__":
    run()
