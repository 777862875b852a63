"""What every command has to load before it can begin."""

from __future__ import annotations

import subprocess
import sys

_NOT_AT_ONCE = ("aiohttp", "kubernetes", "opa_client", "requests")


def test_clients_of_servers_are_loaded_only_where_they_are_used() -> None:
    program = (
        "import sys, service.cli; service.cli.parser();"
        f"print([name for name in {_NOT_AT_ONCE} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
