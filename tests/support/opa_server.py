"""The real OPA server, with a bundle, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from running import free_port, stop, tool, wait_until

from service.bundle.values import Bundle
from service.bundle.write import write


def opa() -> Path | None:
    """The program, if it is here."""
    return tool("opa")


@contextlib.contextmanager
def opa_server(archive: Path) -> Iterator[str]:
    """The address of an OPA server that has loaded the bundle *archive*."""
    program = opa()
    if program is None:
        raise FileNotFoundError("opa")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            program,
            *("run", "--server", "--bundle", archive, "--addr", f"127.0.0.1:{port}"),
            *("--log-level", "error", "--disable-telemetry"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
    )
    try:
        wait_until(lambda: _healthy(url), process)
        yield url
    finally:
        stop(process)


def archived(bundle: Bundle, folder: Path) -> Path:
    """*bundle* as an archive in *folder*."""
    path = folder / "bundle.tar.gz"
    write(bundle, path)
    return path


def _healthy(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/health?bundles", timeout=5) as answer:  # noqa: S310  # loopback
        return bool(answer.status == 200)
