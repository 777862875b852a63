"""An API server that does what a test tells it to: forget versions, break off, hang, refuse."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes.client import Configuration

from service.cluster.client import Client, Served

VERBS = frozenset({"list", "watch", "get", "create", "update", "delete"})
THINGS = Served("example.org", "v1", "Thing", "things", True, VERBS)


def thing(name: str, version: int, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team", "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": spec}


@dataclass
class Reply:
    """An answer: *status* and *body*; of a watch the *lines*, one at a time."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    lines: list[Any] | None = None
    breaks: bool = False
    waits: threading.Event | None = None


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class FakeApiServer:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], Reply] = lambda _: Reply({}, 404)

    def client(self) -> Client:
        configuration = Configuration()
        configuration.host = self.url
        return Client(configuration)


def event(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": document}


def listing(*items: dict[str, Any], version: int, token: str = "") -> Reply:
    metadata = {"resourceVersion": str(version), "continue": token}
    return Reply({"kind": "ThingList", "metadata": metadata, "items": list(items)})


def refusal(code: int, message: str = "no", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({"kind": "Status", "code": code, "message": message}, code, named)


@contextlib.contextmanager
def fake_apiserver() -> Iterator[FakeApiServer]:
    fake = FakeApiServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, parts.path, query, dict(self.headers), body)
            fake.asked.append(asked)
            reply = fake.answer(asked)
            with contextlib.suppress(OSError):
                self._reply(reply)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  # http.server's names

        def _reply(self, reply: Reply) -> None:
            if reply.lines is None:
                if reply.waits is not None:
                    reply.waits.wait(30)
                raw = reply.body if isinstance(reply.body, bytes) else _json(reply.body)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw) + (10 if reply.breaks else 0)))
                self.end_headers()
                self.wfile.write(raw)
                self.close_connection = self.close_connection or reply.breaks
                return
            self.send_response(reply.status)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in reply.lines:
                raw = line if isinstance(line, bytes) else _json(line) + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
                self.wfile.flush()
            if reply.waits is not None:
                reply.waits.wait(30)
            if reply.breaks:
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
