"""``portreeve serve``: the admission service."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import uvloop

from service import app, events
from service.settings import EngineKind, read_settings

_OPTIONS = (
    "bundle",
    "host",
    "port",
    "engine",
    "opa_url",
    "log",
    "tokens_file",
    "tls_certificate",
    "tls_key",
)


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="start the admission service",
        description="Start the admission service. Each option is also a setting: docs/settings.md.",
    )
    parser.add_argument("--bundle", help="shipped bundle, folder or archive (default: default)")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: 8080)")
    parser.add_argument("--engine", choices=[kind.value for kind in EngineKind])
    parser.add_argument("--opa-url", help="where the OPA server answers, for --engine opa")
    parser.add_argument("--log", type=Path, help="the decision log, a SQLite file")
    parser.add_argument("--tokens-file", type=Path, help="callers and their roles")
    parser.add_argument("--tls-certificate", type=Path, help="PEM file, with its chain")
    parser.add_argument("--tls-key", type=Path, help="PEM file")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = read_settings(**{name: getattr(given, name) for name in _OPTIONS})
    settings.check()
    events.configure(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(app.serve(settings))
    return 0
