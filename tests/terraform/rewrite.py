"""Write the committed plans anew with the real terraform, and what they are normalised to.

Run as ``.venv/bin/python tests/terraform/rewrite.py``; with ``--normalised`` it leaves the plans.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from making import CASES, make_plan, sources, write

from adapters.terraform.normalise import normalise_plan
from service.model.base import Scope


def normalised(plan: dict[str, Any]) -> dict[str, Any]:
    """The request of *plan* without what has no value, as the log stores it."""
    request = normalise_plan(plan, scope=Scope(workspace="prod"), caller="contract", key="contract")
    document: dict[str, Any] = json.loads(request.model_dump_json(exclude_defaults=True))
    return document


def main() -> None:
    """Rewrite everything."""
    if "--normalised" not in sys.argv:
        for source in sources():
            with tempfile.TemporaryDirectory() as work:
                write(source / "plan.json", make_plan(source, Path(work)))
    for path in sorted(CASES.glob("*/plan.json")):
        write(path.with_name("normalised.json"), normalised(json.loads(path.read_text())))


if __name__ == "__main__":
    main()
