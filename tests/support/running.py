"""Real servers for system tests: started on free loopback ports, stopped at the end of a test."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PORTREEVE = Path(sys.executable).parent / "portreeve"


def tool(name: str) -> Path | None:
    """A real peer: from ``.tools/bin`` where it was built, else from PATH."""
    built = ROOT / ".tools" / "bin" / name
    if built.exists():
        return built
    found = shutil.which(name)
    return Path(found) if found else None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Answer:
    status: int
    body: Any
    text: str


def call(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """GET, or POST where there is a body; an error status is an answer too."""
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310  # loopback only
    if body is not None and "Content-type" not in request.headers:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # loopback only
            text = answer.read().decode()
            status = answer.status
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        status = error.code
    try:
        return Answer(status, json.loads(text), text)
    except ValueError:
        return Answer(status, None, text)


def wait_until(ready: Any, process: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
    """Wait until *ready* returns true; fails early where the process has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if ready():
                return
        if process.poll() is not None:
            raise AssertionError(f"{process.args} ended with {process.returncode}")
        time.sleep(0.05)
    raise AssertionError(f"{process.args} was not ready in {seconds} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Service:
    process: subprocess.Popen[bytes]
    url: str
    log: Path
    output: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def kill(self) -> None:
        """Kill it where it stands."""
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        """Start it as it was started before, on the same port; it need not answer yet."""
        with self.output.open("ab") as stream:
            self.process = subprocess.Popen(
                self.process.args, stderr=stream, stdout=stream, env={**os.environ, **self.env}
            )

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return call(self.url + path, raw, headers)

    def get(self, path: str, **headers: str) -> Answer:
        return call(self.url + path, None, headers)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines() if line]


def spawn(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> Service:
    """Start ``portreeve serve``; the caller stops it."""
    log = folder / "decisions.db"
    output = folder / "service.jsonl"
    port = free_port()
    arguments = [str(PORTREEVE), "serve", "--bundle", "example", "--log", str(log)]
    arguments += ["--port", str(port), *options]
    with output.open("ab") as stream:
        process = subprocess.Popen(
            arguments, stderr=stream, stdout=stream, env={**os.environ, **(env or {})}
        )
    scheme = "https" if "--tls-key" in options else "http"
    return Service(process, f"{scheme}://127.0.0.1:{port}", log, output, env or {})


@contextlib.contextmanager
def portreeve(
    folder: Path, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A running ``portreeve serve`` with the example bundle and its log in *folder*."""
    service = spawn(folder, *options, env=env)
    try:
        wait_until(lambda: service.get("/readyz").status == 200, service.process)
        yield service
    finally:
        stop(service.process)
