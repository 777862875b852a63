"""A webhook that admits everything and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Asked:
    """What the API server asked, by the path of the webhook."""

    url: str = ""
    reviews: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def about(self, name: str) -> list[str]:
        """Operations, with the subresource if there is one, on objects with *name*."""
        found = []
        for _, request in self.reviews:
            meta = (request.get("object") or request.get("oldObject") or {}).get("metadata", {})
            if name in (request.get("name"), meta.get("name")):
                sub = request.get("subResource")
                found.append(request["operation"] + (f" {sub}" if sub else ""))
        return found


@contextlib.contextmanager
def asked_webhook(certificate: Path, key: Path) -> Iterator[Asked]:
    """Serve on loopback with TLS as long as this lasts."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.reviews.append((self.path, review["request"]))
            response = {"uid": review["request"]["uid"], "allowed": True}
            answer = json.dumps({**review, "request": None, "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    asked.url = f"https://127.0.0.1:{server.server_address[1]}"
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
