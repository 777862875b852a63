"""A further listener of a service: ``python -m service.companion SETTINGS DIGEST VIEW [HANDLE]``.

Settings are JSON, the digest is that of the bundle, the view is where it is told of the cluster
that is watched (empty where none is), and the handle is a socket to the process that writes the
log. It serves until standard input is closed, which is when its parent ends.
"""

from __future__ import annotations

import asyncio
import socket
import sys

import structlog
import uvloop

from service import app, events
from service.errors import GovernanceError
from service.settings import Settings


def main() -> int:
    """Serve; 1 where a part could not be started."""
    settings = Settings.model_validate_json(sys.argv[1])
    digest, view, handles = sys.argv[2], sys.argv[3], sys.argv[4:]
    events.configure(settings.log_level)
    channel = socket.socket(fileno=int(handles[0])) if handles else None
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(app.accompany(settings, digest, channel, view))
    except GovernanceError as error:
        structlog.get_logger("portreeve").error("listener_not_started", error=error.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
