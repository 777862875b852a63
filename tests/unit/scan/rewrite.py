"""Records what a real API server answers to a scan: ``python tests/unit/scan/rewrite.py``."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from cluster import cluster, webhook_credentials  # noqa: E402
from inhabited import inhabit  # noqa: E402

from adapters.kubernetes.kinds import in_use  # noqa: E402
from adapters.kubernetes.view import KindName  # noqa: E402
from adapters.kubernetes.watched import watched_kinds  # noqa: E402
from service.cluster.client import Client, Served  # noqa: E402

PAGES = Path(__file__).with_name("pages.json")
_LIMIT = 3


def record(client: Client) -> dict[str, Any]:
    """What *client* is told of the kinds that a scan reads, in pages of three objects."""
    wanted = set(watched_kinds(in_use()))
    served = [one for one in client.served() if KindName(one.group, one.kind) in wanted]
    return {
        "served": [{**one._asdict(), "verbs": sorted(one.verbs)} for one in served],
        "pages": {one.path(): _pages(client, one) for one in served},
    }


def _pages(client: Client, served: Served) -> list[dict[str, Any]]:
    return [page._asdict() for page in client.pages(served, limit=_LIMIT)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cluster(folder, webhook_credentials(folder, "127.0.0.1:1", "token")) as running:
            inhabit(running)
            recorded = record(Client.connect(running.kubeconfig))
    PAGES.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
