"""``portreeve bundle build|inspect|diff|promote|test``."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.app import find_bundle
from service.bundle.inspecting import inspect
from service.bundle.load import load
from service.bundle.write import write
from service.commands import bundle_diff, bundle_promote, bundle_test
from service.commands.freshness import warn_of_old_prices


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("bundle", help="build and look at bundles")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = actions.add_parser(
        "build",
        help="check a bundle folder and write it as an OPA bundle",
        description="Check a bundle folder and write it as an OPA bundle.",
    )
    build.add_argument("bundle", metavar="BUNDLE", help="shipped bundle or folder")
    build.add_argument("--output", "-o", type=Path, required=True, help="the .tar.gz to write")
    build.set_defaults(run=run_build)
    look = actions.add_parser(
        "inspect", help="say what a bundle holds", description="Say what a bundle holds."
    )
    look.add_argument("bundle", metavar="BUNDLE", help="shipped bundle, folder or archive")
    look.set_defaults(run=run_inspect)
    bundle_diff.add(actions)
    bundle_promote.add(actions)
    bundle_test.add(actions)


def run_build(given: argparse.Namespace) -> int:
    """Build and write; prints the digest."""
    bundle = load(find_bundle(given.bundle))
    write(bundle, given.output)
    print(f"{given.output}: {bundle.ref.name} {bundle.ref.revision} {bundle.ref.digest}")
    return 0


def run_inspect(given: argparse.Namespace) -> int:
    """Print what the bundle holds, as JSON."""
    bundle = load(find_bundle(given.bundle))
    print(json.dumps(inspect(bundle, today=datetime.now(UTC).date()), indent=2))
    warn_of_old_prices(bundle)
    return 0
